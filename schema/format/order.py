"""The order in which the fields of each part stand.

What a reader wants first comes first: what a state is, what it works on, what it does, what it gives on, what
happens when it fails, and where it goes. States keep the order of their author, and so does all data.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

from ..diagnostics import Position
from ..document import Document
from ..outline import STATE_TYPES, outline

T = TypeVar("T")

#: Where fields stand that the table does not name.
OTHERS = "*"
MERGE = "<<"

_SCOPE = "ProcessorConfig Comment Version QueryLanguage StartAt TimeoutSeconds * States".split()
_STATE = """
    Type Comment QueryLanguage
    Resource Credentials InputPath Parameters Arguments
    Items ItemsPath ItemReader MaxConcurrency MaxConcurrencyPath
    ToleratedFailureCount ToleratedFailureCountPath ToleratedFailurePercentage ToleratedFailurePercentagePath
    ItemSelector ItemBatcher Label ItemProcessor Iterator Branches Seconds SecondsPath Timestamp TimestampPath Result
    TimeoutSeconds TimeoutSecondsPath HeartbeatSeconds HeartbeatSecondsPath
    Error ErrorPath Cause CausePath *
    ResultSelector ResultPath ResultWriter OutputPath Choices Default Assign Output Retry Catch Next End
    """.split()
_RULE = "Comment Condition Not And Or Variable * Assign Output Next".split()
_READER = "Resource ReaderConfig WriterConfig Parameters Arguments *".split()

#: By the kind of the part, as the outline names it.
FIELDS: Mapping[str, Sequence[str]] = {
    **dict.fromkeys(("machine", "branch", "itemProcessor"), _SCOPE),
    **dict.fromkeys((*STATE_TYPES, "state", "unknown"), _STATE),
    **dict.fromkeys(("rule", "nestedRule"), _RULE),
    **dict.fromkeys(("itemReader", "resultWriter"), _READER),
    "retrier": (
        "Comment ErrorEquals IntervalSeconds BackoffRate MaxAttempts MaxDelaySeconds JitterStrategy *".split()
    ),
    "catcher": "Comment ErrorEquals ResultPath * Assign Output Next".split(),
}

#: Parts that are too large for one line however short they are.
_TALL = {"machine", "branch", "itemProcessor"}


class Places:
    """Which mapping of a text is which part of the definition."""

    def __init__(self, document: Document) -> None:
        self._kinds: dict[Position | None, str] = {}
        self._tall: set[Position | None] = set()
        if not isinstance(document.value, dict):
            return
        parts = outline(document.value)
        for part in parts.parts():
            self._kinds[document.position(part.pointer)] = part.kind
        for scope in parts.scopes:
            self._tall |= {document.position(scope.pointer), document.position(scope.at("States"))}

    def order(self, start: Position) -> Sequence[str] | None:
        """The order of the fields of the mapping that begins here; None leaves them as they are."""
        return FIELDS.get(self._kinds.get(start, ""))

    def is_tall(self, start: Position) -> bool:
        """Whether each field of the mapping that begins here has lines of its own, however short."""
        return start in self._tall


def in_order(entries: Sequence[tuple[str, T]], order: Sequence[str]) -> list[T]:
    """The entries, each with the name of its field, in an order of :data:`FIELDS`; the sort is stable."""
    ranks = {name: rank for rank, name in enumerate(order)}
    ranks[MERGE] = -1
    return [entry for name, entry in sorted(entries, key=lambda pair: ranks.get(pair[0], ranks[OTHERS]))]
