"""The one place that touches the JSONata engine, a compiled extension, and keeps its traps away.

- The engine holds the interpreter lock while it evaluates, so every evaluation has limits.
- A compiled expression belongs to the thread that compiled it: each thread compiles its own.
- The process crashes if the thread that imported the extension ends before others use it.
- It cannot tell undefined from null, and drops functions: the expression runs inside another one that
  answers the type along with the value.
- Integers beyond 64 bits do not fit: in a computation they become doubles, as all numbers of the language.
- It has ``$eval``, which the service has not, a clock, and a ``$pad`` without bounds: these are replaced.
"""

from __future__ import annotations

import math
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from functools import cache, partial
from random import Random
from typing import Any, Literal, NamedTuple

from ...core.patience import Attempts
from ...core.rows import Record
from ...core.values import JSON, encode
from .blame import blamed, without_context
from .functions import FUNCTIONS, OF_TEXT, UNDEFINED, items_of
from .growth import may_outgrow, needs_room
from .messages import MEMORY, TIME, EvaluationError, engine_error
from .parser import JSONataSyntaxError, Node, parse
from .references import References, references

#: Levels that are added to the depth of an expression by what stands around it, in a program that answers the value
#: alone and in one that tells its type.
_PLAIN_DEPTH, _TELLING_DEPTH = 2, 3
#: Our functions take on so many times fewer values than the engine may: nobody can stop them.
_HOST_SHARE = 10
#: Characters that ``$pad`` makes at most: the service's longest text.
PAD_MAX = 2**22


class Limits(NamedTuple):
    """What one evaluation may use. ``items`` bounds every list that comes up in it.

    ``size`` bounds the values inside a result that could outgrow its data, and what functions take on that
    nobody can stop; None leaves both to who watches over the process.
    """

    milliseconds: int
    depth: int
    items: int
    size: int | None = None


#: The service's limits (jsonata, "Limits").
SERVICE = Limits(milliseconds=1000, depth=100, items=873_782)
#: What an evaluation may use where others wait for it. Little: memory grows as fast as time passes.
QUICK = Limits(milliseconds=5, depth=100, items=20_000, size=50_000)


class Outcome(Record):
    """What came out. ``type`` is the language's name for the type of ``value``, whose ``weight`` is known where it was
    made elsewhere.

    An EvaluationError is an outcome, too, and not raised here: an exception keeps everything that was in
    use alive until some thread collects it, and the engine's objects must go in the thread they came in.
    """

    type: Literal["null", "number", "string", "boolean", "array", "object", "function", "undefined", "error"]
    value: Any = None
    weight: int = 0


@cache
def _library() -> Any:
    """The extension, imported when the first expression needs it.

    The thread that imports it must stay: if that cannot be the main thread, one is made for it.
    """
    if threading.current_thread() is not threading.main_thread():
        imported = threading.Event()
        threading.Thread(target=_import_for_ever, args=(imported,), name="jsonata", daemon=True).start()
        imported.wait()
    import jsonatapy._jsonatapy as library

    library.compile("1").evaluate_with_data(library.JsonataData(None))
    return library


def _import_for_ever(imported: threading.Event) -> None:
    import jsonatapy._jsonatapy as library

    library.compile("1").evaluate_with_data(library.JsonataData(None))
    imported.set()
    threading.Event().wait()


def warm_up() -> None:
    """Import the extension now."""
    _library()


def check(text: str) -> EvaluationError | None:
    """Why the engine cannot parse an expression."""
    try:
        _library().compile(text)
    except ValueError as error:
        return engine_error(str(error))
    return None


class Document:
    """The values that the expressions of one state see, converted once; ``states`` are those of ``$states``.

    ``now`` may be None where no expression asks for the time. Raises EvaluationError for a text that is no Unicode.
    Belongs to the thread that makes it.
    """

    __slots__ = ("converted", "variables")

    def __init__(self, states: Mapping[str, JSON], variables: Mapping[str, JSON], now: int | None) -> None:
        self.variables = variables
        # The service has no root document. No name that anybody would write finds a part of this one.
        self.converted = _converted(
            {"$states": states}
            if now is None and not variables
            else {"$states": states, "$variables": variables, "$now": now}
        )


class Program:
    """An expression, ready to run in any thread."""

    __slots__ = (
        "_attempts",
        "_finite",
        "_names",
        "_needs_room",
        "_numbers_are_given",
        "_outgrows",
        "_references",
        "_sources",
        "_text",
        "_tree",
        "_whole",
        "draws",
    )

    def __init__(self, text: str, tree: Node, references: References) -> None:
        self._references = references
        self._attempts = Attempts()
        self._outgrows = may_outgrow(tree)
        self._needs_room = needs_room(tree)
        self.draws = not CHANCE.isdisjoint(references.variables)
        self._text = _edited(text, tree, references)
        self._whole = text
        self._numbers_are_given = all(
            len(node.parts) == 2 for node in tree.walk() if _is_call(node, "number")
        )
        self._tree = tree
        self._names = frozenset(references.variables)
        self._sources: dict[tuple[frozenset[str], int | None], tuple[str | None, str]] = {}
        self._finite = not (_COMPUTING & references.operators or _OVERFLOWING & references.calls.keys())

    def quick(self, document: Document, chance: Random | None) -> Outcome | None:
        """Evaluate where others wait for it; None where that takes more than they can spare."""
        if self._needs_room or not self._attempts.is_due():
            return None
        outcome = self.run(document, chance, QUICK)
        if outcome.type == "error" and outcome.value.code is None and outcome.value.message in (TIME, MEMORY):
            self._attempts.took_too_long()
            return None
        return outcome

    def run(
        self, document: Document, chance: Random | None, limits: Limits, *, final: bool = False
    ) -> Outcome:
        """Evaluate; ``chance`` is for the functions of CHANCE. What is ``final`` is not tried another way."""
        size = limits.size
        assigned = self._names.intersection(document.variables) if document.variables else _NOTHING
        plain, telling = self._sources.get((assigned, size)) or self._write(assigned, size)
        answer = None
        if plain is not None:
            compiled, host = _compiled.programs.get(plain) or self._compile(plain)
            if host is not None:
                host.begin(chance, size)
            answer = _answer(compiled, document.converted, None, limits, self._references, _PLAIN_DEPTH)
        if answer is not None:
            outcome = answer if answer.__class__ is Outcome else Outcome(_TYPES[answer.__class__], answer)
        else:
            compiled, host = _compiled.programs.get(telling) or self._compile(telling)
            if host is not None:
                host.begin(chance, size)
            outcome = _told(_answer(compiled, document.converted, None, limits, self._references))
        if outcome.type == "error":
            return self._explained(outcome, host, document, chance, limits, final=final)
        if self._finite or outcome.value.__class__ in _PLAIN:
            return outcome
        return Outcome(outcome.type, _as_json(outcome.value))

    def _explained(
        self,
        outcome: Outcome,
        host: _Host | None,
        document: Document,
        chance: Random | None,
        limits: Limits,
        *,
        final: bool,
    ) -> Outcome:
        """An error as the service words it; or what comes out where only the engine takes it for one."""
        if host is not None and host.error is not None:
            return Outcome("error", EvaluationError(*host.error))
        part = partial(_of_a_part, document=document, limits=limits)
        if outcome.value.code == "T0411" and not final:
            calls = without_context(self._whole, self._tree, part)
            if isinstance(calls, EvaluationError):
                return Outcome("error", calls)
            if mended := self._without_context(calls):
                return mended.run(document, chance, limits, final=True)
        return Outcome("error", blamed(outcome.value, self._whole, self._tree, part))

    def _without_context(self, calls: list[Node]) -> Program | None:
        """The same, but with nothing where ``calls`` ask for a context item that there is not."""
        found = self._references
        contextual = {**dict(found.contextual), **{call.start: True for call in calls}}
        if len(contextual) == len(found.contextual):
            return None
        return Program(self._whole, self._tree, replace(found, contextual=[*contextual.items()]))

    def _write(self, assigned: frozenset[str], size: int | None) -> tuple[str | None, str]:
        """The program that answers a value and no more, if there is one, and the one that tells its type as well.

        ``assigned`` are the workflow variables that there are, of those that the expression names.
        """
        parts = self._before(assigned, size)
        measures = size is not None and self._outgrows
        telling = [*parts, f"$__result := ({self._text}\n)"]
        if measures:
            telling.append(_MEASURE % size)
        # What draws, or is measured, is not worth doing twice.
        plain = None if measures or self.draws else f"({'; '.join(parts)}; ({self._text}\n))"
        sources = self._sources[assigned, size] = plain, _WRAPPING.format("; ".join(telling))
        return sources

    def _before(self, assigned: frozenset[str], size: int | None) -> list[str]:
        parts = ["$states := $$.`$states`"]
        for name in sorted(self._references.variables):
            # A workflow variable may have the name of a function of the language and then hides it. A name that none
            # has must not be bound: a function may mean one that is bound after it.
            if name in assigned:
                parts.append(f"${name} := $$.`$variables`.`{name}`")
            elif name in FUNCTIONS:
                parts.append(_added(name, self._references.calls.get(name, 0)))
            elif name == "number" and self._numbers_are_given:
                parts.append(_NUMBER)
            elif name == "pad":
                parts.append(_PAD % (PAD_MAX if size is None else size))
            elif name in _REPLACED:
                parts.append(_REPLACED[name])
            elif size is not None and name in _GUARDED:
                parts.append(_GUARDED[name])
        return parts

    def _compile(self, source: str) -> tuple[Any, _Host | None]:
        used = self._references.variables
        compiled = _library().compile(source)
        host = _Host() if any(f"$__{name}(" in source for name in (*FUNCTIONS, *_REFUSING)) else None
        if host is not None:
            for name in FUNCTIONS:
                if name in used:
                    compiled.register(f"__{name}", host.function(name))
            compiled.register("__full", host.full)
            compiled.register("__no_width", host.no_width)
            compiled.register("__writes_number", host.writes_number)
        programs = _compiled.programs
        if len(programs) >= _PROGRAMS_MAX:
            programs.clear()
        programs[source] = compiled, host
        return compiled, host


#: Programs that a thread keeps compiled.
_PROGRAMS_MAX = 10_000


class _Compiled(threading.local):
    """Each thread's own compiled programs, by their source."""

    def __init__(self) -> None:
        self.programs: dict[str, tuple[Any, _Host | None]] = {}


_compiled = _Compiled()


def _of_a_part(text: str, *, document: Document, limits: Limits) -> Outcome | None:
    """What comes out of a part of an expression; None for one that draws, or comes to the service's own limits."""
    tree = parse(text)
    program = Program(text, tree, references(tree))
    if program.draws:
        return None
    outcome = program.run(document, None, limits, final=True)
    at_limit = outcome.type == "error" and outcome.value.code is None
    return None if at_limit and limits.size is None else outcome


def evaluate(text: str, document: JSON, variables: Mapping[str, JSON], limits: Limits) -> Outcome:
    """The language itself over a document, without anything the service adds or refuses.

    Raises EvaluationError for a document that holds a text that is no Unicode.
    """
    try:
        found = references(parse(text))
    except JSONataSyntaxError as error:
        return Outcome("error", EvaluationError(error.reason, error.message))
    problem = check(text)
    if problem is not None:
        return Outcome("error", problem)
    compiled = _library().compile(_WRAPPING.format(f"$__result := ({text}\n)"))
    return _told(_answer(compiled, _converted(document), dict(variables), limits, found))


def _answer(
    compiled: Any,
    converted: Any,
    variables: dict[str, JSON] | None,
    limits: Limits,
    found: References,
    own_depth: int = _TELLING_DEPTH,
) -> Any:
    """What the engine answers, or an Outcome: the error that it ended with."""
    milliseconds, depth, items, _ = limits
    try:
        return compiled.evaluate_with_data(converted, variables, milliseconds, depth + own_depth, items)
    except ValueError as error:
        return Outcome("error", engine_error(str(error), found.calls, found.operators))
    except MemoryError:
        return Outcome("error", EvaluationError(None, MEMORY))
    except BaseException as error:
        # A defect of the engine arrives as an exception that is no Exception.
        if type(error).__name__ != "PanicException":
            raise
        if _NO_MEMORY in str(error):
            return Outcome("error", EvaluationError(None, MEMORY))
        return Outcome("error", EvaluationError(None, f"The expression cannot be evaluated: {error}"))


def _told(answer: Any) -> Outcome:
    """What a program answers that tells the type along with the value."""
    if answer.__class__ is Outcome:
        error: Outcome = answer
        return error
    return Outcome(answer["t"], answer["v"]) if "t" in answer else Outcome("undefined")


def _converted(value: JSON) -> Any:
    convert = _library().JsonataData
    try:
        return convert(value)
    except OverflowError:
        return convert(_as_doubles(value))
    except UnicodeEncodeError:
        raise EvaluationError("D3001", "A text holds half of a surrogate pair") from None


class _Host:
    """What a program calls back: functions of ours, with the chance of the evaluation that is running.

    What one of them raises the engine would wrap into a message of its own: ``error`` keeps code and text.
    """

    __slots__ = ("_chance", "_items_max", "error")

    def __init__(self) -> None:
        self._chance = Random(0)
        self._items_max: int | None = None
        self.error: tuple[str | None, str] | None = None

    def begin(self, chance: Random | None, size: int | None) -> None:
        if chance is not None:
            self._chance = chance
        self._items_max = None if size is None else size // _HOST_SHARE
        self.error = None

    def function(self, name: str) -> Callable[[dict[str, JSON]], JSON]:
        call = FUNCTIONS[name]

        def called(named: dict[str, JSON]) -> JSON:
            arguments = [named.get(letter, UNDEFINED) for letter in _LETTERS]
            while arguments and arguments[-1] is UNDEFINED:
                arguments.pop()
            if self._items_max is not None and items_of(name, arguments) > self._items_max:
                self.full()
            try:
                value = call(arguments, self._chance)
            except EvaluationError as error:
                self.error = error.code, error.message
                raise ValueError(error.message) from None
            return {} if value is UNDEFINED else {"v": value}

        return called

    def writes_number(self, value: JSON) -> bool:
        """Raises for a text that the language does not take for a number."""
        if isinstance(value, str) and not _WRITTEN_NUMBER.fullmatch(value):
            self.error = "D3030", f"Unable to cast value to a number: {encode(value).decode()}"
            raise ValueError(self.error[1])
        return True

    def no_width(self) -> JSON:
        self.error = None, "Invalid array length"
        raise ValueError(self.error[1])

    def full(self) -> JSON:
        self.error = None, MEMORY
        raise ValueError(MEMORY)


#: Tells undefined, null and functions apart.
_WRAPPING = "({};{{'t': $type($__result), 'v': $__result}})"
#: Counts the values inside the result, level by level, and gives up where there are too many. In the
#: language itself, because there the limits hold while it counts.
_MEASURE = """
$__inside := function($value){$type($value) = "array" ? $value : $each($value, function($x){[$x]})};
$__width := function($value){$type($value) = "array" ? $count($value) : $count($keys($value))};
$__size := function($level, $counted){(
    $open := $filter($level, function($value){$type($value) in ["array", "object"]});
    $more := $sum($map($open, $__width));
    $exists($open) and $more > 0
        ? ($counted + $more > %d ? $__full() : $__size($open.$__inside($), $counted + $more))
        : $counted
)};
$__size([[$__result]], 0)"""
_LETTERS = ("a", "b", "c", "d")
_ARITY = {
    "hash": 2,
    "parse": 1,
    "partition": 2,
    "random": 1,
    "range": 3,
    "shuffle": 1,
    "uuid": 0,
}


def _added(name: str, called_with: int) -> str:
    """An added function as the engine sees it. Functions of the language that call it look at its arity."""
    if name in OF_TEXT:
        return f"${name} := function($a)<s-:s>{{$__{name}({{'a': $a}}).v}}"
    letters = _LETTERS[: min(max(_ARITY[name], called_with), len(_LETTERS))]
    parameters = ",".join(f"${letter}" for letter in letters)
    members = ",".join(f"'{letter}': ${letter}" for letter in letters)
    return f"${name} := function({parameters}){{$__{name}({{{members}}}).v}}"


#: Functions of the language that must behave otherwise here.
_REPLACED: Mapping[str, str] = {
    "clone": "$clone := function($value)<(oa)-:o>{$value}",
    "eval": "$eval := null",
    "formatBase": (
        "$__formatBase := $formatBase; $formatBase := function($number, $radix)<n-n?:s>"
        "{$__formatBase($round($number), $round($radix))}"
    ),
    "fromMillis": (
        "$__fromMillis := $fromMillis; $fromMillis := function($at, $picture, $zone)<n-s?s?:s>"
        "{$__fromMillis($at < 0 ? $ceil($at) : $floor($at), $picture, $zone)}"
    ),
    "reduce": (
        "$__reduce := $reduce; $reduce := function($items, $function, $first)<afj?:j>{"
        "$exists($first) ? $__reduce($items, $function, $first)"
        " : $count($items) = 0 ? $__none : $__reduce($items, $function)}"
    ),
    "now": "$now := function($picture, $zone){$fromMillis($$.`$now`, $picture, $zone)}",
    "millis": "$millis := function(){$$.`$now`}",
}

#: ``$pad``, which makes so many characters at most.
_PAD = (
    "$__pad := $pad; $pad := function($text, $width, $char)<s-ns?:s>"
    "{$abs($width) > %d ? $__full()"
    " : $floor($width) != $width and $abs($width) > $length($text) ? $__no_width()"
    " : $__pad($text, $width, $char)}"
)

#: ``$number`` as the reference has it: the engine trims a text, and takes a sign or a point at its ends. What a number
#: writes like itself needs no closer look. Without a signature, which would cost more than all the rest.
_NUMBER = (
    "$__number := $number; $number := function($value){("
    "$__read := $__number($value); "
    "$__read = $value ? $__read : $__read & '' = $value ? $__read : $__writes_number($value) ? $__read)}"
)
#: A text that is a number to the language.
_WRITTEN_NUMBER = re.compile(
    r"-?[0-9]+(?:\.[0-9]+)?(?:[Ee][-+]?[0-9]+)?|0[xX][0-9A-Fa-f]+|0[oO][0-7]+|0[bB][01]+", re.ASCII
)

#: Functions that take long, or much, before they look at a limit: what is more than a little for them.
_GUARDED: Mapping[str, str] = {
    "distinct": (
        "$__distinct := $distinct; $distinct := function($items)<x:x>"
        "{$count($items) > 2000 ? $__full() : $__distinct($items)}"
    ),
    "join": (
        "$__join := $join; $join := function($texts, $between)<a<s>s?:s>"
        f"{{$count($texts) * $length($between) > {PAD_MAX} ? $__full() : $__join($texts, $between)}}"
    ),
    "match": (
        "$__match := $match; $match := function($text, $pattern, $most)<s-f<s:o>n?:a<o>>"
        "{$length($text) > 20000 ? $__full() : $__match($text, $pattern, $most)}"
    ),
    "replace": (
        "$__replace := $replace; $replace := function($text, $pattern, $by, $most)<s-(sf)(sf)n?:s>"
        "{$length($text) > 100000 "
        f"or ($type($by) = 'string' and $length($text) * $length($by) > {PAD_MAX}) "
        "? $__full() : $__replace($text, $pattern, $by, $most)}"
    ),
    "split": (
        "$__split := $split; $split := function($text, $between, $most)<s-(sf)n?:a<s>>"
        "{$length($text) > 100000 ? $__full() : $__split($text, $between, $most)}"
    ),
}

#: What programs call to refuse a value, beside our functions.
_REFUSING = ("full", "no_width", "writes_number")

#: Functions that tell the time.
CLOCK = frozenset({"now", "millis"})
#: Functions that draw.
CHANCE = frozenset({"random", "shuffle", "uuid"})

#: What the engine says when it has asked Python for an object and there was no memory for it.
_NO_MEMORY = "PyObject pointer is null"

_NOTHING: frozenset[str] = frozenset()
#: The language's names for the types of what the engine answers.
_TYPES: Mapping[type, Literal["number", "string", "boolean", "array", "object"]] = {
    bool: "boolean",
    int: "number",
    float: "number",
    str: "string",
    list: "array",
    dict: "object",
}
#: Types of values that are JSON as they are.
_PLAIN = frozenset({int, str, bool, type(None)})
#: Parts that are a number, or undefined; and functions that answer one.
_NUMERIC = frozenset({"number", "negate", "+", "-", "*", "/", "%"})
_COUNTING = frozenset({"ceil", "count", "floor", "length", "round"})
#: What may leave the finite numbers.
_COMPUTING = frozenset({"+", "-", "*", "/", "%", "negate", "~>"})
_OVERFLOWING = frozenset({"average", "number", "parseInteger", "power", "reduce", "sum"})


def _edited(text: str, tree: Node, references: References) -> str:
    """An expression as the engine gets it.

    The engine has a root document that the service has not: what would show it becomes an unbound name. And it takes
    null for no bound at all of a range, where the reference wants a number: null becomes what is none.
    """
    edits = [(start, start + len(root), "$__none") for start, root in references.roots]
    for opening, goes_on in references.contextual:
        edits.append((opening + 1, opening + 1, "$__none," if goes_on else "$__none"))
    for bound in _open_bounds(tree) if "range" in references.operators else ():
        edits.append((bound.begin, bound.begin, "($__bound := ("))
        edits.append((bound.end, bound.end, "\n); $__bound = null ? '' : $__bound)"))
    for start, end, put in sorted(edits, reverse=True):
        text = f"{text[:start]}{put}{text[end:]}"
    return text


def _is_call(node: Node, function: str) -> bool:
    return node.kind == "call" and node.parts[0].kind == "variable" and node.parts[0].value == function


def _open_bounds(tree: Node) -> Iterator[Node]:
    """The bounds of ranges that might be null."""
    for node in tree.walk():
        for bound in node.parts if node.kind == "range" else ():
            called = bound.kind == "call" and bound.parts[0].value in _COUNTING
            if not (called or bound.kind in _NUMERIC):
                yield bound


def _as_doubles(value: JSON) -> JSON:
    """A copy in which integers beyond 64 bits are doubles; too large ones are the infinities."""
    if isinstance(value, dict):
        return {key: _as_doubles(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_as_doubles(item) for item in value]
    if isinstance(value, int) and not -(1 << 63) <= value < 1 << 63:
        try:
            return float(value)
        except OverflowError:
            return math.inf if value > 0 else -math.inf
    return value


def _as_json(value: JSON) -> JSON:
    """A value as the service writes it: what is no finite number becomes a text. What needs no change is not copied."""
    kind = value.__class__
    if kind is list:
        return value if _PLAIN.issuperset(map(type, value)) else [_as_json(item) for item in value]
    if kind is dict:
        if _PLAIN.issuperset(map(type, value.values())):
            return value
        return {key: _as_json(item) for key, item in value.items()}
    if kind is float:
        if math.isfinite(value):
            return _whole(value) if value.is_integer() and abs(value) < 1e21 else value
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value


def _whole(value: float) -> int:
    """A whole number as the language writes it: its shortest digits, and noughts behind them."""
    return int(value) if abs(value) < 2**53 else int(Decimal(repr(value)))
