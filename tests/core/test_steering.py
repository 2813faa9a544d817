"""Named signals, pauses and amendments: what people outside may do to an execution that runs."""

from __future__ import annotations

from detent.core.errors import TIMEOUT
from detent.core.signals import Paused, Resumed

from .building import (
    NOON,
    Flow,
    Play,
    asks,
    catcher,
    do,
    each,
    machine,
    parallel,
    render,
    retrier,
    scope,
    task,
    wait,
)


def output(play: Play) -> object:
    assert play.execution.output is not None
    return play.execution.output.value


def state(play: Play) -> tuple[str, object]:
    return play.execution.status, play.execution.output and play.execution.output.value


# Named signals


def test_a_task_waits_for_the_signal_of_its_name() -> None:
    play = Play(machine(asks("Ask")))
    play.start({"n": 1})
    assert [type(event).__name__ for event in play.events] == [
        "ExecutionStarted",
        "StateEntered",
        "TaskScheduled",
        "TaskStarted",
    ]
    assert [type(event).__name__ for event in play.signal("other", 1)] == ["SignalReceived"]
    assert render(play.signal("go", {"approved": True}), 6) == [
        '6: - SignalReceived key by-hand-2 {"approved":true}',
        '7: 5<-4 TaskSucceeded pending 3 {"approved":true}',
        '8: 6<-5 StateExited {"approved":true}',
        '9: 7<-6 ExecutionEnded SUCCEEDED {"approved":true}',
    ]


def test_a_signal_that_comes_early_is_kept_until_a_task_waits_for_it() -> None:
    play = Play(machine(wait("Before", 5, "Ask"), asks("Ask", "Again"), asks("Again")))
    play.start()
    play.signal("go", "first")
    play.signal("go", "second")
    play.signal("go", "third")
    play.later(5).fire(play.only().id)
    assert state(play) == ("SUCCEEDED", "second")
    assert [kept.value for kept in play.execution.signals["go"]] == ["third"]


def test_one_signal_answers_the_task_that_waits_longest() -> None:
    play = Play(machine(each("Each", scope("/Each", asks("Ask")))))
    play.start([1, 2, 3])
    play.signal("go", "a")
    play.signal("go", "b")
    assert [play.execution.frames[one.frame].index for one in play.execution.pending.values()] == [2]
    play.signal("go", "c")
    assert output(play) == ["a", "b", "c"]


def test_a_signal_with_a_key_that_is_known_counts_once() -> None:
    play = Play(machine(asks("One", "Two"), asks("Two")))
    play.start()
    play.signal("go", 1, key="k")
    assert play.signal("go", 2, key="k") == []
    play.signal("go", 3, key="l")
    assert output(play) == 3


def test_the_time_for_a_signal_runs_from_when_it_is_awaited() -> None:
    play = Play(machine(asks("Ask", timeout=60, catch=(catcher("Late"),)), do("Late")))
    play.start()
    assert play.only().due == NOON + 60_000
    play.later(60).time_out(play.only().id)
    assert output(play) == {"Error": TIMEOUT, "Cause": ""}


def test_nothing_but_its_signal_answers_the_task() -> None:
    play = Play(machine(asks("Ask")))
    play.start()
    assert play.succeed(3) == play.submit(3) == play.begin(3) == []


def test_a_signal_is_an_answer_like_any_other() -> None:
    flow = Flow(output=lambda b: {"by": b.result["name"]}, assign=lambda b: {"answer": b.result})
    play = Play(
        machine(asks("Ask", "Then", flow=flow), do("Then", flow=Flow(make=lambda b: b.variables["answer"])))
    )
    play.start()
    play.signal("go", {"name": "Ann"})
    assert output(play) == {"name": "Ann"}


def test_a_signal_beyond_the_payload_limit_changes_nothing() -> None:
    play = Play(machine(asks("Ask")), profile="aws")
    play.start()
    assert play.signal("go", "x" * 300_000) == []


# Pause and resume


def test_a_paused_execution_records_the_answer_and_enters_nothing() -> None:
    play = Play(machine(task("A", "B"), task("B")))
    play.start()
    play.pause()
    assert [type(event).__name__ for event in play.succeed(3, "done")][-2:] == ["StateExited", "Yielded"]
    held = play.only()
    assert held.kind == "more"
    assert play.execution.due() is None
    assert play.later(9).fire(held.id) == []
    names = [type(event).__name__ for event in play.resume()]
    assert names == ["ExecutionResumed", "TimerFired", "StateEntered", "TaskScheduled"]
    play.succeed(play.only().id, "end")
    assert output(play) == "end"


def test_a_wait_that_is_over_while_paused_is_left_and_nothing_follows() -> None:
    play = Play(machine(wait("W", 5, "Next"), do("Next")))
    play.start()
    play.pause()
    assert play.execution.due() == NOON + 5_000
    names = [type(event).__name__ for event in play.later(5).fire(play.only().id)]
    assert names == ["TimerFired", "StateExited", "Yielded"]
    play.resume()
    assert play.execution.status == "SUCCEEDED"


def test_a_retry_that_is_due_while_paused_is_made_when_resumed() -> None:
    play = Play(machine(task("A", retry=(retrier(interval=5),))))
    play.start()
    play.pause()
    play.fail(3)
    retry = play.only()
    assert (retry.kind, play.execution.due()) == ("retry", None)
    assert play.later(5).fire(retry.id) == []
    assert [type(event).__name__ for event in play.resume()][1:] == ["TimerFired", "TaskScheduled"]


def test_a_retry_that_is_not_due_when_resumed_waits_on() -> None:
    play = Play(machine(task("A", retry=(retrier(interval=5),))))
    play.start()
    play.pause()
    play.fail(3)
    assert [type(event).__name__ for event in play.later(1).resume()] == ["ExecutionResumed"]
    assert play.execution.due() == NOON + 5_000
    play.later(4).fire(play.only().id)
    assert play.only().kind == "task"


def test_deadlines_run_while_paused() -> None:
    play = Play(machine(task("A", timeout=9, catch=(catcher("Late"),)), do("Late"), timeout=60))
    play.start()
    play.begin(3)
    play.pause()
    assert play.execution.due() == NOON + 9_000
    play.later(9).time_out(3)
    assert play.only().kind == "more"
    play.later(60).time_out()
    assert play.execution.status == "TIMED_OUT"
    assert not play.execution.paused


def test_branches_and_iterations_are_held_too() -> None:
    play = Play(machine(each("Each", scope("/Each", task("T")), concurrency=1), do("Z")))
    play.start([1, 2])
    play.pause()
    play.succeed(play.only().id, "a")
    assert play.only().kind == "more"
    play.resume()
    play.succeed(play.only().id, "b")
    assert output(play) == ["a", "b"]


def test_the_last_answer_ends_a_paused_execution() -> None:
    play = Play(machine(task("A")))
    play.start()
    play.pause()
    play.succeed(3, "done")
    assert state(play) == ("SUCCEEDED", "done")


def test_a_signal_is_taken_while_paused_and_nothing_follows() -> None:
    play = Play(machine(asks("Ask", "Then"), do("Then")))
    play.start()
    play.pause()
    play.signal("go", 7)
    assert (play.only().kind, play.execution.frames[0].input.value) == ("more", 7)
    play.resume()
    assert output(play) == 7


def test_an_earlier_pause_that_arrives_again_does_not_count() -> None:
    play = Play(machine(task("A", "B"), task("B")))
    play.start()
    assert len(play.send(Paused("p"))) == len(play.send(Paused("q"))) == len(play.send(Resumed("r"))) == 1
    assert play.send(Paused("p")) == play.send(Paused("q")) == play.send(Resumed("r")) == []
    assert not play.execution.paused


def test_a_stop_ends_a_paused_execution() -> None:
    play = Play(machine(task("A", "B"), task("B")))
    play.start()
    play.pause()
    play.succeed(3)
    play.stop()
    assert play.execution.status == "ABORTED"


# Amendments


def test_a_value_given_is_the_result_of_the_task_that_waits() -> None:
    play = Play(machine(task("A", "B", flow=Flow(output=lambda b: [b.result])), do("B")))
    play.start()
    events = play.amend(3, "given")
    assert render(events, 4)[:3] == [
        "4: 4<-3 TaskStarted pending 3",
        '5: 5<-4 StateAmended pending 3 "given"',
        '6: 6<-5 StateExited ["given"] B',
    ]
    assert output(play) == ["given"]


def test_a_value_given_ends_a_wait_and_a_retry() -> None:
    play = Play(machine(wait("W", 99, "A"), task("A", retry=(retrier(interval=99),))))
    play.start()
    play.amend(play.only().id, "from the wait")
    assert play.only().arguments is not None
    assert play.only().arguments.value == "from the wait"
    play.fail(play.only().id)
    play.amend(play.only().id, "from the retry")
    assert output(play) == "from the retry"


def test_a_value_can_be_given_for_one_branch_of_several() -> None:
    play = Play(machine(parallel("Both", scope("/0", task("A")), scope("/1", asks("B")))))
    play.start()
    play.amend(play.waiting()[1][0], "b")
    play.succeed(play.only().id, "a")
    assert output(play) == ["a", "b"]


def test_a_value_for_what_waits_no_longer_changes_nothing() -> None:
    play = Play(machine(task("A", "B"), task("B")))
    play.start()
    play.pause()
    play.succeed(3)
    held = play.only()
    assert held.kind == "more"
    assert play.amend(3, "late") == play.amend(held.id, "not a state") == []
