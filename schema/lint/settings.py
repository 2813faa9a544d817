"""What an author chose: which rules are looked at, how much they weigh, what the definition is meant for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..diagnostics import Severity
from ..inference.shapes import UNKNOWN, Shape
from .rule import Target
from .rules import RULES

#: In place of codes: every rule there is.
ALL = "ALL"


@dataclass(frozen=True, slots=True)
class Settings:
    """``select`` names the rules that are looked at in place of those that are on, ``extend`` rules beside them,
    ``ignore`` codes whose findings nobody wants, the validator's included. ``payload`` and ``results`` are the
    machine's input and the answers of tasks by Resource, where they were described."""

    select: tuple[str, ...] = ()
    extend: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    severity: Mapping[str, Severity] = field(default_factory=dict)
    target: Target | None = None
    payload: Shape = UNKNOWN
    results: Mapping[str, Shape] = field(default_factory=dict)

    def looks_at(self, code: str) -> bool:
        """Whether a rule is looked at."""
        if code in self.ignore:
            return False
        chosen = code in self.select or ALL in self.select if self.select else RULES[code].on
        return chosen or code in self.extend or ALL in self.extend

    def wants(self, code: str) -> bool:
        """Whether findings of any code, the validator's included, are reported."""
        return code not in self.ignore


DEFAULT = Settings()
