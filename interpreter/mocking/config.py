"""What a mock configuration says, once it is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..core.errors import DetentError
from ..core.values import JSON


class MockError(DetentError):
    """A mock configuration cannot be used. The message says where, and how to mend it."""

    code = "MOCKS"


@dataclass(frozen=True, slots=True)
class Answer:
    """What an attempt gets after ``delay`` seconds: ``result``, or a failure where ``error`` is set."""

    result: JSON = None
    error: str | None = None
    cause: str | None = None
    delay: float = 0.0


@dataclass(frozen=True, slots=True)
class Response:
    """A mocked response. ``answers[n]`` is for the attempt n, counted from 0; ``further`` for those behind the last."""

    name: str
    answers: tuple[Answer, ...]
    further: Answer | None = None

    def answer(self, attempt: int) -> Answer | None:
        """The answer for an attempt; None if there is none."""
        return self.answers[attempt] if attempt < len(self.answers) else self.further


#: Names of states, and the responses they get.
Case = Mapping[str, Response]


@dataclass(frozen=True, slots=True)
class MockConfig:
    """Test cases by machine and name. ``source`` is the file, for messages."""

    source: str
    machines: Mapping[str, Mapping[str, Case]]

    def case(self, machine: str, name: str) -> Case:
        """A test case of a machine. Raises MockError if there is none of that name."""
        cases = self.machines.get(machine)
        if cases is None:
            known = ", ".join(map(repr, self.machines)) or "none"
            raise MockError(f"{self.source} mocks no state machine {machine!r}; it has: {known}")
        if name not in cases:
            known = ", ".join(map(repr, cases)) or "none"
            raise MockError(
                f"the state machine {machine!r} has no test case {name!r} in {self.source}; it has: {known}"
            )
        return cases[name]
