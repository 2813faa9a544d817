"""What an expression at a place can read: the payload, the variables, and what stands under the cursor of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from detent.query.cursor import ExpressionSyntaxError
from detent.query.jsonpath import parse_path

from ..inference.notes import Env, Variable
from ..inference.reading import read
from ..inference.shapes import NUMBER, OBJECT, STRING, UNKNOWN, Kind, Member, Shape, having
from ..outline import JSONATA
from .place import Place
from .source import Written

#: Fields of JSONPath states that are read when the result is there: the input is not at hand any more.
_OF_RESULT = ("ResultSelector", "OutputPath", "Assign")
#: Fields that say which part of the input the others start from, and so start from all of it.
_OF_INPUT = ("InputPath",)

#: The context object (language, section 9).
CONTEXT = having(
    Execution=having(
        Id=STRING, Input=UNKNOWN, Name=STRING, RoleArn=STRING, StartTime=STRING, RedriveCount=NUMBER
    ),
    State=having(EnteredTime=STRING, Name=STRING, RetryCount=NUMBER),
    StateMachine=having(Id=STRING, Name=STRING),
    Task=having(Token=STRING),
    Map=having(Item=having(Index=NUMBER, Value=UNKNOWN, Key=STRING)),
)
ERROR_OUTPUT = having(Error=STRING, Cause=STRING)

#: A path as it is typed, and its last, unfinished step.
TYPED_PATH = re.compile(r"(?P<base>\$\$?\w*(?:\.\w+|\[\d+\])*)\.(?P<last>\w*)\Z")
_PATH = re.compile(r"\$\$?\w*(?:\.\w+|\[\d+\])*")


def entered(machine: Written, place: Place) -> Env:
    """What is known of the payload and the variables where the state around a place is entered."""
    if place.state is None:
        return Env()
    return machine.inference.entered.get(place.state, Env())


def variables(machine: Written, place: Place) -> Mapping[str, Variable]:
    """The variables that are assigned on some way to the place."""
    return entered(machine, place).variables


def roots(machine: Written, place: Place) -> dict[str, Shape]:
    """What a path at a place may start from, by how it is written: ``$``, ``$$`` and ``$name``."""
    known = {f"${name}": variable.shape for name, variable in variables(machine, place).items()}
    if place.language == JSONATA:
        return {"$states": _states_of(machine, place), **known}
    return {"$": _input(machine, place), "$$": CONTEXT, **known}


def _input(machine: Written, place: Place) -> Shape:
    payload = entered(machine, place).payload
    state = machine.states.get(place.state or ())
    if place.kind == "catcher":
        return payload
    if state is None or place.field in _OF_INPUT:
        return payload
    if place.field in _OF_RESULT and state.type in ("Task", "Parallel", "Map", "Pass"):
        return UNKNOWN
    selected = state.value.get("InputPath", "$")
    if not isinstance(selected, str):
        return OBJECT if selected is None else UNKNOWN
    return shape_of(selected, {"$": payload, "$$": CONTEXT}) or UNKNOWN


def _states_of(machine: Written, place: Place) -> Shape:
    members = {"input": entered(machine, place).payload, "context": CONTEXT}
    if place.kind == "catcher":
        members["errorOutput"] = ERROR_OUTPUT
    elif place.field in ("Output", "Assign"):
        members["result"] = UNKNOWN
    return having(**members)


def shape_of(path: str, known: Mapping[str, Shape]) -> Shape | None:
    """What a path leads to; None if it is none, or starts nowhere that is known."""
    found = re.match(r"\$\$?\w*", path)
    if found is None or found.group() not in known:
        return None
    try:
        return read(parse_path("$" + path[found.end() :]), known[found.group()]).shape
    except ExpressionSyntaxError:
        return None


def members(shape: Shape) -> Iterator[tuple[str, Member]]:
    """The members an object is known to have."""
    if Kind.OBJECT in shape.kinds:
        yield from ((name, member) for name, member in shape.members.items() if not member.is_absent)


def path_under(text: str, column: int) -> tuple[str, int, int] | None:
    """The path under a cursor in an expression, up to the step the cursor is in, with where that begins and ends."""
    for found in _PATH.finditer(text):
        if found.start() <= column <= found.end():
            end = re.compile(r"[\w$]*\]?").match(text, min(column, found.end()))
            stop = found.end() if end is None else min(end.end(), found.end())
            return text[found.start() : stop], found.start(), stop
    return None
