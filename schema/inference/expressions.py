"""JSONata states over shapes (language, section 4): what their expressions read, and what they hand on.

The fields of a state are evaluated in its two stages, before and after the work; a choice and a catcher have one
of their own. What an expression makes stands in :mod:`.jsonata_shapes`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from detent.core.values import JSON
from detent.query.cursor import ExpressionSyntaxError
from detent.query.jsonata import inside, is_expression
from detent.query.jsonata.parser import Node, parse
from detent.query.jsonpath.syntax import Names, Path

from ..diagnostics import Pointer
from ..document import is_unknown
from ..outline import Part, Scope, State
from ..validate_variables import is_distributed
from .context import context_shape
from .jsonata_paths import FUNCTIONS, PathRead, path_of, reads_in
from .jsonata_shapes import follow, shape_of
from .notes import Env, Notes, Read, Variable, VariableRead
from .reading import Presence, Reading, change
from .results import ERROR_OUTPUT, answer_of
from .shapes import (
    ARRAY,
    BOOLEAN,
    MAX_DEPTH,
    NUMBER,
    OBJECT,
    STRING,
    UNKNOWN,
    Kind,
    Member,
    Shape,
    array_of,
    elements_of,
    having,
    object_of,
    of_literal,
)
from .walk import Exit, Walk

#: Fields whose value must be of one kind.
_WANTED = {
    **dict.fromkeys(("Seconds", "TimeoutSeconds", "HeartbeatSeconds", "MaxConcurrency"), NUMBER.kinds),
    **dict.fromkeys(("ToleratedFailureCount", "ToleratedFailurePercentage"), NUMBER.kinds),
    **dict.fromkeys(("Timestamp", "Error", "Cause"), STRING.kinds),
    "Condition": BOOLEAN.kinds,
}


@dataclass(slots=True)
class Evaluation:
    """One stage of a state. ``result`` and ``error`` are there in some stages only."""

    state: State
    env: Env
    notes: Notes
    result: Shape | None = None
    error: Shape | None = None
    item: Shape | None = None

    def field(self, part: Part, name: str) -> Shape | None:
        """What a field makes; None where the part has none."""
        if name not in part.value:
            return None
        return self.value(part, part.at(name), part.value[name], _WANTED.get(name))

    def value(
        self,
        part: Part,
        pointer: Pointer,
        value: JSON,
        wanted: frozenset[Kind] | None = None,
        depth: int = 0,
    ) -> Shape:
        """What a value with expressions in it becomes."""
        if is_unknown(value) or depth >= MAX_DEPTH:
            return UNKNOWN
        if is_expression(value):
            return self._expression(part, pointer, value, wanted)
        if isinstance(value, list):
            return elements_of(
                self.value(part, (*pointer, index), item, None, depth + 1) for index, item in enumerate(value)
            )
        if isinstance(value, dict):
            closed = not any(is_unknown(key) for key in value)
            members = {
                key: Member(self.value(part, (*pointer, key), item, None, depth + 1))
                for key, item in value.items()
            }
            return object_of(members, closed=closed)
        return of_literal(value)

    def _expression(self, part: Part, pointer: Pointer, text: str, wanted: frozenset[Kind] | None) -> Shape:
        tree = parsed(text)
        if tree is None:
            return UNKNOWN
        for read in reads_in(tree):
            self._note(part, pointer, text, read, wanted if _is_all_of(read, tree) else None)
        return shape_of(tree, self.reading)

    def reading(self, read: PathRead) -> Reading | None:
        """Follow a path; None where it starts from nothing that is known here."""
        root = self._root(read.root)
        return None if root is None else follow(read.names, root)

    def _root(self, root: str) -> Shape | None:
        if root == "$states.input":
            return self.env.payload
        if root == "$states.result":
            return self.result
        if root == "$states.errorOutput":
            return self.error
        if root == "$states.context":
            return context_shape(self.state, self.item)
        known = self.env.variable(root)
        return None if known is None else known.shape

    def _note(
        self, part: Part, pointer: Pointer, text: str, read: PathRead, wanted: frozenset[Kind] | None
    ) -> None:
        if read.is_variable:
            known = self.env.variable(read.root)
            if known is None and read.root in FUNCTIONS:
                return
            self.notes.variables.append(
                VariableRead(self.state, part, pointer, text, read.root, known, read.tested)
            )
        found = self.reading(read)
        if found is None:
            return
        path = _as_path(read)
        from_input = read.root == "$states.input"
        self.notes.reads.append(
            Read(self.state, part, pointer, text, path, found, wanted, read.tested, from_input)
        )


def parsed(text: str) -> Node | None:
    """The tree of an expression between its delimiters; None if it is none."""
    try:
        return parse(inside(text)[0])
    except ExpressionSyntaxError:
        return None


def _is_all_of(read: PathRead, tree: Node) -> bool:
    """Whether an expression is this path and nothing else."""
    whole, _ = path_of(tree)
    return whole is not None and whole.whole and whole.column == read.column


def _as_path(read: PathRead) -> Path:
    """The path in the words of the other language, which is what rules know."""
    roots = {"$states.input": "$", "$states.context": "$$"}
    text = ".".join((read.root if read.root.startswith("$") else f"${read.root}", *read.names))
    steps = tuple(Names((name,), "") for name in read.names)
    return Path(text, roots.get(read.root, read.root), steps, tuple(read.column for _ in steps))


# States


def jsonata_exits(state: State, env: Env, walk: Walk) -> Iterator[Exit]:
    """The ways out of a JSONata state that is entered with ``env``."""
    entry = Evaluation(state, env, walk.notes)
    for name in (*_WANTED, "Credentials"):
        entry.field(state, name)
    if state.type == "Fail":
        return
    if state.type == "Choice":
        yield from _choice(state, entry)
        return
    result = _result(state, entry, walk)
    after = replace(entry, result=result) if state.type in ("Task", "Parallel", "Map") else entry
    target = state.value.get("Next") if state.value.get("End") is not True else None
    yield _leaving(state, target, state.at("Next"), after, env.payload if result is None else result)
    for catcher in state.parts("catcher"):
        target = catcher.value.get("Next")
        if isinstance(target, str):
            failed = replace(entry, error=ERROR_OUTPUT)
            yield _leaving(catcher, target, catcher.at("Next"), failed, ERROR_OUTPUT)


def _leaving(part: Part, target: JSON, pointer: Pointer, stage: Evaluation, default: Shape) -> Exit:
    made = stage.field(part, "Output")
    env = replace(_assigned(part, stage), payload=default if made is None else made)
    return Exit(target if isinstance(target, str) else None, pointer, env)


def _assigned(part: Part, stage: Evaluation) -> Env:
    assign = part.value.get("Assign")
    if not isinstance(assign, dict):
        return stage.env
    variables = {
        name: Variable(stage.value(part, part.at("Assign", name), value)) for name, value in assign.items()
    }
    complete = not is_unknown(assign) and not any(map(is_unknown, assign))
    return stage.env.assigning(variables, complete=complete)


def _choice(state: State, entry: Evaluation) -> Iterator[Exit]:
    """A rule without Assign or Output of its own has those of the state. What the conditions ask about is
    unknown behind them, and so is never called missing."""
    rules = list(state.parts("rule"))
    for rule in rules:
        entry.field(rule, "Condition")
    left = replace(entry, env=_after_conditions(entry.env, rules))
    for rule in rules:
        fields = {**{name: state.value[name] for name in ("Assign", "Output") if name in state.value}}
        owner = rule if not fields.keys() - rule.value.keys() else state
        own = rule if {"Assign", "Output"} & rule.value.keys() else owner
        yield _leaving(own, rule.value.get("Next"), rule.at("Next"), left, left.env.payload)
    if "Default" in state.value:
        yield _leaving(state, state.value["Default"], state.at("Default"), left, left.env.payload)


def _after_conditions(env: Env, rules: list[Part]) -> Env:
    payload, variables = env.payload, dict(env.variables)
    for rule in rules:
        condition = rule.value.get("Condition")
        tree = parsed(condition) if isinstance(condition, str) and is_expression(condition) else None
        for read in reads_in(tree) if tree is not None else ():
            if read.root == "$states.input":
                steps = _as_path(read).steps
                if follow(read.names[:-1], payload).presence is Presence.ALWAYS and steps:
                    payload = change(payload, steps, lambda before: Member(UNKNOWN))
                else:
                    payload = UNKNOWN
            elif read.is_variable:
                variables[read.root] = Variable(UNKNOWN)
    return replace(env, payload=payload, variables=variables)


def _result(state: State, entry: Evaluation, walk: Walk) -> Shape | None:
    """What the work of a state answers; None where a state has no work to do."""
    scopes = walk.below.get(state.pointer, [])
    arguments = entry.field(state, "Arguments")
    if state.type == "Task":
        return answer_of(state.value.get("Resource"), walk.results)
    if state.type == "Parallel":
        env = replace(entry.env, payload=entry.env.payload if arguments is None else arguments)
        outputs = [walk.enter(scope, env) for scope in scopes]
        written = state.value.get("Branches")
        if not isinstance(written, list) or len(written) != len(outputs):
            return ARRAY
        return elements_of(output if output.kinds else UNKNOWN for output in outputs)
    if state.type == "Map":
        item = _item(state, scopes, entry)
        outputs = [walk.enter(scope, _inside(state, scope, entry, item)) for scope in scopes]
        if "ResultWriter" in state.value or not outputs:
            return UNKNOWN
        return array_of(outputs[0] if outputs[0].kinds else UNKNOWN)
    return None


def _item(state: State, scopes: list[Scope], entry: Evaluation) -> Shape:
    for part in state.parts("itemReader", "itemBatcher", "resultWriter"):
        for name in ("Arguments", "BatchInput"):
            entry.field(part, name)
    if "Items" not in state.value:
        items = entry.env.payload
    else:
        wanted = ARRAY.kinds
        if any(is_distributed(scope) for scope in scopes):
            wanted |= OBJECT.kinds
        items = entry.value(state, state.at("Items"), state.value["Items"], wanted)
    if "ItemReader" in state.value or items.kinds != ARRAY.kinds:
        return UNKNOWN
    return items.item() if items.item().kinds else UNKNOWN


def _inside(state: State, scope: Scope, entry: Evaluation, item: Shape) -> Env:
    selector = replace(entry, item=item).field(state, "ItemSelector")
    payload = item if selector is None else selector
    if "ItemBatcher" in state.value:
        payload = having(Items=array_of(payload), BatchInput=UNKNOWN)
    return Env(payload) if is_distributed(scope) else replace(entry.env, payload=payload)
