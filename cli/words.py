"""How values, instants, durations and texts of others are spelled for people, on one line and in little room."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from detent.core.values import JSON

#: What would move the cursor of a terminal, or turn the direction of a line.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
#: Texts inside a value are cut to this before the value is, so that its shape stays in sight.
TEXT_MAX = 40


def printable(text: str) -> str:
    """A text of others on one line: blanks where it breaks lines, escapes where it would steer the terminal."""
    return _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", " ".join(text.split()))


def why(error: str | None, cause: str | None) -> str:
    """``Error: cause``, or what there is of it."""
    return printable(": ".join(filter(None, (error, cause)))) or "no error was named"


def one_line(value: JSON) -> str:
    """A value as JSON on one line."""
    text = json.dumps(value, ensure_ascii=False)
    return _CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", _without_surrogates(text))


def short(value: JSON, width: int) -> str:
    """A value as JSON in at most ``width`` columns: long texts are cut first, then the end; then its size follows."""
    text = one_line(value)
    if len(text) <= width:
        return text
    tail = f" ({size(len(text.encode()))})"
    room = max(8, width - len(tail))
    cut = one_line(_trimmed(value))
    return (cut if len(cut) <= room else cut[: room - 1] + "…") + tail


def _trimmed(value: JSON) -> JSON:
    if isinstance(value, str):
        return value if len(value) <= TEXT_MAX else value[: TEXT_MAX - 1] + "…"
    if isinstance(value, dict):
        return {key: _trimmed(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_trimmed(part) for part in value[:100]]
    return value


def broken(value: JSON) -> list[str]:
    """A value as indented JSON, line by line."""
    text = _without_surrogates(json.dumps(value, indent=2, ensure_ascii=False))
    return [_CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", line) for line in text.split("\n")]


def _without_surrogates(text: str) -> str:
    """Lone surrogates as escapes: no terminal can show them."""
    return re.sub(r"[\ud800-\udfff]", lambda found: f"\\u{ord(found[0]):04x}", text)


def size(bytes: int) -> str:
    """``320 B``, ``1.7 kB``, ``4.2 MB``."""
    if bytes < 1_000:
        return f"{bytes} B"
    return f"{bytes / 1_000:.1f} kB" if bytes < 1_000_000 else f"{bytes / 1_000_000:.1f} MB"


def age(milliseconds: int) -> str:
    """How long ago, roughly: ``40 s``, ``3 min``, ``5 h``, ``2 d``."""
    seconds = max(0, milliseconds) // 1000
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"


def day_and_time(instant: int) -> str:
    """``2026-11-21 10:15:00``, in local time."""
    return f"{datetime.fromtimestamp(instant / 1000).astimezone():%Y-%m-%d %H:%M:%S}"


def clock(instant: int, beside: int) -> str:
    """A time of day, with its date if that is another one than that of ``beside``."""
    moment, other = (datetime.fromtimestamp(at / 1000).astimezone() for at in (instant, beside))
    return f"{moment:%H:%M:%S}" if moment.date() == other.date() else f"{moment:%Y-%m-%d %H:%M:%S}"


def seconds(milliseconds: int) -> str:
    """A duration for people: ``25 ms``, ``12.5 s``, ``4 min 05 s``, ``3 h 20 min``, ``2 d 04 h``."""
    if milliseconds < 100:
        return f"{max(0, milliseconds)} ms"
    if milliseconds < 60_000:
        return f"{milliseconds / 1000:.1f} s"
    minutes, rest = divmod(milliseconds // 1000, 60)
    if minutes < 60:
        return f"{minutes} min {rest:02} s"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes:02} min"
    return f"{hours // 24} d {hours % 24:02} h"
