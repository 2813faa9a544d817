"""An evaluation in another process: what goes there and what comes back, as JSON texts."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import NamedTuple

from ...core.evaluation import TOOK_TOO_LONG, TOOK_TOO_MUCH
from ...core.measure import weight
from ...core.values import JSON, decode, encode
from .engine import Document, Limits, Outcome, Program
from .messages import MEMORY, TIME, EvaluationError
from .parser import parse
from .references import references


class Request(NamedTuple):
    """An expression that has no problems, and what it sees; ``seed`` is that of its chance, if it draws."""

    text: str
    states: Mapping[str, JSON]
    variables: Mapping[str, JSON]
    now: int
    seed: int | None


def write_request(request: Request) -> bytes:
    """The request as it travels."""
    return encode(request._asdict())


def answer_request(given: dict[str, JSON], limits: Limits) -> bytes:
    """Evaluate a request that has travelled: the answer as it travels back."""
    request = Request(**given)
    tree = parse(request.text)
    program = Program(request.text, tree, references(tree))
    chance = None if request.seed is None else Random(request.seed)
    document = Document(request.states, request.variables, request.now)
    outcome = program.run(document, chance, limits)
    if outcome.type == "error":
        return encode({"error": [outcome.value.code, outcome.value.message]})
    return encode({"type": outcome.type, "value": outcome.value, "weight": weight(outcome.value)})


def read_answer(text: bytes) -> Outcome:
    """What an answer says. A process that was ended has taken too much of something."""
    if text == TOOK_TOO_LONG:
        return Outcome("error", EvaluationError(None, TIME))
    if text == TOOK_TOO_MUCH:
        return Outcome("error", EvaluationError(None, MEMORY))
    answer = decode(text)
    if "error" in answer:
        return Outcome("error", EvaluationError(*answer["error"]))
    return Outcome(answer["type"], answer["value"], answer["weight"])
