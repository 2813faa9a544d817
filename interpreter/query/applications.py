"""Calls of intrinsic functions that take longer the more they are given: the large ones are done in another process."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import NamedTuple

from ..core.bindings import Bindings, Given
from ..core.evaluation import TOOK_TOO_LONG, TOOK_TOO_MUCH
from ..core.measure import weight, written_length
from ..core.values import JSON, decode, encode
from .functions import IMPLEMENTATIONS, Fault

#: Functions that look at everything inside their arguments. None of them draws.
LONG = frozenset(
    {
        "States.ArrayContains",
        "States.ArrayPartition",
        "States.ArrayUnique",
        "States.Hash",
        "States.JsonMerge",
        "States.JsonToString",
        "States.StringSplit",
        "States.StringToJson",
    }
)
#: The weight of arguments up to which a call is done where others wait for it: a few milliseconds of work.
QUICK_WEIGHT = 3_000
#: Characters that arguments may have as JSON text, to be sent.
WRITTEN_MAX = 8 * 1024 * 1024


class Applied(NamedTuple):
    """What came out: a value, or why the call failed."""

    fault: str | None
    value: JSON = None
    weight: int = 0


class HurriedApplication:
    """A call and its arguments, as the core's Evaluator takes them."""

    __slots__ = ("_arguments", "_name")
    shares = False
    passes_on = False

    def __init__(self, name: str, arguments: Sequence[JSON]) -> None:
        self._name = name
        self._arguments = list(arguments)

    def quick(self) -> Applied | None:
        if weight(self._arguments, QUICK_WEIGHT) <= QUICK_WEIGHT:
            return _apply(self._name, self._arguments)
        try:
            is_sent = written_length(self._arguments, WRITTEN_MAX) <= WRITTEN_MAX
        except RecursionError:
            is_sent = False
        return None if is_sent else Applied(f"{self._name} is given too much")

    def request(self) -> bytes:
        return encode({"function": self._name, "arguments": self._arguments})

    def outcome(self, answer: bytes) -> Applied:
        if answer in (TOOK_TOO_LONG, TOOK_TOO_MUCH):
            return Applied(f"{self._name} takes too long, or too much memory")
        return Applied(**decode(answer))


def answer_request(request: dict[str, JSON]) -> bytes:
    """Do a call that has travelled: the answer as it travels back."""
    applied = _apply(request["function"], request["arguments"])
    return encode(applied._replace(weight=weight(applied.value))._asdict())


def _apply(name: str, arguments: list[JSON]) -> Applied:
    try:
        return Applied(None, IMPLEMENTATIONS[name](arguments, _NOBODY))
    except Fault as fault:
        return Applied(str(fault))
    except (RecursionError, ValueError):  # as where the call is compiled
        return Applied(f"Invalid arguments in {name}")


#: These functions look at nothing but their arguments.
_NOBODY = Bindings(None, {}, Given(dict, lambda: Random(0)))
