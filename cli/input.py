"""The input of an execution: JSON on the command line, in a file, or on stdin."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from .exits import Refusal

if TYPE_CHECKING:
    from detent.core.values import JSON


def read_input(argument: str | None) -> JSON:
    """What ``--input`` says: JSON, ``@file``, or ``-`` for stdin; an empty object without it.

    stdin is read for ``-`` and never otherwise. Raises Refusal with the place of what is wrong, and for an input
    larger than what may pass from state to state.
    """
    from detent.core.limits import DETENT
    from detent.core.values import encode

    if argument is None:
        return {}
    value, text = _read(argument, "input")
    if len(text) > DETENT.payload_bytes and (size := len(encode(value))) > DETENT.payload_bytes:
        raise Refusal(
            f"the input has {size:,} bytes, and at most {DETENT.payload_bytes:,} may pass from state to state",
            "put the data into a file, and its name into the input",
        )
    return value


def read_value(argument: str | None) -> JSON:
    """What ``--value`` says: as :func:`read_input`, null without it. Raises Refusal."""
    return None if argument is None else _read(argument, "value")[0]


def _read(argument: str, option: str) -> tuple[JSON, bytes]:
    """The value that an option gives, and its text."""
    from detent.schema.document import INPUT_LIMITS, DocumentError, read_json

    source, text = _text(argument, option, INPUT_LIMITS.max_bytes + 1)
    try:
        return read_json(text, source=source), text
    except DocumentError as error:
        raise Refusal(f"the {option} is not JSON: {error}", _hint(argument, option)) from None


def _text(argument: str, option: str, bytes_max: int) -> tuple[str, bytes]:
    """Where the input comes from, and its text: not more of it than is needed to see that it is too long."""
    if argument == "-":
        return "<stdin>", sys.stdin.buffer.read(bytes_max)
    if not argument.startswith("@"):
        # The bytes that were typed: the locale may not know what they mean, but JSON is UTF-8.
        return f"--{option}", os.fsencode(argument)
    path = Path(argument[1:])
    try:
        with path.open("rb") as file:
            return str(path), file.read(bytes_max)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise Refusal(f"the {option} file {path} cannot be read: {reason}") from None


def _hint(argument: str, option: str) -> str | None:
    try:
        if argument not in ("", "-") and Path(argument).is_file():
            return f"for the content of the file, write --{option} @{argument}"
    except (OSError, ValueError):
        pass
    if argument[:1] not in ("@", "-"):
        return f"a text needs its own quotes: --{option} '\"text\"'"
    return None
