"""Texts as Postgres can hold them: it has no room for the character U+0000."""

from __future__ import annotations

import re


def text(value: str) -> str:
    """A text as the database can hold it."""
    if "\\" in value or "\0" in value:
        return value.replace("\\", "\\\\").replace("\0", "\\0")
    return value


def optional(value: str | None) -> str | None:
    """As :func:`text`, for what may be missing."""
    return None if value is None else text(value)


def plain(value: str) -> str:
    """The text that :func:`text` was given."""
    return (
        re.sub(r"\\(.)", lambda found: "\0" if found[1] == "0" else "\\", value) if "\\" in value else value
    )


def optional_plain(value: str | None) -> str | None:
    """As :func:`plain`, for what may be missing."""
    return None if value is None else plain(value)
