"""How an execution ended, for people, programs and the shell."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

import click

from .exits import Exit

if TYPE_CHECKING:
    from detent.core.execution import Execution
    from detent.core.values import JSON

OutputFormat = Literal["text", "json"]

EXIT_OF_STATUS = {
    "SUCCEEDED": Exit.SUCCEEDED,
    "FAILED": Exit.FAILED,
    "TIMED_OUT": Exit.TIMED_OUT,
    "ABORTED": Exit.ABORTED,
}


def exit_of(execution: Execution) -> Exit:
    return EXIT_OF_STATUS[execution.status]


def show(execution: Execution, format: OutputFormat, *, one_of_many: bool = False) -> None:
    """Print the outcome: to stdout what a program wants, to stderr what a person must know."""
    from detent.core.values import encode

    if format == "json":
        click.echo(encode(as_json(execution)))
        return
    if one_of_many or execution.output is None:
        click.echo(f"detent: {execution.name} {sentence(execution)}", err=True)
    if execution.output is not None:
        click.echo(pretty(execution.output.value))


def sentence(execution: Execution) -> str:
    """The status, and why if it is not good."""
    why = ": ".join(filter(None, (execution.error, execution.cause)))
    return f"{execution.status}: {why}" if why else execution.status


def as_json(execution: Execution) -> dict[str, JSON]:
    """One object that says it all; ``output`` only of a success, ``error`` and ``cause`` only otherwise."""
    result: dict[str, JSON] = {
        "execution": execution.id,
        "name": execution.name,
        "status": execution.status,
    }
    if execution.output is not None:
        result["output"] = execution.output.value
    else:
        result |= {"error": execution.error, "cause": execution.cause}
    ended = execution.ended_at
    return result | {
        "started": instant(execution.started_at),
        "ended": None if ended is None else instant(ended),
    }


def pretty(value: JSON) -> bytes:
    """Indented JSON in UTF-8."""
    try:
        return json.dumps(value, indent=2, ensure_ascii=False).encode()
    except UnicodeEncodeError:  # a lone surrogate: only an escape can carry it
        return json.dumps(value, indent=2).encode()


def instant(milliseconds: int) -> str:
    """RFC 3339 with milliseconds, in UTC."""
    return (
        datetime.fromtimestamp(milliseconds / 1000, UTC)
        .isoformat(timespec="milliseconds")
        .replace("+00:00", "Z")
    )
