"""The signs of the live view, and what a terminal can show of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from detent.visits import Status


@dataclass(frozen=True, slots=True)
class Marks:
    """One sign per status, each one column wide, and the lines that hold the tree together."""

    status: Mapping[Status, str]
    arrow: str
    bar: str
    rest: str
    wait: str
    more: str
    tee: str
    elbow: str
    pipe: str
    chain: str
    spin: str


UNICODE = Marks(
    status={
        Status.RUNNING: "●",
        Status.WAITING: "○",
        Status.RETRYING: "↻",
        Status.SUCCEEDED: "✓",
        Status.CAUGHT: "↷",
        Status.FAILED: "✗",
        Status.ABORTED: "■",
    },
    arrow="→",
    bar="━",
    rest="─",
    wait="┄",
    more="⋯",
    tee="├",
    elbow="└",
    pipe="│",
    chain="›",
    spin="⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏",
)

ASCII = Marks(
    status={
        Status.RUNNING: "*",
        Status.WAITING: "o",
        Status.RETRYING: "~",
        Status.SUCCEEDED: "+",
        Status.CAUGHT: "!",
        Status.FAILED: "x",
        Status.ABORTED: "-",
    },
    arrow="->",
    bar="#",
    rest=".",
    wait="-",
    more="...",
    tee="|",
    elbow="`",
    pipe="|",
    chain=">",
    spin="|/-\\",
)

#: Colours of rich, by status; the sign alone says enough where there is no colour.
STYLES: Mapping[Status, str] = {
    Status.RUNNING: "cyan",
    Status.WAITING: "yellow",
    Status.RETRYING: "yellow",
    Status.SUCCEEDED: "green",
    Status.CAUGHT: "magenta",
    Status.FAILED: "bold red",
    Status.ABORTED: "dim",
}


def marks_for(encoding: str | None) -> Marks:
    """The signs that text of an encoding can hold."""
    signs = "".join(UNICODE.status.values()) + UNICODE.spin + UNICODE.bar + UNICODE.more
    try:
        signs.encode(encoding or "ascii")
    except (LookupError, UnicodeEncodeError):
        return ASCII
    return UNICODE
