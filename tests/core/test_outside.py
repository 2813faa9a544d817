"""Tasks that end by word from outside: activities, jobs and callbacks, the ends of children."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from detent.core.children import describe_end
from detent.core.execution import RUNNING
from detent.core.signals import ChildEnded
from detent.core.tokens import hash_token, make_token
from detent.core.values import Payload

from .building import NOON, Flow, Play, fail, lines, machine, render, retrier, task, wait

CHILD = "arn:aws:states:::states:startExecution.sync"


def starting(resource: str = CHILD, **fields: Any) -> Play:
    """An execution that has started another one and waits for its end."""
    play = Play(machine(replace(task("T", mode="sync", **fields), resource=resource)))
    play.start({"n": 1})
    play.begin(3)
    play.submit(3, {"ExecutionArn": "arn:child"})
    return play


def ended(*states: Any, input: Any = None) -> Any:
    """The description of an execution of a machine with these states, a second long."""
    child = Play(machine(*states))
    child.start(input)
    child.later(1)
    for pending in list(child.execution.pending.values()):
        child.fire(pending.id)
    assert child.execution.status != RUNNING
    return describe_end(child.execution)


def test_the_end_of_a_child_is_the_result_of_a_job() -> None:
    play = starting()
    description = ended(wait("W", 1), input=[1])
    events = play.send(ChildEnded(3, Payload(description)))
    assert description == {
        "ExecutionArn": "arn:x",
        "Input": "[1]",
        "InputDetails": {"Included": True},
        "Name": "x",
        "Output": "[1]",
        "OutputDetails": {"Included": True},
        "RedriveCount": 0,
        "RedriveStatus": "NOT_REDRIVABLE",
        "RedriveStatusReason": "Execution is SUCCEEDED and cannot be redriven",
        "StartDate": NOON,
        "StateMachineArn": "arn:m",
        "Status": "SUCCEEDED",
        "StopDate": NOON + 1000,
    }
    assert [type(event).__name__ for event in events] == ["TaskSucceeded", "StateExited", "ExecutionEnded"]
    assert play.execution.output is not None
    assert play.execution.output.value == description


def test_the_second_form_answers_values() -> None:
    play = starting(CHILD + ":2")
    play.send(ChildEnded(3, Payload(ended(wait("W", 1), input={"a": None}))))
    assert play.execution.output is not None
    output = play.execution.output.value
    assert (output["Input"], output["Output"]) == ({"a": None}, {"a": None})


def test_the_end_of_a_child_that_failed_is_a_failure_with_its_description() -> None:
    play = starting()
    events = play.send(ChildEnded(3, Payload(ended(fail("F", "Boom", "why")))))
    cause = (
        '{"Cause":"why","Error":"Boom","ExecutionArn":"arn:x","Input":"{}","InputDetails":{"Included":true},'
        f'"Name":"x","RedriveCount":0,"RedriveStatus":"REDRIVABLE","StartDate":{NOON},'
        f'"StateMachineArn":"arn:m","Status":"FAILED","StopDate":{NOON}}}'
    )
    assert render(events, 6) == [
        f"6: 6<-5 TaskFailed pending 3 States.TaskFailed {cause}",
        f"7: 7<-6 ExecutionEnded FAILED States.TaskFailed {cause}",
    ]


def test_a_child_that_failed_can_be_tried_again() -> None:
    play = starting(retry=(retrier("States.TaskFailed"),))
    play.send(ChildEnded(3, Payload(ended(fail("F")))))
    play.later(1).fire(play.only().id)
    assert play.only().attempt == 2


def test_the_end_of_a_child_that_nobody_waits_for_changes_nothing() -> None:
    play = starting()
    play.succeed(3, "answered by token")
    assert play.send(ChildEnded(3, Payload(ended(fail("F"))))) == []
    other = Play(machine(task("T")))
    other.start()
    assert other.send(ChildEnded(3, Payload(ended(fail("F"))))) == []


def test_a_description_beyond_the_limit_fails_the_task() -> None:
    play = starting()
    play.send(ChildEnded(3, Payload(ended(wait("W", 1), input="x" * 600_000))))
    assert play.execution.error == "States.DataLimitExceeded"


def test_an_activity_runs_out_of_time_untaken_and_anew_once_it_is_taken() -> None:
    play = Play(machine(task("T", mode="activity", timeout=10, retry=(retrier(),))))
    assert render(play.start()) == lines(
        """
        1: 1<-0 ExecutionStarted {}
        2: 2<-0 StateEntered T {}
        3: 3<-2 TaskScheduled {} timeout 10 attempt 1
        4: - TaskOffered pending 3 due 10s
        """
    )
    assert render(play.later(10).time_out(3), 5) == lines(
        """
        5: 4<-3 TaskFailed pending 3 States.Timeout timed_out task
        6: - RetryScheduled retrier 0 due 11s last 4
        """
    )
    play.later(1).fire(6)
    pending = play.only()
    play.later(9).begin(pending.id)
    assert pending.due == NOON + 30_000
    assert play.later(5).time_out(pending.id) == []
    play.later(5).time_out(pending.id)
    assert play.execution.error == "States.Timeout"


def test_an_activity_without_a_timeout_waits_for_its_worker_without_end() -> None:
    play = Play(machine(task("T", mode="activity", heartbeat=5)))
    play.start()
    assert (play.only().due, play.only().beat_due) == (None, None)
    assert play.only().token == hash_token(make_token("seed-0", "arn:x", 3))


def test_only_who_takes_an_activity_sees_its_token() -> None:
    tokens = []

    def look(bindings: Any) -> Any:
        tokens.append(bindings.context.get("Task"))
        return None

    for mode in ("request", "activity", "sync", "token"):
        Play(machine(task("T", mode=mode, flow=Flow(make=look)))).start()
    shown = {"Token": make_token("seed-0", "arn:x", 3)}
    assert tokens == [None, None, shown, shown]
