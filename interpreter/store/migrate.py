"""SQL as files: the named statements of a dialect, and its numbered migrations.

A migration has the same number in every dialect and only ever leads forward. It belongs to one of two phases.
``pre`` runs before a deploy and only adds, so that the release before goes on working beside it. ``post`` runs
once no process of that release is left, and takes away what only it used; its file is named
``NNNN_post_NAME.sql``. This module reads files and knows no database; each store applies what it is given in
its own transactions.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Literal, Protocol

_NAME = re.compile(r"^-- name: (\w+)$", re.MULTILINE)


Phase = Literal["pre", "post"]


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered step from a layout to the next."""

    number: int
    name: str
    sql: str

    @property
    def phase(self) -> Phase:
        """Whether it runs before or after a deploy."""
        return "post" if self.name.startswith("post_") else "pre"


class Layout(Protocol):
    """The layout of a store that need not be open, nor be there yet. Every method may raise StoreError."""

    async def pending(self, *, deployed: bool) -> Sequence[Migration]:
        """The migrations that the store does not have yet; see :func:`missing`. Changes nothing."""

    async def migrate(self, *, deployed: bool) -> Sequence[Migration]:
        """Apply what is pending, all of it or nothing; what this call has applied."""

    def script(self, found: Sequence[Migration]) -> str:
        """SQL that applies migrations, for those who run it themselves."""

    async def close(self) -> None:
        """Give everything back."""


def missing(every: Sequence[Migration], applied: Collection[int], *, deployed: bool) -> Sequence[Migration]:
    """The migrations to apply to a store that has some of them.

    While earlier releases may still be at work (``deployed`` is false) that is everything up to the last
    ``pre``: a ``post`` before it belongs to a deploy that is over. A new store gets everything.
    """
    found = [migration for migration in every if migration.number not in applied]
    if applied and not deployed:
        while found and found[-1].phase == "post":
            found.pop()
    return found


def queries(dialect: str) -> Mapping[str, str]:
    """The statements of a dialect by name, from ``sql/DIALECT/queries.sql``."""
    _, *parts = _NAME.split(_folder(dialect).joinpath("queries.sql").read_text(encoding="utf-8"))
    return {name: _bare(text) for name, text in zip(parts[::2], parts[1::2], strict=True)}


def _bare(text: str) -> str:
    """A statement without its sentence and its semicolon."""
    lines = (line for line in text.splitlines() if not line.startswith("--"))
    return "\n".join(lines).strip().removesuffix(";")


def migrations(dialect: str) -> Sequence[Migration]:
    """The migrations of a dialect in order: ``sql/DIALECT/migrations/NNNN_name.sql``, numbered from 1."""
    found = []
    for file in _folder(dialect).joinpath("migrations").iterdir():
        number, _, name = file.name.removesuffix(".sql").partition("_")
        found.append(Migration(int(number), name, file.read_text(encoding="utf-8")))
    return sorted(found, key=lambda migration: migration.number)


def _folder(dialect: str) -> Traversable:
    return files(__package__).joinpath("sql", dialect)
