"""Redrive, rule by rule: what may go on, and what each type of state does when it does."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from detent.core import decide, redrive
from detent.core.bindings import Bindings
from detent.core.children import describe_end
from detent.core.context import instant_text
from detent.core.errors import StateFailure
from detent.core.execution import ABORTED, FAILED, ROOT, RUNNING, SUCCEEDED, TIMED_OUT
from detent.core.limits import AWS, PROFILES, profile_for
from detent.core.machine import State
from detent.core.redrive import redrive_status

from .building import (
    NOON,
    Flow,
    Play,
    choice,
    do,
    each,
    fail,
    lines,
    machine,
    parallel,
    render,
    retrier,
    scope,
    task,
    wait,
)

DAY = 24 * 3600


def refuse(bindings: Bindings) -> Any:
    raise StateFailure("E1", "on purpose")


def test_a_task_is_scheduled_again_and_not_entered() -> None:
    play = Play(machine(do("A", "T"), task("T")))
    play.start(5)
    play.fail(play.only().id)
    first = play.execution.seq + 1
    assert render(play.later(9).redrive(), first) == lines("""
        9: 9<-8 ExecutionRedriven
        10: 10<-9 TaskScheduled 5 attempt 1
    """)
    assert render(play.succeed(10, "ok"), 11)[-1] == '14: 14<-13 ExecutionEnded SUCCEEDED "ok"'


def test_the_execution_itself_begins_anew_where_it_ended() -> None:
    play = Play(machine(task("T"), timeout=60))
    play.start()
    play.later(20).fail(3, "Boom", "because")
    play.later(100).redrive()
    state = play.execution
    assert (state.status, state.error, state.cause, state.ended_at) == (RUNNING, None, None, None)
    assert state.started_at == NOON
    assert state.ends_at == NOON + 180_000
    assert (state.redrive_count, state.redriven_at) == (1, NOON + 120_000)
    play.later(60).time_out()
    assert (state.status, state.open_for) == (TIMED_OUT, 80_000)
    play.redrive()
    assert state.redrive_count == 2


def test_expressions_see_that_it_was_redriven() -> None:
    tell = Flow(make=lambda bindings: dict(bindings.context["Execution"]))
    play = Play(machine(task("T", flow=tell)))
    play.start()
    first = play.only()
    play.fail(first.id)
    play.later(7).redrive()
    assert first.arguments is not None
    assert first.arguments.value["RedriveCount"] == 0
    assert "RedriveTime" not in first.arguments.value
    again = play.only().arguments
    assert again is not None
    assert again.value["RedriveCount"] == 1
    assert again.value["RedriveTime"] == instant_text(NOON + 7_000)


def test_a_wait_begins_anew() -> None:
    play = Play(machine(wait("W", 60)))
    play.start()
    play.later(50).stop()
    play.redrive()
    assert play.only().due == NOON + 110_000
    assert play.later(59).fire(play.only().id) == []
    assert play.later(1).fire(play.only().id)
    assert play.execution.status == SUCCEEDED


@pytest.mark.parametrize("last", [fail("F", "Boom"), choice("F"), do("F", flow=Flow(output=refuse))])
def test_other_states_are_entered_again(last: State) -> None:
    play = Play(machine(do("A", "F"), last))
    play.start()
    assert [type(event).__name__ for event in play.redrive()] == [
        "ExecutionRedriven",
        "StateEntered",
        "ExecutionEnded",
    ]
    assert play.execution.status == FAILED


def test_retries_are_all_there_again() -> None:
    play = Play(machine(task("T", retry=(retrier(attempts=1),))))
    play.start()
    play.fail(play.only().id)
    play.later(1).fire(play.only().id)
    play.fail(play.only().id)
    play.redrive()
    assert play.only().attempt == 1
    play.fail(play.only().id)
    assert play.only().kind == "retry"


def test_what_waited_to_be_tried_again_is_tried_at_once() -> None:
    play = Play(machine(task("T", retry=(retrier(interval=500),))))
    play.start()
    play.fail(play.only().id)
    play.stop()
    play.redrive()
    assert play.only().kind == "task"


def test_branches_that_succeeded_stay_and_the_others_go_on() -> None:
    branches = scope("/0", task("A")), scope("/1", task("B")), scope("/2", do("C", "D"), task("D"))
    play = Play(machine(parallel("P", *branches)))
    play.start()
    ids = dict(zip("ABD", play.execution.pending, strict=True))
    play.succeed(ids["A"], "a")
    play.fail(ids["B"])
    play.redrive()
    assert [pending.resource for pending in play.execution.pending.values()] == ["task:B", "task:D"]
    for id in list(play.execution.pending):
        play.succeed(id, id)
    output = play.execution.output
    assert output is not None
    assert (play.execution.status, output.value[0]) == (SUCCEEDED, "a")


def test_a_map_is_filled_up_to_its_concurrency() -> None:
    play = Play(machine(each("M", scope("/i", task("T")), concurrency=2)))
    play.start([0, 1, 2, 3, 4])
    play.succeed(next(iter(play.execution.pending)), "zero")
    play.fail(next(iter(play.execution.pending)))
    play.redrive()
    join = play.execution.frames[ROOT].join
    assert join is not None
    assert (join.done, len(join.live), join.cursor) == (1, 2, 3)
    while play.execution.pending:
        play.succeed(next(iter(play.execution.pending)), "more")
    output = play.execution.output
    assert output is not None
    assert output.value == ["zero", *["more"] * 4]


def test_results_that_were_too_large_together_are_all_made_again() -> None:
    play = Play(machine(each("M", scope("/i", task("T")))), "aws")
    play.start([0, 1])
    for id in list(play.execution.pending):
        play.succeed(id, "x" * 200_000)
    assert play.execution.error == "States.DataLimitExceeded"
    play.redrive()
    assert [pending.kind for pending in play.execution.pending.values()] == ["task", "task"]
    for id in list(play.execution.pending):
        play.succeed(id, "x")
    assert play.execution.status == SUCCEEDED
    assert play.execution.frames.keys() == {ROOT}


def test_an_iteration_that_fails_again_at_once_ends_the_others_again() -> None:
    play = Play(machine(each("M", scope("/i", task("T", "F"), fail("F", "Bad")))))
    play.start([0, 1, 2])
    play.succeed(next(iter(play.execution.pending)))
    assert play.execution.status == FAILED
    play.redrive()
    assert (play.execution.status, play.execution.pending) == (FAILED, {})
    assert play.execution.redrive_count == 1


@pytest.mark.parametrize(
    ("end", "status"),
    [(lambda play: play.fail(3), FAILED), (lambda play: play.stop(), ABORTED)],
)
def test_what_ended_without_success_can_be_redriven(end: object, status: str) -> None:
    play = Play(machine(task("T")), "aws")
    play.start()
    assert redrive_status(play.execution, play.now) == (
        "NOT_REDRIVABLE",
        "Execution is RUNNING and cannot be redriven",
    )
    end(play)  # type: ignore[operator]  # one of the functions above
    assert play.execution.status == status
    assert redrive_status(play.execution, play.now) == ("REDRIVABLE", None)


def test_success_is_final() -> None:
    play = Play(machine(do("A")))
    play.start()
    assert play.redrive() == []
    assert redrive_status(play.execution, play.now).reason == "Execution is SUCCEEDED and cannot be redriven"


def test_after_fourteen_days_it_is_too_late_for_the_service() -> None:
    for profile, reason in (("aws", "Execution redrivable period exceeded"), ("detent", None)):
        play = Play(machine(task("T")), profile)
        play.start()
        play.fail(3)
        assert redrive_status(play.execution, play.later(14 * DAY).now).reason is None
        assert redrive_status(play.execution, play.later(1).now).reason == reason
        assert bool(play.redrive()) == (reason is None)


def test_a_full_history_is_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    limits = replace(AWS, history_events=11)
    for module in (decide, redrive):
        monkeypatch.setattr(module, "PROFILES", {"aws": limits})
    play = Play(machine(task("T")), "aws")
    play.start()
    play.fail(play.only().id)
    assert play.execution.shown == 6
    play.redrive()
    play.fail(play.only().id)
    assert (play.execution.status, play.execution.shown) == (FAILED, 11)
    assert redrive_status(play.execution, play.now).reason == "Execution history event limit exceeded"
    assert play.redrive() == []


def test_a_year_in_all_is_the_end() -> None:
    play = Play(machine(task("T")), "aws")
    play.start()
    play.later(300 * DAY).fail(3)
    play.redrive()
    assert play.execution.ends_at == play.now + 65 * DAY * 1000
    play.later(65 * DAY).time_out()
    assert play.execution.status == TIMED_OUT
    assert redrive_status(play.execution, play.now).reason == "Execution has exceeded the max execution time"


def test_express_executions_are_never_redriven() -> None:
    for synchronous in (True, False):
        play = Play(machine(task("T")), profile_for("aws", "EXPRESS", synchronous=synchronous))
        assert PROFILES[play.profile].execution_seconds == 300
        play.start()
        play.fail(3)
        assert play.redrive() == []


def test_the_same_token_soon_after_is_the_same_request() -> None:
    play = Play(machine(fail("F")), "aws")
    play.start()
    assert play.redrive("a")
    assert play.redrive("a") == []
    assert play.redrive("b")
    assert play.later(15 * 60 - 1).redrive("a") == []
    assert play.later(1).redrive("a")
    for number in range(10):
        assert play.redrive(f"n{number}")
    assert len(play.execution.redrive_tokens) == 10
    assert play.redrive("a"), "ten tokens are remembered"


def test_a_child_that_was_redriven_says_so() -> None:
    play = Play(machine(task("T")))
    play.start()
    play.fail(3)
    first = describe_end(play.execution)
    assert (first["RedriveCount"], first["RedriveStatus"]) == (0, "REDRIVABLE")
    assert "RedriveDate" not in first
    play.later(4).redrive()
    play.succeed(play.only().id)
    again = describe_end(play.execution)
    assert (again["RedriveCount"], again["RedriveDate"]) == (1, NOON + 4_000)
