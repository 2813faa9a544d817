"""Timestamps of the language: RFC 3339 with an upper-case ``T`` and ``Z``, or an offset.

Strict on purpose (choice, "Timestamps"): what the service was seen to refuse is refused, and what nobody
saw it accept (lower case, no seconds, second 60, hour 24) as well.
"""

from __future__ import annotations

import re
from datetime import date

_TIMESTAMP = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,9}))?"
    r"(?:Z|([+-])([0-9]{2}):([0-9]{2}))"
)
_EPOCH = date(1970, 1, 1).toordinal()
_LARGEST_OFFSET = 18 * 60  # minutes; Java's, and nobody lives further from Greenwich


def parse_timestamp(text: str) -> int | None:
    """The instant in nanoseconds since 1970-01-01T00:00:00Z, or None if the text is no timestamp."""
    found = _TIMESTAMP.fullmatch(text)
    if found is None:
        return None
    year, month, day, hour, minute, second = map(int, found.groups()[:6])
    fraction, sign, offset_hours, offset_minutes = found.groups()[6:]
    if hour > 23 or minute > 59 or second > 59:
        return None
    offset = 0
    if sign is not None:
        offset = int(offset_hours) * 60 + int(offset_minutes)
        if int(offset_minutes) > 59 or offset > _LARGEST_OFFSET:
            return None
        offset = -offset if sign == "-" else offset
    try:
        days = date(year, month, day).toordinal() - _EPOCH
    except ValueError:
        return None
    seconds = ((days * 24 + hour) * 60 + minute - offset) * 60 + second
    return seconds * 1_000_000_000 + int((fraction or "").ljust(9, "0"))
