"""An execution that waits for one thing takes little memory, and wakes up as it was."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from detent.core.execution import ROOT, Execution, Frame, Pending
from detent.core.resting import Resting, rest

from .building import Play, do, machine, parallel, scope, task, wait


def at_rest(play: Play) -> Resting:
    play.execution.take_journal()
    resting = rest(play.execution)
    assert resting is not None
    return resting


def waiting(name: str) -> Play:
    play = Play(machine(wait("Wait", 60, "After"), do("After")))
    play.start({"name": name})
    return play


def test_it_wakes_up_as_it_was_and_goes_on() -> None:
    play = waiting("a")
    before = play.execution
    play.execution = at_rest(play).wake()
    assert play.execution is not before
    assert play.execution == before
    assert play.execution.frames[ROOT].pending is play.only()
    play.later(60).fire(play.only().id)
    assert play.execution.output is not None
    assert play.execution.output.value == {"name": "a"}


def test_every_field_survives() -> None:
    marked: list[Any] = [object.__new__(Execution), object.__new__(Frame), Pending(7, "timer", ROOT)]
    execution, frame, pending = marked
    names: list[tuple[Any, list[str]]] = [
        (execution, [field.name for field in fields(Execution)]),
        (frame, [field.name for field in fields(Frame)]),
        (pending, list(Pending.__struct_fields__)),
    ]
    for owner, found in names:
        for name in found:
            setattr(owner, name, f"the {name} of {type(owner).__name__}")
    execution.opened = None
    frame.pending = pending
    execution.frames, execution.pending = {frame.id: frame}, {pending.id: pending}
    resting = rest(execution)
    assert resting is not None
    woken = resting.wake()
    assert woken == execution
    assert (woken.variable_bytes, woken.clocks, woken.closed) == (
        execution.variable_bytes,
        execution.clocks,
        execution.closed,
    )


def test_what_says_nothing_is_told_once_for_all_that_wait_alike() -> None:
    one, other = at_rest(waiting("a")), at_rest(waiting("b"))
    assert one.shape is other.shape
    assert len(one.values) == len(other.values) < len(one.shape) / 3


def test_payloads_are_kept_not_copied() -> None:
    play = waiting("a")
    input = play.execution.input
    assert at_rest(play).wake().input is input


def test_what_waits_for_several_things_does_not_rest() -> None:
    play = Play(machine(parallel("Both", scope("0", task("A")), scope("1", task("B")))))
    play.start()
    play.execution.take_journal()
    assert rest(play.execution) is None


def test_what_was_just_opened_is_told_first() -> None:
    play = waiting("a")
    assert rest(play.execution) is None
    opened, _ = play.execution.take_journal()
    assert opened == [play.only()]
    assert rest(play.execution) is not None
