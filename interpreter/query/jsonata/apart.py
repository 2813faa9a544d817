"""An evaluation in another process: what goes there and what comes back, as JSON texts."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import NamedTuple

from ...core.evaluation import TOOK_TOO_LONG, TOOK_TOO_MUCH
from ...core.measure import weight
from ...core.values import JSON, Written, decode, encode, encode_anywhere
from .engine import Document, Limits, Outcome, Program
from .messages import MEMORY, TIME, EvaluationError
from .parser import parse
from .references import references

#: Bytes of a value that is read though nobody looks into it.
READ_MAX = 4_096


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
    head = {"type": outcome.type, "weight": weight(outcome.value)}
    text = encode_anywhere(outcome.value)
    if text is None:
        return encode({**head, "value": outcome.value})
    return b"%b\n%b" % (encode(head), text)


def read_answer(text: bytes, *, passes_on: bool) -> Outcome:
    """What an answer says. A process that was ended has taken too much of something.

    Where nobody looks into the value, a large one is left Written.
    """
    if text == TOOK_TOO_LONG:
        return Outcome("error", EvaluationError(None, TIME))
    if text == TOOK_TOO_MUCH:
        return Outcome("error", EvaluationError(None, MEMORY))
    head, _, value = text.partition(b"\n")
    answer = decode(head)
    if "error" in answer:
        return Outcome("error", EvaluationError(*answer["error"]))
    if not value:
        return Outcome(answer["type"], answer["value"], answer["weight"])
    if passes_on and len(value) > READ_MAX:
        return Outcome(answer["type"], Written(value), len(value) // 32)
    return Outcome(answer["type"], decode(value), answer["weight"])
