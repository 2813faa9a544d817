"""The data beside this module; where it is from, and under which licence, stands in files/LICENSES.md."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from detent.schema.document import Document, read_document

FOLDER = Path(__file__).parent / "files"


@dataclass(frozen=True)
class Published:
    """A definition that someone published, as its authors wrote it."""

    id: str
    repo: str
    path: str
    format: str
    text: str

    def __str__(self) -> str:
        return f"{self.id} {self.path}"

    def read(self) -> Document:
        return read_document(self.text, source=self.path, format="yaml" if self.format == "yaml" else "json")


@dataclass(frozen=True)
class Stated:
    """A case of somebody's test suite: a definition, and whether the suite holds it valid."""

    id: str
    authority: str
    rule: str
    valid: bool
    express: bool
    text: str
    format: str

    def __str__(self) -> str:
        return f"{self.id} {self.rule}"

    def read(self) -> Document:
        return read_document(self.text, format="yaml" if self.format == "yaml" else "json")


@cache
def published() -> tuple[Published, ...]:
    fields = Published.__dataclass_fields__
    return tuple(Published(**{name: row[name] for name in fields}) for row in _rows("definitions-*.json"))


@cache
def stated() -> tuple[Stated, ...]:
    return tuple(
        Stated(
            id=row["id"],
            authority=row["authority"],
            rule=row["rule"],
            valid=row["valid"],
            express=row.get("type") == "EXPRESS",
            text=row["text"] if "text" in row else json.dumps(row["definition"]),
            format=row["format"],
        )
        for row in _rows("cases-*.json")
    )


def _rows(pattern: str) -> list[dict[str, Any]]:
    return [row for file in sorted(FOLDER.glob(pattern)) for row in json.loads(file.read_text("utf-8"))]
