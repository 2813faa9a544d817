"""The one place that touches the JSONata engine, a compiled extension, and keeps its traps away.

- The engine holds the interpreter lock while it evaluates, so every evaluation has limits.
- A compiled expression belongs to the thread that compiled it: each thread compiles its own.
- The extension must evaluate something in the thread that imports it, or the process may crash later.
- It cannot tell undefined from null, and drops functions: the expression runs inside another one that
  answers the type along with the value.
- Integers beyond 64 bits do not fit: in a computation they become doubles, as all numbers of the language.
- It has ``$eval``, which the service has not, a clock, and a ``$pad`` without bounds: these are replaced.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Mapping
from functools import cache
from random import Random
from typing import Any, Literal, NamedTuple

from ...core.values import JSON
from .functions import FUNCTIONS, UNDEFINED
from .messages import MEMORY, EvaluationError, engine_error
from .references import References

#: Levels that the wrapping adds to the depth of an expression.
_OWN_DEPTH = 3
#: Characters that ``$pad`` makes at most: the service's longest text.
PAD_MAX = 2**22


class Limits(NamedTuple):
    """What one evaluation may use. ``items`` bounds every list that comes up in it."""

    milliseconds: int
    depth: int
    items: int


#: The service's limits (jsonata, "Limits").
SERVICE = Limits(milliseconds=1000, depth=100, items=873_782)
#: What an evaluation may use where others wait for it. Little: memory grows as fast as time passes.
QUICK = Limits(milliseconds=20, depth=100, items=100_000)


class Outcome(NamedTuple):
    """What came out. ``type`` is the language's name for the type of ``value``."""

    type: Literal["null", "number", "string", "boolean", "array", "object", "function", "undefined"]
    value: JSON = None


@cache
def _library() -> Any:
    """The extension, imported when the first expression needs it."""
    import jsonatapy._jsonatapy as library

    library.compile("1").evaluate_with_data(library.JsonataData(None))
    return library


def check(text: str) -> None:
    """Raises EvaluationError with a code if the engine cannot parse an expression."""
    try:
        _library().compile(text)
    except ValueError as error:
        raise engine_error(str(error)) from None


class Document:
    """The values that the expressions of one state see, converted once.

    ``states`` are the members of ``$states``. Raises EvaluationError for a text that is no Unicode.
    """

    __slots__ = ("converted", "variables")

    def __init__(self, states: Mapping[str, JSON], variables: Mapping[str, JSON], now: int) -> None:
        self.variables = frozenset(variables)
        value = {"states": states, "variables": variables, "now": now}
        convert = _library().JsonataData
        try:
            self.converted = convert(value)
        except OverflowError:
            self.converted = convert(_as_doubles(value))
        except UnicodeEncodeError:
            raise EvaluationError("D3001", "A text holds half of a surrogate pair") from None


class Program:
    """An expression, ready to run in any thread."""

    __slots__ = ("_finite", "_local", "_references", "_text")

    def __init__(self, text: str, references: References) -> None:
        self._references = references
        self._text = _without_roots(text, references)
        self._local = threading.local()
        self._finite = not (_COMPUTING & references.operators or _OVERFLOWING & references.calls.keys())

    def run(self, document: Document, chance: Random | None, limits: Limits) -> Outcome:
        """Evaluate; ``chance`` is for the functions of CHANCE. Raises EvaluationError."""
        compiled, host = self._compiled(document)
        host.begin(chance)
        try:
            found = compiled.evaluate_with_data(
                document.converted, None, limits.milliseconds, limits.depth + _OWN_DEPTH, limits.items
            )
        except ValueError as error:
            raise host.error or engine_error(str(error)) from None
        except MemoryError:
            raise EvaluationError(None, MEMORY) from None
        except BaseException as error:
            if type(error).__name__ == "PanicException":
                raise EvaluationError(None, f"The expression cannot be evaluated: {error}") from None
            raise
        if "t" not in found:
            return Outcome("undefined")
        value = found["v"]
        return Outcome(found["t"], value if self._finite else _as_json(value))

    def _compiled(self, document: Document) -> tuple[Any, _Host]:
        # A workflow variable may have the name of a function of the language and then hides it.
        hidden = document.variables & self._references.variables & _BUILT_IN
        try:
            programs = self._local.programs
        except AttributeError:
            programs = self._local.programs = {}
        found: tuple[Any, _Host] | None = programs.get(hidden)
        if found is None:
            found = programs[hidden] = self._compile(hidden)
        return found

    def _compile(self, hidden: frozenset[str]) -> tuple[Any, _Host]:
        used = self._references.variables
        host = _Host()
        parts = ["$states := $$.states"]
        for name in sorted(used):
            if name in hidden or name not in _BUILT_IN:
                parts.append(f"${name} := $$.variables.`{name}`")
            elif name in FUNCTIONS:
                parts.append(_added(name, self._references.calls.get(name, 0)))
            elif name in _REPLACED:
                parts.append(_REPLACED[name])
        parts.append(f"$__result := ({self._text}\n)")
        source = "({};{{'t': $type($__result), 'v': $__result}})".format("; ".join(parts))
        compiled = _library().compile(source)
        for name in FUNCTIONS:
            if name in used:
                compiled.register(f"__{name}", host.function(name))
        if "pad" in used:
            compiled.register("__full", host.full)
        return compiled, host


class _Host:
    """What a program calls back: functions of ours, with the chance of the evaluation that is running."""

    __slots__ = ("_chance", "error")

    def __init__(self) -> None:
        self._chance = Random(0)
        self.error: EvaluationError | None = None

    def begin(self, chance: Random | None) -> None:
        if chance is not None:
            self._chance = chance
        self.error = None

    def function(self, name: str) -> Callable[[dict[str, JSON]], JSON]:
        call = FUNCTIONS[name]

        def called(named: dict[str, JSON]) -> JSON:
            arguments = [named.get(letter, UNDEFINED) for letter in _LETTERS]
            while arguments and arguments[-1] is UNDEFINED:
                arguments.pop()
            try:
                value = call(arguments, self._chance)
            except EvaluationError as error:
                # The engine would wrap it into a message of its own.
                self.error = error
                raise ValueError(error.message) from None
            return {} if value is UNDEFINED else {"v": value}

        return called

    def full(self) -> JSON:
        self.error = EvaluationError(None, MEMORY)
        raise ValueError(MEMORY)


_LETTERS = ("a", "b", "c", "d")
_ARITY = {"hash": 2, "parse": 1, "partition": 2, "random": 1, "range": 3, "shuffle": 1, "uuid": 0}


def _added(name: str, called_with: int) -> str:
    """An added function as the engine sees it. Functions of the language that call it look at its arity."""
    letters = _LETTERS[: min(max(_ARITY[name], called_with), len(_LETTERS))]
    parameters = ",".join(f"${letter}" for letter in letters)
    members = ",".join(f"'{letter}': ${letter}" for letter in letters)
    return f"${name} := function({parameters}){{$__{name}({{{members}}}).v}}"


#: Functions of the language that must behave otherwise here.
_REPLACED: Mapping[str, str] = {
    "eval": "$eval := null",
    "now": "$now := function($picture, $zone){$fromMillis($$.now, $picture, $zone)}",
    "millis": "$millis := function(){$$.now}",
    "pad": (
        "$__pad := $pad; $pad := function($text, $width, $char)<s-ns?:s>"
        f"{{$abs($width) > {PAD_MAX} ? $__full() : $__pad($text, $width, $char)}}"
    ),
}

#: Functions that draw.
CHANCE = frozenset({"random", "shuffle", "uuid"})

_BUILT_IN = frozenset(
    """
    abs append assert average base64decode base64encode boolean ceil clone contains count decodeUrl
    decodeUrlComponent distinct each encodeUrl encodeUrlComponent error eval exists filter floor
    formatBase formatInteger formatNumber fromMillis hash join keys length lookup lowercase map match max
    merge millis min not now number pad parse parseInteger partition power random range reduce replace
    reverse round shuffle sift single sort split spread sqrt string substring substringAfter
    substringBefore sum toMillis trim type uppercase uuid zip
    """.split()
)

#: What may leave the finite numbers.
_COMPUTING = frozenset({"+", "-", "*", "/", "%", "negate", "~>"})
_OVERFLOWING = frozenset({"average", "number", "power", "reduce", "sum"})


def _without_roots(text: str, references: References) -> str:
    """The engine has a root document that the service has not: what would show it becomes an unbound name."""
    for start, root in sorted(references.roots, reverse=True):
        text = f"{text[:start]}$__none{text[start + len(root) :]}"
    return text


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
            return math.copysign(math.inf, value)
    return value


def _as_json(value: JSON) -> JSON:
    """A copy as the service writes it: what is no finite number becomes a text."""
    if isinstance(value, float):
        if math.isfinite(value):
            return int(value) if value.is_integer() and abs(value) < 1e21 else value
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, dict):
        return {key: _as_json(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_as_json(item) for item in value]
    return value
