"""What is claimed when more waits than is asked for, so that no machine keeps the others waiting.

Half of it is what has been overdue for longest, whosever it is. The other half is shared evenly among machines, which
take turns by their names: so the backlog of one costs another a claim or two. Where all that is due is claimed anyway
nobody asks for machines: that is every claim but those under a backlog.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")


def shared(limit: int) -> int:
    """How many of so many are shared. Of as many machines at most it is asked, at one claim, what is due of them."""
    return limit // 2


def share(room: int, machines: int) -> int:
    """How many of so many each of the machines gets. What is left over is what has been overdue for longest."""
    return max(1, room // machines)


class Turns:
    """Whose turn it is among the machines of which something waits."""

    __slots__ = ("last",)

    def __init__(self) -> None:
        #: The name of the machine that had the last turn.
        self.last = ""

    def taken(self, later: Sequence[T], earlier: Sequence[T], name: Callable[[T], str]) -> list[T]:
        """Who has a turn now, of those with names after the last one's, and then from the beginning up to it."""
        now = [*later, *(one for one in earlier if name(one) <= self.last)]
        self.last = name(now[-1]) if now else ""
        return now


def fair(
    due: Sequence[T], limit: int, machine: Callable[[T], str], waiting: set[str], turns: Turns
) -> list[T]:
    """Those that are claimed of what is due, the longest overdue first. ``waiting`` are the machines of which something
    waits that is not due for longest."""
    room = shared(limit)
    first, rest = list(due[: limit - room]), due[limit - room :]
    if len(first) < limit - room or not room:
        return first
    names = sorted(waiting)
    later = [name for name in names if name > turns.last][:room]
    with_turn = set(turns.taken(later, names[: room - len(later)], str))
    queues = defaultdict(list)
    for place, one in enumerate(rest):
        if machine(one) in with_turn:
            queues[machine(one)].append(place)
    each = share(room, len(queues)) if queues else 0
    places = sorted(place for queue in queues.values() for place in queue[:each])[:room]
    taken = set(places)
    left = (place for place in range(len(rest)) if place not in taken)
    places += [place for place, _ in zip(left, range(room - len(places)), strict=False)]
    return [*first, *(rest[place] for place in places)]
