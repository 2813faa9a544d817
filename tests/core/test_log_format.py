"""The log's format is frozen: what docs/log-format.md says is what the code writes."""

from __future__ import annotations

import re
from pathlib import Path

from detent.core import codec
from detent.core.events import EVENTS
from detent.core.rows import code_of, fields_of
from detent.core.signals import SIGNALS
from detent.store import base

DOCUMENT = Path(__file__).parents[2] / "docs" / "log-format.md"
ROW = re.compile(r"^\| `(\w+)` \| (\w+) \| ([\w, ]+) \|$", re.MULTILINE)


def test_every_row_has_the_documented_fields_in_order() -> None:
    documented = {code: (name, row.split(", ")) for code, name, row in ROW.findall(DOCUMENT.read_text())}
    written = {code_of(kind): (kind.__name__, list(fields_of(kind))) for kind in (*SIGNALS, *EVENTS)}
    assert written == documented


def test_codes_are_unique() -> None:
    codes = [code_of(kind) for kind in (*SIGNALS, *EVENTS)]
    assert len(set(codes)) == len(codes)


def test_the_versions_are_the_documented_ones() -> None:
    text = DOCUMENT.read_text()
    assert f"reference of format {codec.FORMAT}." in text
    assert f"a version of its own, {base.PROTOCOL_VERSION}." in text
    assert f"longer than {codec.BLOB_BYTES // 1024} KiB" in text
