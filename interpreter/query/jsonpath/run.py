"""What one evaluation of a path carries along, and how it ends early."""

from __future__ import annotations

from typing import Literal, TypeAlias

from ...core.values import JSON

#: Values one evaluation may look at: about a second of work. ``$..*..*`` and filters within filters
#: multiply; this keeps them finite.
MAX_VISITED = 5_000_000

#: Values that an evaluation may look at where others wait for it: a few milliseconds of work.
QUICK_VISITED = 10_000

#: Why a path found nothing. ``past_end`` is an index beyond an existing array, ``unfit`` a step that does
#: not fit its value at all, ``absent`` everything else.
Kind: TypeAlias = Literal["absent", "past_end", "unfit"]


class PathMiss(Exception):
    """A path that names nothing. ``detail`` is the message as Jayway JsonPath words it."""

    def __init__(self, detail: str, kind: Kind = "absent") -> None:
        super().__init__(detail)
        self.detail = detail
        self.kind = kind


class TooMuch(Exception):
    """An evaluation that takes more than the others who wait can spare."""


class Run:
    """One evaluation: the document that ``$`` means inside filters, and the work that is left."""

    __slots__ = ("_hurried", "_left", "root")

    def __init__(self, root: JSON, *, hurried: bool = False) -> None:
        self.root = root
        self._hurried = hurried
        self._left = QUICK_VISITED if hurried else MAX_VISITED

    def spend(self, visited: int) -> None:
        """Account for values looked at.

        Raises :class:`PathMiss` when the evaluation did too much, :class:`TooMuch` if it is hurried.
        """
        self._left -= visited
        if self._left < 0:
            if self._hurried:
                raise TooMuch
            raise PathMiss(f"The path visits more than {MAX_VISITED} values", "unfit")
