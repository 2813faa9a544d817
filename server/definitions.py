"""Definitions that come in from outside: read, judged, and kept as the JSON text that clients are given back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from detent.compile import digest_of
from detent.core.values import JSON, encode
from detent.runtime.helpers import Ended
from detent.schema.document import Document

from . import apart
from .desk import Desk
from .refusals import Refused


@dataclass(frozen=True, slots=True)
class Definition:
    """A sound definition: its text and its digest. ``findings`` are warnings, as clients get them."""

    text: str
    digest: str
    findings: Sequence[Mapping[str, JSON]]


async def judged(desk: Desk, given: JSON, type: Literal["STANDARD", "EXPRESS"] = "STANDARD") -> Definition:
    """A definition that was given as an object, or as a text of JSON or YAML.

    Raises Refused with all findings, in reading order, if it cannot be run.
    """
    try:
        told = await desk.apart(apart.judge, {"given": given, "type": type})
    except Ended as ended:
        raise Refused(
            400, "invalid-definition", f"the definition cannot be judged: {ended}", more={"diagnostics": []}
        ) from None
    if "digest" in told:
        return Definition(told["text"], told["digest"], told["findings"])
    errors = sum(finding["severity"] == "error" for finding in told["findings"])
    raise Refused(
        400,
        "invalid-definition",
        f"the definition has {errors} {'error' if errors == 1 else 'errors'}",
        more={"diagnostics": told["findings"]},
    )


def kept(document: Document) -> Definition:
    """A document that is known to be sound, as it is kept."""
    return Definition(encode(document.value).decode(), digest_of(document.value), ())
