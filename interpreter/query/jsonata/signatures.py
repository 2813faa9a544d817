"""What the functions of the language take, and which argument it is that one does not (jsonata, "Run-time errors").

The engine says that a call did not fit; the reference says which argument of which function. It compares the types of
all arguments with the signature as one regular expression would, and so is it done here. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import NamedTuple

from ...core.values import JSON
from .messages import EvaluationError

_SIGNATURES: Mapping[str, str] = dict(
    pair.split(":")
    for pair in """
    sum:a<n> count:a max:a<n> min:a<n> average:a<n> string:x-b? substring:s-nn? substringBefore:s-s substringAfter:s-s
    lowercase:s- uppercase:s- length:s- trim:s- pad:s-ns? match:s-f<s:o>n? contains:s-(sf) replace:s-(sf)(sf)n?
    split:s-(sf)n? join:a<s>s? formatNumber:n-so? formatBase:n-n? formatInteger:n-s parseInteger:s-s number:(nsb)-
    floor:n- ceil:n- round:n-n? abs:n- sqrt:n- power:n-n boolean:x- not:x- map:af zip:a+ filter:af single:af?
    reduce:afj? sift:o-f? keys:x- lookup:x-s append:xx exists:x spread:x- merge:a<o> reverse:a each:o-f error:s?
    assert:bs? type:x sort:af? distinct:x base64encode:s- base64decode:s- encodeUrlComponent:s- encodeUrl:s-
    decodeUrlComponent:s- decodeUrl:s- toMillis:s-s? fromMillis:n-s?s? clone:(oa)-
    """.replace("f<s:o>", "f").split()
)

_PARAMETER = re.compile(r"(?P<kind>\((?P<choice>\w+)\)|\w)(?:<(?P<inner>\w+)>)?(?P<mark>[-?+]?)")
_SYMBOLS = {
    "string": "s",
    "number": "n",
    "boolean": "b",
    "null": "l",
    "array": "a",
    "object": "o",
    "function": "f",
    "undefined": "m",
}
_TYPES = {symbol: type for type, symbol in _SYMBOLS.items()}
_ANY = {"a": "[asnblfom]", "x": "[asnblfom]", "j": "[asnblom]", "f": "f"}
_PLURALS = {"n": "numbers", "s": "strings", "o": "objects"}


class Parameter(NamedTuple):
    """One parameter: what may stand for it in the types of a call, and what its members are."""

    pattern: str
    is_array: bool
    inner: str | None


class Argument(NamedTuple):
    """An argument as it was given: its type as the language names it, and its value where it has one."""

    type: str
    value: JSON = None


def argument_of(row: Mapping[str, JSON], name: str) -> Argument:
    """A member of an object as an argument; undefined if the object has none of the name."""
    return _argument(row[name]) if name in row else Argument("undefined")


def arguments_of_items(walked: Argument, function: str, *, of_members: bool) -> Iterator[list[Argument]]:
    """What a function gets that is called for each item of an array, or ``of_members`` for each of an object: the
    item, its place, all of them; as many as it takes."""
    if walked.type == "object" and of_members:
        items: Iterable[tuple[JSON, JSON]] = walked.value.items()
    elif walked.type == "array":
        items = enumerate(walked.value)
    else:
        items = [(0, walked.value)] if walked.type not in ("undefined", "function") else []
    # An argument that has a default does not count.
    taken = 1 if function == "string" else len(_parameters(function))
    for place, item in items:
        yield [_argument(item), _argument(place), walked][:taken]


def _argument(value: JSON) -> Argument:
    return Argument(_TYPES[_symbol(value)], value)


def has_signature(function: str) -> bool:
    """Whether it is known what a function takes."""
    return function in _SIGNATURES


@cache
def asking_the_context() -> dict[str, int]:
    """Functions that take a context item as their first argument, by how many they then are given at least."""
    found = {}
    for function, signature in _SIGNATURES.items():
        first, *others = _PARAMETER.finditer(signature)
        if first["mark"] == "-":
            found[function] = sum(other["mark"] != "?" for other in others)
    return found


def misfit(function: str, arguments: Sequence[Argument], name: str) -> EvaluationError | None:
    """What the reference says to a call of a function, which it tells by ``name``; None if it fits."""
    parameters = _parameters(function)
    given = "".join(_SYMBOLS[argument.type] for argument in arguments)
    matched = re.fullmatch("".join(f"({parameter.pattern})" for parameter in parameters), given)
    if matched is None:
        place = _first_misfit(parameters, given)
        message = f'Argument {place + 1} of function "{name}" does not match function signature'
        return EvaluationError("T0410", message)
    place = 0
    for parameter, symbols in zip(parameters, matched.groups(), strict=True):
        for argument in arguments[place : place + len(symbols)]:
            if parameter.is_array and parameter.inner and not _holds(argument, parameter.inner):
                kind = _PLURALS[parameter.inner]
                return EvaluationError(
                    "T0412", f'Argument {place + 1} of function "{name}" must be an array of "{kind}"'
                )
            place += 1
        place += not symbols  # what is left out takes a place, too
    return None


def leaves_out_the_first(function: str, arguments: Sequence[Argument]) -> bool:
    """Whether a call fits only if its first argument is the context item: the types of the others tell."""
    first, *others = _parameters(function)
    given = "".join(_SYMBOLS[argument.type] for argument in arguments)
    without = "".join(parameter.pattern for parameter in others)
    return function in asking_the_context() and not (
        re.fullmatch(first.pattern.removesuffix("?") + without, given) or not re.fullmatch(without, given)
    )


def _first_misfit(parameters: Sequence[Parameter], given: str) -> int:
    """How far the types of a call fit."""
    pattern, fits = "", 0
    for parameter in parameters:
        pattern += parameter.pattern
        matched = re.match(pattern, given)
        if matched is None:
            return fits
        fits = matched.end()
    return fits


def _holds(argument: Argument, inner: str) -> bool:
    if argument.type != "array":
        return argument.type == "undefined" or _SYMBOLS[argument.type] == inner
    symbols = {_symbol(item) for item in argument.value}
    return symbols <= {inner}


def _symbol(value: JSON) -> str:
    if isinstance(value, bool):
        return "b"
    if isinstance(value, (int, float)):
        return "n"
    if isinstance(value, str):
        return "s"
    return "a" if isinstance(value, list) else "o" if isinstance(value, dict) else "l"


@cache
def _parameters(function: str) -> tuple[Parameter, ...]:
    found = []
    for match in _PARAMETER.finditer(_SIGNATURES[function]):
        kind, mark = match["kind"], match["mark"]
        pattern = f"[{match['choice']}m]" if match["choice"] else _ANY.get(kind, f"[{kind}m]")
        found.append(Parameter(pattern + ("?" if mark == "-" else mark), kind == "a", match["inner"]))
    return tuple(found)
