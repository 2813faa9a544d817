"""Which tasks run out of time at which instant: asked anew for each of them, and there may be ten thousand."""

from __future__ import annotations

#: So many notes are never too many.
NOTES_MIN = 1_000


class Clocks:
    """Notes of the instants that clocks were set to. Whether one still holds is for the reader to find out.

    It has ``room`` for so many notes; then it is time for new ones.
    """

    __slots__ = ("_ids", "_room")

    def __init__(self, room: int) -> None:
        self._ids: dict[int, set[int]] = {}
        self._room = max(room, NOTES_MIN)

    @property
    def full(self) -> bool:
        """Whether notes have become so many that most of them can no longer hold."""
        return self._room <= 0

    def note(self, pending: int, *instants: int | None) -> None:
        """The clocks of a pending were set to these instants; None: that one does not run."""
        for instant in instants:
            if instant is not None:
                self._ids.setdefault(instant, set()).add(pending)
                self._room -= 1

    def at(self, instant: int) -> list[int]:
        """The pendings of which a clock was set to an instant, in their order."""
        return sorted(self._ids.get(instant, ()))
