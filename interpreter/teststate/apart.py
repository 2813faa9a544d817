"""A trial in another process: what goes there and what comes back, as JSON texts.

A trial is pure and its chance is seeded, so each step of it may be taken in a process of its own: it is begun anew
there, with what its work has come to.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from ..core.values import JSON, decode, encode
from .refusal import Refused
from .trial import Call, Trial


class Work(NamedTuple):
    """What the work of a Task has come to: its result, or the ``error`` with its ``cause`` if it ``failed``.

    ``notes`` are what its handler has told of it.
    """

    notes: Mapping[str, JSON]
    failed: bool = False
    result: JSON = None
    error: str | None = None
    cause: str | None = None


class Step(NamedTuple):
    """What a trial is begun with (see :class:`Trial`), and what its work has come to, once that was done."""

    request: Mapping[str, Any]
    now: int
    seed: str
    place: str | None
    work: Work | None = None


class Asked(NamedTuple):
    """A trial that waits for work; ``traced`` and ``reveals`` are as in :class:`Trial`."""

    call: Call
    traced: bool
    reveals: bool


def take(step: Step) -> dict[str, JSON] | Asked:
    """The answer to the request, or the call that somebody has to make first. Raises Refused."""
    place = {} if step.place is None else {"place": step.place}
    trial = Trial(step.request, now=step.now, seed=step.seed, **place)
    if trial.call is None:
        return trial.response
    if step.work is None:
        return Asked(trial.call, trial.traced, trial.reveals)
    for name, value in step.work.notes.items():
        trial.note(name, value)
    if step.work.failed:
        trial.fail(step.work.error, step.work.cause)
    else:
        trial.succeed(step.work.result)
    return trial.response


def write_step(step: Step) -> bytes:
    """A step as it travels."""
    return encode({**step._asdict(), "work": None if step.work is None else step.work._asdict()})


def answer(text: bytes) -> bytes:
    """Take a step that has travelled: the answer as it travels back."""
    given = decode(text)
    work = given.pop("work")
    try:
        said = take(Step(**given, work=None if work is None else Work(**work)))
    except Refused as refused:
        return encode({"refused": [refused.code, refused.message]})
    if isinstance(said, Asked):
        return encode({"asked": [said.call._asdict(), said.traced, said.reveals]})
    return encode({"answer": said})


def read_answer(text: bytes) -> dict[str, JSON] | Asked:
    """What an answer says. Raises Refused."""
    said = decode(text)
    if "refused" in said:
        raise Refused(*said["refused"])
    if "asked" in said:
        call, traced, reveals = said["asked"]
        return Asked(Call(**call), traced, reveals)
    response: dict[str, JSON] = said["answer"]
    return response
