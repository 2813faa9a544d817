"""Delivery may repeat, be late, or race: the state changes once."""

from __future__ import annotations

from copy import deepcopy

import pytest

from detent.core.decide import transition
from detent.core.execution import Execution
from detent.core.signals import Began, Failed, Fired, Signal, Stopped, Submitted, Succeeded, TimedOut
from detent.core.values import Payload

from .building import NOON, Play, do, machine, parallel, retrier, scope, started, task, wait

ANY: list[Signal] = [
    Began(3),
    Submitted(3, Payload(1)),
    Succeeded(3, Payload(1)),
    Failed(3, "E", None),
    Fired(3),
    TimedOut(3),
    TimedOut(3, heartbeat=True),
    TimedOut(None),
]


@pytest.mark.parametrize("signal", [*ANY, Stopped()], ids=lambda signal: type(signal).__name__)
def test_before_the_start_nothing_happens(signal: Signal) -> None:
    play = Play(machine(task("T")))
    assert play.send(signal) == []
    assert play.execution == Execution()


@pytest.mark.parametrize("signal", [*ANY, Stopped(), started({})], ids=lambda signal: type(signal).__name__)
def test_after_the_end_nothing_happens(signal: Signal) -> None:
    play = Play(machine(task("T")))
    play.start()
    play.succeed(3)
    before = deepcopy(play.execution)
    assert play.send(signal) == []
    assert play.execution == before


@pytest.mark.parametrize("signal", ANY, ids=lambda signal: type(signal).__name__)
def test_what_answers_nothing_changes_nothing(signal: Signal) -> None:
    play = Play(machine(task("First", "Second"), task("Second")))
    play.start()
    play.succeed(3)
    before = deepcopy(play.execution)
    assert play.send(signal) == []
    assert play.execution == before


def test_the_same_beginning_is_noted_once() -> None:
    play = Play(machine(task("T")))
    play.start()
    assert len(play.begin(3)) == 1
    assert play.begin(3) == []


def test_an_answer_to_an_earlier_attempt_comes_too_late() -> None:
    play = Play(machine(task("T", retry=(retrier(),))))
    play.start()
    play.fail(3)
    assert play.succeed(3) == []
    play.later(1).fire(play.only().id)
    assert play.succeed(3) == []
    assert play.only().attempt == 2


def test_a_signal_of_the_wrong_kind_answers_nothing() -> None:
    play = Play(machine(wait("W", 1)))
    play.start()
    assert play.succeed(3) == []
    assert play.fail(3) == []
    assert play.later(5).time_out(3) == []
    assert play.fire(3)


def test_no_timer_fires_early() -> None:
    play = Play(machine(wait("W", 60)))
    play.start()
    assert play.later(59.999).fire(3) == []
    assert play.later(0.001).fire(3) != []


def test_time_does_not_go_back() -> None:
    play = Play(machine(task("A", "B"), task("B", "W"), wait("W", 1)))
    play.start()
    play.later(-3600).succeed(3)
    play.succeed(play.only().id)
    assert play.only().due == play.execution.started_at + 1000


def test_transition_leaves_its_argument_alone() -> None:
    both = parallel("P", scope("/0", task("T")), scope("/1", wait("W", 60)))
    play = Play(machine(both, timeout=100))
    play.start({"deep": [1, {"x": 2}]})
    before = deepcopy(play.execution)
    change = transition(play.machine, play.execution, Succeeded(7, Payload("ok")), now=play.now, seed="s")
    assert play.execution == before
    assert change.closed == [7]
    assert change.opened == []
    assert 7 not in change.execution.pending


def test_a_payload_known_by_its_text_survives_the_copy() -> None:
    payload = Payload(text=b'{"n":1}')
    assert deepcopy(payload).value == {"n": 1}
    assert deepcopy(Payload.stored((0, 0))).loaded is False


def test_the_journal_names_what_still_waits_and_what_was_known_before() -> None:
    play = Play(machine(task("A", "B"), do("B", "C"), task("C")))
    play.start()
    opened, closed = play.execution.take_journal()
    assert ([pending.id for pending in opened], closed) == ([3], [])
    play.succeed(3)
    play.succeed(play.only().id)
    # C came and went between: only A was ever announced.
    assert play.execution.take_journal() == ([], [3])


@pytest.mark.parametrize("who", ["one", "two"])
def test_an_attempt_that_begins_again_has_its_time_anew_and_shows_nothing(who: str) -> None:
    play = Play(machine(task("T", timeout=10, heartbeat=5)))
    play.start()
    play.send(Began(3, "one"))
    before = play.execution.shown
    play.later(4)
    play.send(Began(3, who))
    pending = play.execution.pending[3]
    assert (pending.due, pending.beat_due) == (NOON + 14_000, NOON + 9_000)
    assert (play.execution.shown, play.execution.frames[0].last) == (before, before)


def test_a_beginning_that_is_told_twice_is_one() -> None:
    play = Play(machine(task("T", timeout=10, heartbeat=5)))
    play.start()
    play.send(Began(3, "one"))
    before = play.execution.seq
    play.send(Began(3, "one"))
    assert play.execution.seq == before
