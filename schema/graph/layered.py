"""A layered drawing of a directed graph: which layer each node is in, and in which order.

The method of Sugiyama, Tagawa and Toda: turn arrows around until there is no circle, give every node a layer below
its predecessors, put a *joint* into each layer that an arrow passes, and sort the layers until few arrows cross.
:mod:`.coordinates` says where in its layer everything stands. Nothing here knows what is drawn.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from detent.core.errors import DetentError

N = TypeVar("N", bound=Hashable)

#: Passes over all layers while they are sorted; more hardly ever find anything better. Fewer if there are many spots.
SWEEPS = 16
SPOTS_SWEPT = 20_000
#: Joints of a whole picture: beyond that nobody could follow the lines.
JOINTS_MAX = 20_000
#: Layers up to this width are also improved by exchanging neighbours.
EXCHANGED = 40
EXCHANGES = 4


class TooLarge(DetentError):
    """A definition that cannot be drawn in a time that anybody would wait."""

    code = "GRAPH"


@dataclass(slots=True)
class Link(Generic[N]):
    """An arrow; ``size`` is what its label takes, (0, 0) without one. One of more ``weight`` is led straighter."""

    source: N
    target: N
    size: tuple[float, float] = (0.0, 0.0)
    weight: float = 1.0
    #: Arrows to one node come together if they are of one group.
    group: str = ""
    #: The arrow was turned around: it points upwards.
    turned: bool = False
    #: What stands in each layer between its ends, downwards.
    joints: list[Spot[N]] = field(default_factory=list)

    @property
    def is_loop(self) -> bool:
        return self.source == self.target


@dataclass(slots=True, eq=False)
class Spot(Generic[N]):
    """A place in a layer: of a node, or of a joint (``node`` is None)."""

    node: N | None
    width: float
    height: float
    layer: int
    label_of: Link[N] | None = None
    x: float = 0.0
    #: Neighbours in the layer above and below, and how much each pulls.
    above: list[Spot[N]] = field(default_factory=list)
    below: list[Spot[N]] = field(default_factory=list)
    above_weights: list[float] = field(default_factory=list)
    below_weights: list[float] = field(default_factory=list)
    place: int = 0


@dataclass(slots=True)
class Layers(Generic[N]):
    """What was made of a graph: its layers from the top, each from left to right."""

    layers: list[list[Spot[N]]]
    spots: dict[N, Spot[N]]
    links: list[Link[N]]


def layered(
    sizes: Mapping[N, tuple[float, float]], links: Sequence[Link[N]], first: Iterable[N] = ()
) -> Layers[N]:
    """Layers for nodes of these sizes; ``first`` are those that arrows should lead away from.

    Between two nodes that are joined lies at least one layer, which holds the label. Raises TooLarge.
    """
    ways = [link for link in links if not link.is_loop]
    order = _turn_around(sizes, ways, first)
    ranks = _ranks(order, ways)
    spots = {node: Spot(node, *sizes[node], ranks[node]) for node in order}
    layers: list[list[Spot[N]]] = [[] for _ in range(max(ranks.values(), default=-1) + 1)]
    for node in order:
        layers[ranks[node]].append(spots[node])
    joints = _Joints(spots, layers)
    for link in ways:
        joints.add(link)
    _sort(layers)
    return Layers(layers, spots, list(links))


def _turn_around(sizes: Mapping[N, object], links: Sequence[Link[N]], first: Iterable[N]) -> list[N]:
    """Turn each arrow that closes a circle; the nodes come back so that every arrow leads on."""
    out: dict[N, list[Link[N]]] = {node: [] for node in sizes}
    for link in links:
        out[link.source].append(link)
    done: list[N] = []
    state: dict[N, bool] = {}  # False while a node is on the way, True when it is left
    for root in (*first, *sizes):
        if root in state:
            continue
        state[root] = False
        stack = [(root, iter(out[root]))]
        while stack:
            node, ways = stack[-1]
            for link in ways:
                if link.target not in state:
                    state[link.target] = False
                    stack.append((link.target, iter(out[link.target])))
                    break
                link.turned = not state[link.target]
            else:
                state[node] = True
                done.append(node)
                stack.pop()
    return done[::-1]


def _ends(link: Link[N]) -> tuple[N, N]:
    """The upper and the lower end."""
    return (link.target, link.source) if link.turned else (link.source, link.target)


def _ranks(order: Sequence[N], links: Sequence[Link[N]]) -> dict[N, int]:
    """The layer of each node: below all its predecessors, and not further up than its successors need."""
    into: dict[N, list[N]] = {node: [] for node in order}
    out: dict[N, list[N]] = {node: [] for node in order}
    for link in links:
        upper, lower = _ends(link)
        into[lower].append(upper)
        out[upper].append(lower)
    ranks: dict[N, int] = {}
    for node in order:
        ranks[node] = max((ranks[upper] + 2 for upper in into[node]), default=0)
    for node in reversed(order):
        if out[node] and not into[node]:
            ranks[node] = min(ranks[lower] for lower in out[node]) - 2
    return ranks


class _Joints(Generic[N]):
    """Puts joints into layers. Arrows of a group to one node share theirs, and come together as early as they can."""

    def __init__(self, spots: Mapping[N, Spot[N]], layers: list[list[Spot[N]]]) -> None:
        self.spots = spots
        self.layers = layers
        self.count = 0
        #: What arrows to a node share in a layer, apart for those that point upwards.
        self.shared: dict[tuple[N, str, bool, int], Spot[N]] = {}

    def add(self, link: Link[N]) -> None:
        """The joints of one arrow. Raises TooLarge."""
        upper, lower = (self.spots[end] for end in _ends(link))
        # A label stands next to where its arrow begins, so the joint there is the arrow's own.
        own = lower.layer - 1 if link.turned else upper.layer + 1
        before = upper
        for rank in range(upper.layer + 1, lower.layer):
            joint = self._own(link, rank) if rank == own else self._shared(link, rank)
            link.joints.append(joint)
            _join(before, joint, link.weight)
            before = joint
        _join(before, lower, link.weight)

    def _own(self, link: Link[N], rank: int) -> Spot[N]:
        return self._new(Spot(None, *link.size, rank, link if link.size[0] else None))

    def _shared(self, link: Link[N], rank: int) -> Spot[N]:
        key = (link.target, link.group, link.turned, rank)
        if key not in self.shared:
            self.shared[key] = self._new(Spot(None, 0.0, 0.0, rank))
        return self.shared[key]

    def _new(self, joint: Spot[N]) -> Spot[N]:
        self.count += 1
        if self.count > JOINTS_MAX:
            raise TooLarge("the definition is too large for a picture; `--format text` shows any")
        self.layers[joint.layer].append(joint)
        return joint


def _join(upper: Spot[N], lower: Spot[N], weight: float) -> None:
    if lower in upper.below:
        return
    # What joins two joints of a long arrow should not bend.
    weight *= 4.0 if upper.node is None and lower.node is None else 1.0
    upper.below.append(lower)
    upper.below_weights.append(weight)
    lower.above.append(upper)
    lower.above_weights.append(weight)


def _sort(layers: list[list[Spot[N]]]) -> None:
    """Sort each layer by where its neighbours stand, down and up again, and keep the best."""
    _number(layers)
    best, fewest = [list(layer) for layer in layers], _crossings(layers)
    spots = sum(map(len, layers))
    for sweep in range(min(SWEEPS, max(2, SPOTS_SWEPT // max(1, spots)))):
        if not fewest:
            break
        downwards = sweep % 2 == 0
        for layer in layers if downwards else reversed(layers):
            _by_neighbours(layer, above=downwards)
        if all(len(layer) <= EXCHANGED for layer in layers):
            for layer in layers:
                _exchange(layer)
        crossings = _crossings(layers)
        if crossings < fewest:
            best, fewest = [list(layer) for layer in layers], crossings
    layers[:] = best
    _number(layers)


def _number(layers: list[list[Spot[N]]]) -> None:
    for layer in layers:
        for place, spot in enumerate(layer):
            spot.place = place


def _by_neighbours(layer: list[Spot[N]], *, above: bool) -> None:
    """Sort by the mean place of the neighbours; who has none stays where it is."""
    wanted: dict[Spot[N], float] = {}
    for spot in layer:
        near = spot.above if above else spot.below
        wanted[spot] = sum(other.place for other in near) / len(near) if near else spot.place
    layer.sort(key=wanted.__getitem__)
    for place, spot in enumerate(layer):
        spot.place = place


def _exchange(layer: list[Spot[N]]) -> None:
    """Exchange neighbours as long as fewer arrows cross then."""
    for _ in range(EXCHANGES):
        better = False
        for place in range(len(layer) - 1):
            left, right = layer[place], layer[place + 1]
            if _crossed(left, right) > _crossed(right, left):
                layer[place], layer[place + 1] = right, left
                right.place, left.place = place, place + 1
                better = True
        if not better:
            return


def _crossed(left: Spot[N], right: Spot[N]) -> int:
    """How many of their arrows cross if one stands left of the other."""
    return sum(
        one.place > other.place
        for near, far in ((left.above, right.above), (left.below, right.below))
        for one in near
        for other in far
    )


def _crossings(layers: Sequence[Sequence[Spot[N]]]) -> int:
    """How many pairs of arrows cross between neighbouring layers, counted with a tree of sums."""
    total = 0
    for layer in layers:
        ends = [other.place for spot in layer for other in sorted(spot.below, key=lambda other: other.place)]
        if len(ends) < 2:
            continue
        size = max(ends) + 2
        sums = [0] * size
        for seen, end in enumerate(ends):
            index, not_right = end + 1, 0
            while index:
                not_right += sums[index]
                index &= index - 1
            total += seen - not_right
            index = end + 1
            while index < size:
                sums[index] += 1
                index += index & -index
    return total
