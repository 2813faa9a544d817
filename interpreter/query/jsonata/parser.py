"""The shape of a JSONata expression: what stands where, for whoever judges it before it runs.

Version 2.0.6 of the language, as the service has it: later operators are syntax errors. The engine has
a parser of its own; this one exists because an author wants the column of a mistake, and because the
service refuses expressions for what they refer to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from .lexer import JSONataSyntaxError, Lexer, Token, quoted

#: How deep an expression may nest. (Each level costs the parser a few calls.)
MAX_NESTING = 100

#: How strongly an operator binds what stands to its left.
_POWERS = {
    "@": 80, "#": 80, "[": 80, "(": 80, ".": 75, "{": 70,
    "*": 60, "/": 60, "%": 60, "+": 50, "-": 50, "&": 50,
    "=": 40, "!=": 40, "<": 40, ">": 40, "<=": 40, ">=": 40, "^": 40, "~>": 40, "in": 40,
    "and": 30, "or": 25, "?": 20, ":=": 10,
}  # fmt: skip

_SIGNATURE_CLOSE = {"<": 1, ">": -1}


@dataclass(slots=True)
class Node:
    """``kind`` is an operator for ``left operator right``, otherwise a name of what it is:

    ``name variable string number value regex wildcard descendant parent`` (``value`` says which), of a ``sort``
    it says ``<`` or ``>`` for each term,
    ``block array range object negate call partial lambda predicate group sort transform condition bind
    focus index placeholder``. ``parts`` are its operands in reading order. An expression's text is that
    from ``begin`` to ``end``; ``start`` is where what is said of the node is to be found.
    """

    kind: str
    start: int
    value: str = ""
    parts: tuple[Node, ...] = ()
    begin: int = 0
    end: int = 0

    def walk(self) -> Iterator[Node]:
        """This node and all below it, in reading order."""
        waiting = [self]
        while waiting:
            node = waiting.pop()
            yield node
            waiting.extend(reversed(node.parts))


def parse(text: str) -> Node:
    """The tree of an expression. Raises :class:`~detent.query.jsonata.lexer.JSONataSyntaxError`."""
    return _Parser(text).whole()


class _Parser:
    def __init__(self, text: str) -> None:
        self._lexer = Lexer(text)
        self._depth = 0
        self._token = self._lexer.next(operand=True)
        self._end = 0

    def whole(self) -> Node:
        if self._token.kind == "end":
            self._ended()
        tree = self._expression(0)
        if self._token.kind != "end":
            self._fail("S0201", f"Syntax error: {quoted(self._token.value)}")
        return tree

    # Movement

    def _advance(self, *, operand: bool) -> Token:
        token = self._token
        self._end = token.end
        self._token = self._lexer.next(operand=operand)
        return token

    def _at(self, operator: str) -> bool:
        return self._token.kind == "operator" and self._token.value == operator

    def _expect(self, operator: str, *, operand: bool) -> Token:
        if not self._at(operator):
            if self._token.kind == "end":
                self._fail("S0203", f"Expected {quoted(operator)} before end of expression")
            self._fail("S0202", f"Expected {quoted(operator)}, got {quoted(self._token.value)}")
        return self._advance(operand=operand)

    def _fail(self, reason: str, message: str, at: int | None = None) -> None:
        self._lexer.fail(reason, message, self._token.start if at is None else at)

    def _ended(self) -> None:
        self._fail("S0207", "Unexpected end of expression")

    # Expressions

    def _expression(self, power: int) -> Node:
        self._depth += 1
        if self._depth > MAX_NESTING:
            self._fail("S0201", f"an expression may nest {MAX_NESTING} deep")
        begin = self._token.start
        left = self._operand()
        left.begin, left.end = begin, self._end
        while self._token.kind == "operator" and power < _POWERS.get(self._token.value, 0):
            left = self._continue(left)
            left.begin, left.end = begin, self._end
        if self._token.kind not in ("operator", "end"):
            # Two operands side by side.
            self._fail("S0201", f"Syntax error: {quoted(self._token.value)}")
        self._depth -= 1
        return left

    def _operand(self) -> Node:
        token = self._token
        if token.kind == "end":
            self._ended()
        if token.kind != "operator":
            self._advance(operand=False)
            return Node(token.kind, token.start, token.value)
        read = _OPERANDS.get(token.value)
        if read is None:
            message = f"The symbol {quoted(token.value)} cannot be used as a unary operator"
            self._fail("S0211", message)
            raise AssertionError
        self._advance(operand=token.value not in _LEAVES)
        return read(self, token)

    def _leaf(self, token: Token) -> Node:
        return Node(_LEAVES[token.value], token.start, token.value)

    def _negation(self, token: Token) -> Node:
        return Node("negate", token.start, parts=(self._expression(70),))

    def _block(self, token: Token) -> Node:
        parts: list[Node] = []
        while not self._at(")"):
            parts.append(self._expression(0))
            if not self._at(";"):
                break
            self._advance(operand=True)
        self._expect(")", operand=False)
        return Node("block", token.start, parts=tuple(parts))

    def _array(self, token: Token) -> Node:
        parts: list[Node] = []
        while not self._at("]"):
            item = self._expression(0)
            if self._at(".."):
                between = self._advance(operand=True)
                item = Node("range", between.start, parts=(item, self._expression(0)))
            parts.append(item)
            if not self._at(","):
                break
            self._advance(operand=True)
        self._expect("]", operand=False)
        return Node("array", token.start, parts=tuple(parts))

    def _object(self, token: Token) -> Node:
        return Node("object", token.start, parts=self._members())

    def _members(self) -> tuple[Node, ...]:
        """Keys and values in turn, up to the closing brace."""
        parts: list[Node] = []
        while not self._at("}"):
            parts.append(self._expression(0))
            self._expect(":", operand=True)
            parts.append(self._expression(0))
            if not self._at(","):
                break
            self._advance(operand=True)
        self._expect("}", operand=False)
        return tuple(parts)

    def _transform(self, token: Token) -> Node:
        parts = [self._expression(0)]
        self._expect("|", operand=True)
        parts.append(self._expression(0))
        if self._at(","):
            self._advance(operand=True)
            parts.append(self._expression(0))
        self._expect("|", operand=False)
        return Node("transform", token.start, parts=tuple(parts))

    # What follows an operand

    def _continue(self, left: Node) -> Node:
        token = self._advance(operand=True)
        special = _CONTINUATIONS.get(token.value)
        if special is not None:
            return special(self, left, token)
        right = self._expression(_POWERS[token.value])
        if token.value == "." and right.kind in ("number", "value"):
            message = f"The literal value {right.value} cannot be used as a step within a path expression"
            self._fail("S0213", message, right.start)
        return Node(token.value, token.start, parts=(left, right))

    def _call(self, left: Node, token: Token) -> Node:
        if left.kind == "name" and left.value in ("function", "λ"):
            return self._lambda(left)
        arguments: list[Node] = []
        kind = "call"
        while not self._at(")"):
            if self._at("?"):
                kind = "partial"
                arguments.append(Node("placeholder", self._advance(operand=False).start))
            else:
                arguments.append(self._expression(0))
            if not self._at(","):
                break
            self._advance(operand=True)
        self._expect(")", operand=False)
        return Node(kind, token.start, parts=(left, *arguments))

    def _lambda(self, word: Node) -> Node:
        parameters: list[Node] = []
        while not self._at(")"):
            parameter = self._expression(0)
            if parameter.kind != "variable":
                message = (
                    f"Parameter {quoted(parameter.value)} of function definition must be a variable name "
                    "(start with $)"
                )
                self._fail("S0208", message, parameter.start)
            parameters.append(parameter)
            if not self._at(","):
                break
            self._advance(operand=True)
        self._expect(")", operand=False)
        if self._at("<"):
            self._signature()
        self._expect("{", operand=True)
        body = self._expression(0)
        self._expect("}", operand=False)
        return Node("lambda", word.start, parts=(*parameters, body))

    def _signature(self) -> None:
        """Move over the signature of a function; the engine judges it, surplus brackets included."""
        depth = 0
        while True:
            if self._token.kind == "end" or self._at("{"):
                self._expect(">", operand=False)
            depth += _SIGNATURE_CLOSE.get(self._token.value, 0)
            self._advance(operand=False)
            if depth <= 0 and not self._at(">"):
                return

    def _predicate(self, left: Node, token: Token) -> Node:
        if self._at("]"):
            self._advance(operand=False)
            return Node("predicate", token.start, parts=(left,))
        if left.kind == "group":
            self._fail("S0209", "A predicate cannot follow a grouping expression in a step", token.start)
        condition = self._expression(0)
        self._expect("]", operand=False)
        return Node("predicate", token.start, parts=(left, condition))

    def _group(self, left: Node, token: Token) -> Node:
        if left.kind == "group":
            self._fail("S0210", "Each step can only have one grouping expression", token.start)
        return Node("group", token.start, parts=(left, *self._members()))

    def _sort(self, left: Node, token: Token) -> Node:
        self._expect("(", operand=True)
        terms: list[Node] = []
        directions = ""
        while True:
            directions += ">" if self._at(">") else "<"
            if self._at("<") or self._at(">"):
                self._advance(operand=True)
            terms.append(self._expression(0))
            if not self._at(","):
                break
            self._advance(operand=True)
        self._expect(")", operand=False)
        return Node("sort", token.start, directions, (left, *terms))

    def _condition(self, left: Node, token: Token) -> Node:
        parts = [left, self._expression(0)]
        if self._at(":"):
            self._advance(operand=True)
            parts.append(self._expression(0))
        return Node("condition", token.start, parts=tuple(parts))

    def _bind(self, left: Node, token: Token) -> Node:
        if left.kind != "variable":
            message = "The left side of := must be a variable name (start with $)"
            self._fail("S0212", message, left.start)
        return Node("bind", token.start, parts=(left, self._expression(_POWERS[":="] - 1)))

    def _marker(self, left: Node, token: Token) -> Node:
        """``@$v`` or ``#$i``: a name for the item, or for its place."""
        right = self._expression(_POWERS[token.value])
        if right.kind != "variable":
            message = f"The right side of {quoted(token.value)} must be a variable name (start with $)"
            self._fail("S0214", message, right.start)
        return Node("focus" if token.value == "@" else "index", token.start, parts=(left, right))


#: Operators that stand for something by themselves; the last three are names where an operand is due.
_LEAVES = {
    "*": "wildcard",
    "**": "descendant",
    "%": "parent",
    "and": "name",
    "or": "name",
    "in": "name",
}
_OPERANDS: dict[str, Callable[[_Parser, Token], Node]] = {
    **dict.fromkeys(_LEAVES, _Parser._leaf),
    "-": _Parser._negation,
    "(": _Parser._block,
    "[": _Parser._array,
    "{": _Parser._object,
    "|": _Parser._transform,
}
_CONTINUATIONS: dict[str, Callable[[_Parser, Node, Token], Node]] = {
    "(": _Parser._call,
    "[": _Parser._predicate,
    "{": _Parser._group,
    "^": _Parser._sort,
    "?": _Parser._condition,
    ":=": _Parser._bind,
    "@": _Parser._marker,
    "#": _Parser._marker,
}

__all__ = ["MAX_NESTING", "JSONataSyntaxError", "Node", "parse"]
