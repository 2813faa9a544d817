"""What the REST API's operations have in common: names, instants, pages."""

from __future__ import annotations

import base64
import re
from datetime import UTC, datetime
from typing import Annotated, Any
from urllib.parse import quote

import msgspec
from msgspec import Meta

from detent.runtime.catalogue_entries import MachineEntry, Revision
from detent.runtime.names import NAME_MAX, Names, is_name
from detent.search import ATTRIBUTES_MAX, NAME_PATTERN

from ..refusals import Refused
from . import words
from .operation import Call, Shape

Name = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=NAME_MAX,
        pattern=words.NAME,
        description="1 to 80 characters, without blanks and the characters that ARNs and URLs give a meaning.",
    ),
]
Instant = Annotated[
    str, Meta(description="An instant in UTC, to the millisecond.", extra_json_schema={"format": "date-time"})
]
Json = Annotated[Any, Meta(description="Any JSON value.")]
Limit = Annotated[int, Meta(ge=1, le=1000, description="How many at most.")]
Cursor = Annotated[
    str,
    Meta(
        max_length=3000,
        description="Where another page has ended: its `next`.",
        extra_json_schema={"pattern": "^[A-Za-z0-9_-]+$"},
    ),
]
Wait = Annotated[
    str,
    Meta(
        pattern=words.DURATION,
        description="How long to wait at most, such as `30s`; five minutes are the most.",
        examples=["30s"],
    ),
]
SearchAttributes = Annotated[
    dict[str, str],
    Meta(
        description="Up to ten search attributes, by which the executions that begin from now on are found: names "
        "and their paths, into the input (`$.input.customer.id`) or into the output (`$.output.total`).",
        extra_json_schema={
            "maxProperties": ATTRIBUTES_MAX,
            "propertyNames": {"pattern": f"^{NAME_PATTERN}$"},
        },
    ),
]
Token = Annotated[str, Meta(min_length=1, max_length=2048, description="The token that the task was given.")]

#: The tag of what is about state machines.
MACHINES = "machines"

WAIT_SECONDS_MAX = 300.0
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0}
_WAIT = re.compile(r"([0-9]{1,6})(ms|s|m)")


class Page(Shape):
    """Which part of a list."""

    limit: Limit = 100
    cursor: Cursor | None = None


def instant(milliseconds: int) -> str:
    """An instant as it is answered."""
    at = datetime.fromtimestamp(milliseconds // 1000, UTC)
    return f"{at.isoformat()[:19]}.{milliseconds % 1000:03d}Z"


def milliseconds(text: str, name: str) -> int:
    """An instant of a request. Raises Refused."""
    try:
        at = datetime.fromisoformat(text)
        return round((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)
    except (ValueError, OverflowError):
        raise Refused(400, "invalid-query", f"{name} is no instant: write 2026-11-21T10:15:00Z") from None


def wait_seconds(text: str | None) -> float:
    """How long is to be waited; 0 for not at all."""
    found = _WAIT.fullmatch(text or "")
    return min(WAIT_SECONDS_MAX, int(found[1]) * _UNITS[found[2]]) if found else 0.0


def cursor_of(number: int | str | None) -> str | None:
    """The cursor of a place in a list."""
    return None if number is None else base64.urlsafe_b64encode(str(number).encode()).decode().rstrip("=")


def place_of(cursor: str | None) -> str | None:
    """The place that a cursor stands for. Raises Refused."""
    if cursor is None:
        return None
    try:
        place = base64.urlsafe_b64decode(cursor.encode() + b"=" * (-len(cursor) % 4)).decode("ascii")
    except (ValueError, UnicodeError):
        place = ""
    if not (place.isdigit() and len(place) < 19):
        raise Refused(400, "invalid-cursor", "this is no cursor that was given out; begin without one")
    return place


def names_of(call: Call, machine: str) -> Names:
    """A machine by its name or its ARN. Raises Refused."""
    names = Names.of(machine) if machine.startswith("arn:") else None
    if names is None:
        if not is_name(machine):
            raise Refused(404, "not-found", f"{machine[:100]!r} is no name of a machine")
        names = call.service.names(machine)
    return names


async def machine_of(call: Call) -> MachineEntry:
    """The machine that the path names. Raises Refused, NotFound."""
    return await call.engine.catalogue.machine(names_of(call, call.params["machine"]).machine_arn)


async def revision_of(call: Call, entry: MachineEntry) -> Revision:
    """What a machine is now."""
    return await call.engine.catalogue.revision(entry, entry.revision)


def machines_of(call: Call) -> str:
    """What the ARNs of this server's machines begin with, without the last colon."""
    return call.service.names("x").machine_arn.rpartition(":")[0]


def execution_id(call: Call, text: str | None = None) -> str:
    """The id of an execution that a path names: its ARN, or MACHINE:NAME. Raises Refused."""
    text = call.params["execution"] if text is None else text
    if text.startswith("arn:"):
        return text
    machine, colon, name = text.rpartition(":")
    if not colon or not machine or not name or not name.isprintable():
        raise Refused(404, "not-found", f"{text[:100]!r} names no execution: write MACHINE:NAME, or its ARN")
    return call.service.names(machine).execution_arn(name)


def path_of(id: str) -> str:
    """Where an execution is found."""
    return f"/v1/executions/{quote(id, safe=':')}"


def encoded(value: Any) -> Any:
    """A shape as plain values."""
    return msgspec.to_builtins(value)
