"""The lines of a layered drawing: where they leave and reach their boxes, and through which points they lead.

A line goes straight down through a layer and bends only between layers. It is straightened where the
neighbours of its joints leave room.
"""

from __future__ import annotations

from collections.abc import Mapping

from .coordinates import distance
from .layered import Layers, Link, Spot

Point = tuple[float, float]

#: Between two lines at the same side of a box, if there is room.
PORT_STEP = 24.0
#: Between layers there is more room where lines go far to the side, up to a limit.
LAYER_GAP = 20.0
LAYER_GAP_MAX = 72.0
SLOPE = 0.2


class Routes:
    """The lines of one drawing; ``sizes`` are those of the nodes."""

    def __init__(
        self,
        layers: Layers[str],
        sizes: Mapping[str, tuple[float, float]],
        gaps: tuple[float, float],
    ) -> None:
        self._layers = layers
        self._sizes = sizes
        self._ports = self._find_ports()
        self._settled: set[int] = set()
        self._drawn: set[int] = set()
        lines = sorted((link for link in layers.links if not link.is_loop), key=lambda link: -link.weight)
        for link in sorted(lines, key=lambda link: -len(link.joints)):
            self._straighten(link, *gaps)
        self.tops, self.bottoms = self._heights()
        edges = [
            (spot.x - spot.width / 2, spot.x + spot.width / 2) for layer in layers.layers for spot in layer
        ]
        #: The outermost edges of everything.
        self.left = min((left for left, _ in edges), default=0.0)
        self.right = max((right for _, right in edges), default=0.0)

    def points(self, link: Link[str], *, whole: bool = False) -> tuple[list[Point], bool]:
        """The points a line passes from its source on, and whether it reaches its target itself.

        A line that meets one to the same target, which was asked for before, ends there unless it is to be
        ``whole``.
        """
        points = [self._end(link, link.source)]
        for joint in reversed(link.joints) if link.turned else link.joints:
            sides = [(joint.x, self.tops[joint.layer]), (joint.x, self.bottoms[joint.layer])]
            points += sides[::-1] if link.turned else sides
            if id(joint) in self._drawn and not whole:
                return points[:-1], False
            self._drawn.add(id(joint))
        return [*points, self._end(link, link.target)], True

    def label(self, link: Link[str]) -> Point | None:
        """The middle of its label."""
        for joint in link.joints:
            if joint.label_of is link:
                return joint.x, (self.tops[joint.layer] + self.bottoms[joint.layer]) / 2
        return None

    def middle(self, node: str) -> Point:
        """The middle of a node."""
        spot = self._layers.spots[node]
        return spot.x, (self.tops[spot.layer] + self.bottoms[spot.layer]) / 2

    def _end(self, link: Link[str], node: str) -> Point:
        below = node == _ends(link)[0]
        return self._port(link, node, below=below), self._edge(node, below=below)

    def _edge(self, node: str, *, below: bool) -> float:
        half = self._sizes[node][1] / 2
        return self.middle(node)[1] + (half if below else -half)

    def _port(self, link: Link[str], node: str, *, below: bool) -> float:
        joint = link.joints[0 if below else -1]
        return self._layers.spots[node].x + self._ports[id(joint), below]

    def _find_ports(self) -> dict[tuple[int, bool], float]:
        """How far from the middle each line begins or ends: beside each other, in the order of where they go."""
        sides: dict[tuple[str, bool], dict[int, Spot[str]]] = {}
        for link in self._layers.links:
            if not link.is_loop:
                upper, lower = _ends(link)
                sides.setdefault((upper, True), {})[id(link.joints[0])] = link.joints[0]
                sides.setdefault((lower, False), {})[id(link.joints[-1])] = link.joints[-1]
        ports: dict[tuple[int, bool], float] = {}
        for (node, below), found in sides.items():
            joints = sorted(found.values(), key=lambda joint: joint.x)
            step = min(PORT_STEP, self._sizes[node][0] * 0.6 / max(1, len(joints) - 1))
            for number, joint in enumerate(joints):
                ports[id(joint), below] = (number - (len(joints) - 1) / 2) * step
        return ports

    def _straighten(self, link: Link[str], gap: float, joint_gap: float) -> None:
        """Move the joints of a line as far as it takes to bend it as little as possible."""
        free = [joint for joint in link.joints if id(joint) not in self._settled]
        if not free:
            return
        rooms = [self._room(joint, gap, joint_gap) for joint in free]
        start, end = (
            self._port(link, node, below=below)
            for node, below in zip(_ends(link), (True, False), strict=True)
        )
        if len(free) < len(link.joints):
            # The rest is shared with a line that lies already.
            there = link.joints[len(free)] if free[0] is link.joints[0] else link.joints[-len(free) - 1]
            start, end = (there.x, end) if link.turned else (start, there.x)
        index = 0
        x = start
        while index < len(rooms):
            low, high, last = _common(rooms, index)
            if last == len(rooms) and low <= end <= high and not low <= x <= high:
                x = end
            x = min(max(x, low), high)
            for joint in free[index:last]:
                joint.x = x
            index = last
        self._settled.update(map(id, free))

    def _room(self, joint: Spot[str], gap: float, joint_gap: float) -> tuple[float, float]:
        """Between which places a joint may stand while its neighbours stay."""
        layer = self._layers.layers[joint.layer]
        low, high = float("-inf"), float("inf")
        if joint.place > 0:
            left = layer[joint.place - 1]
            low = left.x + distance(left, joint, gap, joint_gap)
        if joint.place + 1 < len(layer):
            right = layer[joint.place + 1]
            high = right.x - distance(joint, right, gap, joint_gap)
        return min(low, joint.x), max(high, joint.x)

    def _heights(self) -> tuple[list[float], list[float]]:
        """The upper and lower edge of each layer."""
        tops, bottoms = [], []
        top = 0.0
        for layer in self._layers.layers:
            tops.append(top)
            bottoms.append(top + max((spot.height for spot in layer), default=0.0))
            far = max((abs(spot.x - other.x) for spot in layer for other in spot.below), default=0.0)
            top = bottoms[-1] + min(LAYER_GAP_MAX, max(LAYER_GAP, far * SLOPE))
        return tops, bottoms


def _ends(link: Link[str]) -> tuple[str, str]:
    """The upper and the lower end."""
    return (link.target, link.source) if link.turned else (link.source, link.target)


def _common(rooms: list[tuple[float, float]], index: int) -> tuple[float, float, int]:
    """What the rooms from one on have in common, and the first that has nothing in common with them."""
    low, high = rooms[index]
    for number, (left, right) in enumerate(rooms[index + 1 :], index + 1):
        if max(low, left) > min(high, right):
            return low, high, number
        low, high = max(low, left), min(high, right)
    return low, high, len(rooms)
