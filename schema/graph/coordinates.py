"""Where the spots of a layered drawing stand: as near to their neighbours as the others in the layer allow.

One layer at a time, what is wanted is the weighted mean of the neighbours' places, and what is allowed is an order
with distances. The best compromise in the sense of least squares is found by pooling neighbours that would
overlap (isotonic regression). Some passes down and up suffice.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TypeVar

from .layered import Layers, Spot

N = TypeVar("N")

#: Passes over all layers, fewer if there are many spots.
PASSES = 96
SPOTS_PASSED = 60_000


def spread(layers: Layers[N], gap: float, joint_gap: float) -> None:
    """Set ``x``, the middle, of every spot.

    ``gap`` lies between two nodes, ``joint_gap`` between two lines that pass.
    """
    for layer in layers.layers:
        x = 0.0
        for spot in layer:
            spot.x = x + spot.width / 2
            x += spot.width + gap
    passes = min(PASSES, max(4, SPOTS_PASSED // max(1, sum(map(len, layers.layers)))))
    for number in range(passes):
        down = number % 2 == 0
        for layer in layers.layers if down else reversed(layers.layers):
            both = number > passes // 3
            _settle(layer, gap, joint_gap, above=down or both, below=not down or both)


def _settle(layer: Sequence[Spot[N]], gap: float, joint_gap: float, *, above: bool, below: bool) -> None:
    """Move the spots of one layer to where they are wanted, in their order and with their distances."""
    offsets = [0.0]
    for left, right in pairwise(layer):
        offsets.append(offsets[-1] + distance(left, right, gap, joint_gap))
    wanted = [_wanted(spot, above, below) for spot in layer]
    places = _in_order([(x - offset, weight) for (x, weight), offset in zip(wanted, offsets, strict=True)])
    for spot, place, offset in zip(layer, places, offsets, strict=True):
        spot.x = place + offset


def distance(left: Spot[N], right: Spot[N], gap: float, joint_gap: float) -> float:
    """How far the middles of two neighbours must be from each other."""
    between = joint_gap if left.node is None and right.node is None else gap
    return (left.width + right.width) / 2 + between


def _wanted(spot: Spot[N], above: bool, below: bool) -> tuple[float, float]:
    """Where a spot would like to be, and how much."""
    near = (spot.above if above else []) + (spot.below if below else [])
    weights = (spot.above_weights if above else []) + (spot.below_weights if below else [])
    if not near:
        return spot.x, 0.05
    total = sum(weights)
    return sum(other.x * weight for other, weight in zip(near, weights, strict=True)) / total, total


def _in_order(wanted: Sequence[tuple[float, float]]) -> list[float]:
    """The nearest numbers that never fall, by pooling those that would: (value, weight) in, values out."""
    pools: list[tuple[float, float, int]] = []
    for value, weight in wanted:
        count = 1
        while pools and pools[-1][0] > value:
            other, other_weight, others = pools.pop()
            value = (value * weight + other * other_weight) / (weight + other_weight)
            weight += other_weight
            count += others
        pools.append((value, weight, count))
    return [value for value, _, count in pools for _ in range(count)]
