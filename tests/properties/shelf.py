"""A log in memory, as a store keeps it: segments and blobs, read back from their bytes."""

from __future__ import annotations

from detent.core.codec import (
    Step,
    decode_log,
    encode_segment,
    fill_payloads,
    missing_payloads,
    payloads_of,
)
from detent.core.evolve import fold
from detent.core.execution import Execution
from detent.core.values import Payload


class Shelf:
    """Where segments and blobs are kept."""

    def __init__(self) -> None:
        self.segments: list[tuple[int, bytes]] = []
        self.payloads: dict[int, bytes] = {}
        self.blobs: dict[str, bytes] = {}

    def write(self, after: int, steps: list[Step]) -> None:
        encoded = encode_segment(after, "1.0", steps)
        self.segments.append((after, encoded.control))
        self.payloads[after] = encoded.payloads
        self.blobs.update(encoded.blobs)

    def read(self) -> list[Step]:
        """The steps; their payloads have no values yet."""
        return list(decode_log(self.segments))

    def read_whole(self) -> list[Step]:
        """The steps with all their payloads."""
        steps = self.read()
        self.fill([payload for step in steps for payload in payloads_of(step)])
        return steps

    def fill(self, payloads: list[Payload]) -> None:
        segments, digests = missing_payloads(payloads)
        fill_payloads(
            payloads, {after: self.payloads[after] for after in segments}, {d: self.blobs[d] for d in digests}
        )

    def recall(self) -> Execution:
        """The state that the log tells, ready to go on."""
        execution = fold(event for step in self.read() for event in step.events)
        self.fill(list(execution.payloads()))
        return execution
