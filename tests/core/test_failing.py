"""Who handles an error, what is torn down, and what the log says of it (language, section 6; history, section 4)."""

from __future__ import annotations

from typing import Any

import pytest

from detent.core.clocks import NOTES_MIN
from detent.core.errors import StateFailure
from detent.core.execution import ABORTED, FAILED, RUNNING, SUCCEEDED, TIMED_OUT, Pending

from .building import (
    NOON,
    Flow,
    Play,
    catcher,
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


def test_a_task_is_tried_again_and_then_caught() -> None:
    pay = task("Pay", retry=(retrier(attempts=1),), catch=(catcher("Refund"),))
    play = Play(machine(pay, do("Refund")))
    play.start()
    play.begin(3)
    play.fail(3)
    play.later(1).fire(6)
    play.begin(8)
    play.fail(8, "Boom", "why")
    assert render(play.events) == lines("""
        1: 1<-0 ExecutionStarted {}
        2: 2<-0 StateEntered Pay {}
        3: 3<-2 TaskScheduled {} attempt 1
        4: 4<-3 TaskStarted pending 3
        5: 5<-4 TaskFailed pending 3 Boom
        6: - RetryScheduled retrier 0 due 1s last 5
        7: - TimerFired pending 6
        8: 6<-5 TaskScheduled {} attempt 2
        9: 7<-6 TaskStarted pending 8
        10: 8<-7 TaskFailed pending 8 Boom why
        11: 9<-8 StateExited {"Error":"Boom","Cause":"why"} Refund
        12: 10<-9 StateEntered Refund {"Error":"Boom","Cause":"why"}
        13: 11<-10 StateExited {"Error":"Boom","Cause":"why"}
        14: 12<-11 ExecutionEnded SUCCEEDED {"Error":"Boom","Cause":"why"}
    """)


def test_an_uncaught_error_ends_the_execution() -> None:
    play = Play(machine(task("Pay")))
    play.start()
    assert render(play.fail(3, "Boom", "why"), 4) == lines("""
        4: 4<-3 TaskStarted pending 3
        5: 5<-4 TaskFailed pending 3 Boom why
        6: 6<-5 ExecutionEnded FAILED Boom why
    """)


def delays(*, attempts: int, **settings: object) -> list[float]:
    """The pauses before each retry of a task that always fails, in seconds."""
    play = Play(machine(task("T", retry=(retrier(attempts=attempts, **settings),))))  # type: ignore[arg-type]  # any
    play.start()
    found = []
    while play.execution.status == RUNNING:
        play.fail(play.only().id)
        if play.execution.status == RUNNING:
            due = play.only().due
            assert due is not None
            found.append((due - play.now) / 1000)
            play.now = due
            play.fire(play.only().id)
    return found


def test_the_pauses_between_attempts_grow() -> None:
    assert delays(attempts=4, interval=2, backoff=1.5) == [2, 3, 4.5, 6.75]
    assert delays(attempts=4, interval=2, backoff=2.0, max_delay=5) == [2, 4, 5, 5]
    assert delays(attempts=0) == []


def test_a_pause_too_large_for_a_float_is_the_longest_there_is() -> None:
    assert delays(attempts=2, interval=1, backoff=1e300)[1] == 99_999_999


def test_jitter_is_drawn_below_the_pause() -> None:
    drawn = delays(attempts=5, interval=10, backoff=1.0, jitter=True)
    assert all(0 <= delay <= 10 for delay in drawn)
    assert len(set(drawn)) == 5


def test_each_retrier_counts_for_itself_and_a_spent_one_goes_to_the_catchers() -> None:
    retriers = (retrier("A", attempts=1), retrier("B", attempts=1), retrier(attempts=5))
    play = Play(machine(task("T", retry=retriers, catch=(catcher("C"),)), do("C")))
    play.start()
    for error in ("A", "B", "A"):
        play.fail(play.only().id, error)
        if play.execution.status == RUNNING:
            play.later(1).fire(play.only().id)
    # The third retrier covers A as well, but the first decided.
    assert play.execution.status == SUCCEEDED
    assert play.execution.output is not None
    assert play.execution.output.value == {"Error": "A", "Cause": None}


def test_the_counters_begin_anew_with_each_visit() -> None:
    t = task("T", "T2", retry=(retrier(attempts=1),), catch=(catcher("T"),))
    play = Play(machine(t, do("T2")))
    play.start()
    for _ in range(3):
        play.fail(play.only().id)
        assert play.only().kind == "retry"
        play.later(1).fire(play.only().id)
        play.fail(play.only().id)
        assert play.only().attempt == 1


@pytest.mark.parametrize(
    ("error", "caught"),
    [
        ("Boom", True),
        ("States.Timeout", True),
        ("States.DataLimitExceeded", True),
        ("States.Runtime", False),
        (None, True),
    ],
)
def test_what_states_all_covers(error: str | None, caught: bool) -> None:
    play = Play(machine(task("T", catch=(catcher("C"),)), do("C")))
    play.start()
    play.fail(3, error)
    assert play.execution.status == (SUCCEEDED if caught else FAILED)


# Containers


def test_a_parallel_tries_all_branches_again() -> None:
    play = Play(
        machine(parallel("P", scope("/0", fail("F", "E")), scope("/1", wait("W", 60)), retry=(retrier(),)))
    )
    play.start()
    play.later(1).fire(play.only().id)
    assert render(play.events)[2:] == lines("""
        3: 3<-2 Forked width 2 limit 2
        4: - FrameOpened index 0 {}
        5: - FrameOpened index 1 {}
        6: 4<-3 StateEntered frame 1 F {}
        7: - FrameAborted frame 1
        8: - FrameAborted frame 2
        9: - RetryScheduled retrier 0 due 1s last 4
        10: - TimerFired pending 9
        11: 5<-4 Forked width 2 limit 2
        12: - FrameOpened index 0 {}
        13: - FrameOpened index 1 {}
        14: 6<-5 StateEntered frame 3 F {}
        15: - Halted frame 3
        16: - Halted frame 4
        17: 7<-6 JoinFailed
        18: 8<-7 ExecutionEnded FAILED E
    """)


def test_a_map_catches_what_an_iteration_failed_with() -> None:
    play = Play(machine(each("Each", scope("/i", task("T")), concurrency=2, catch=(catcher("C"),)), do("C")))
    play.start(["a", "b", "c"])
    play.succeed(7, "A")
    play.fail(9)
    assert render(play.events)[16:] == lines("""
        17: 17<-9 TaskStarted frame 2 pending 9
        18: 18<-17 TaskFailed frame 2 pending 9 Boom
        19: 19<-18 FrameAborted frame 2 iteration failed Task
        20: 21<-18 FrameAborted frame 3 iteration aborted Task
        21: 23<-18 JoinFailed
        22: 24<-23 StateExited {"Error":"Boom","Cause":null} C
        23: 25<-24 StateEntered C {"Error":"Boom","Cause":null}
        24: 26<-25 StateExited {"Error":"Boom","Cause":null}
        25: 27<-26 ExecutionEnded SUCCEEDED {"Error":"Boom","Cause":null}
    """)
    assert list(play.execution.frames) == [0]
    assert play.waiting() == []


def test_an_error_in_the_depth_goes_through_every_container() -> None:
    inner = each("Each", scope("/0/i", task("T")), concurrency=2)
    play = Play(machine(parallel("P", scope("/0", inner), scope("/1", wait("W", 60)))))
    play.start([1, 2, 3])
    play.fail(13)
    assert render(play.events)[15:] == lines("""
        16: 13<-10 TaskStarted frame 3 pending 13
        17: 14<-13 TaskFailed frame 3 pending 13 Boom
        18: 15<-14 Halted frame 3 iteration failed Task
        19: 17<-14 Halted frame 4 iteration aborted Task
        20: 19<-14 JoinFailed frame 1
        21: - Halted frame 1
        22: 20<-19 Halted frame 2 Wait
        23: 21<-19 JoinFailed
        24: 22<-21 ExecutionEnded FAILED Boom
    """)
    assert play.waiting() == []
    # The frames stay, so that it is known where the execution stood.
    assert {frame.id: frame.halted for frame in play.execution.frames.values()} == {
        0: False,
        1: True,
        2: True,
        3: True,
        4: True,
    }


def test_the_innermost_handler_is_asked_first() -> None:
    inner = each("Each", scope("/0/i", task("T")), catch=(catcher("In", "Inner"),))
    outer = parallel("P", scope("/0", inner, do("In")), catch=(catcher("Out"),))
    for error, output in (
        ("Inner", [{"Error": "Inner", "Cause": None}]),
        ("Outer", {"Error": "Outer", "Cause": None}),
    ):
        play = Play(machine(outer, do("Out")))
        play.start([1])
        play.fail(play.only().id, error)
        assert play.execution.output is not None
        assert play.execution.output.value == output


# What a Map state fails with itself, while iterations run


def too_large_at(index: int) -> object:
    """A selector whose result is beyond the limit for one item."""
    return lambda document, b: "x" * 2_000_000 if b.context["Map"]["Item"]["Index"] == index else "ok"


@pytest.mark.parametrize("index", [1, 2])
def test_a_map_that_fails_over_its_next_item_takes_the_open_iterations_down(index: int) -> None:
    state = each(
        "Each", scope("/i", task("T")), concurrency=2, selector=too_large_at(index), catch=(catcher("C"),)
    )
    play = Play(machine(state, task("C")))
    play.start([1, 2, 3])
    if index == 2:
        play.succeed(7, "A")
    assert [frame.state for frame in play.execution.frames.values()] == ["C"]
    assert [pending.resource for pending in play.execution.pending.values()] == ["task:C"]


def test_nothing_waits_after_a_map_failed_over_its_next_item() -> None:
    play = Play(machine(each("Each", scope("/i", task("T")), concurrency=2, selector=too_large_at(2))))
    play.start([1, 2, 3])
    play.succeed(7, "A")
    assert play.execution.status == FAILED
    assert play.waiting() == []
    assert render(play.events)[13:] == lines("""
        14: 14<-13 Halted frame 2 iteration aborted Task
        15: 16<-13 ExecutionEnded FAILED States.DataLimitExceeded The state/task 'Each' returned a result with a size \
exceeding the maximum number of bytes service limit.
    """)


def test_a_catcher_that_cannot_evaluate_hands_a_new_failure_outwards() -> None:
    def broken(bindings: object) -> object:
        raise StateFailure("Custom", "no such thing")

    inner = each("Each", scope("/0/i", task("T")), catch=(catcher("C", flow=Flow(output=broken)),))
    play = Play(
        machine(parallel("P", scope("/0", inner, do("C")), catch=(catcher("Out", "Custom"),)), do("Out"))
    )
    play.start([1, 2])
    play.fail(play.waiting()[0][0])
    assert play.execution.status == SUCCEEDED
    assert list(play.execution.frames) == [0]
    assert play.waiting() == []


# Clocks


def test_a_task_runs_out_of_time_from_its_beginning_on() -> None:
    play = Play(machine(task("T", timeout=5)))
    play.start()
    assert play.only().due is None
    play.later(100).begin(3)
    assert play.only().due == NOON + 105_000
    assert play.later(4.999).time_out(3) == []
    assert render(play.later(0.001).time_out(3), 5) == lines("""
        5: 5<-4 TaskFailed pending 3 States.Timeout timed_out task
        6: 6<-5 ExecutionEnded FAILED States.Timeout
    """)


def test_a_missed_heartbeat_is_a_timeout_in_the_history_and_a_name_of_its_own_in_matching() -> None:
    for name in ("States.HeartbeatTimeout", "States.Timeout", "States.ALL"):
        play = Play(machine(task("T", heartbeat=2, catch=(catcher("C", name),)), do("C")))
        play.start()
        play.begin(3)
        assert play.later(1.999).time_out(3, heartbeat=True) == []
        events = play.later(0.001).time_out(3, heartbeat=True)
        assert render(events, 5)[0] == "5: 5<-4 TaskFailed pending 3 States.Timeout timed_out heartbeat"
        assert play.execution.status == SUCCEEDED
    play = Play(machine(task("T", heartbeat=2)))
    play.start()
    play.begin(3)
    play.later(2).time_out(3, heartbeat=True)
    assert play.execution.error == "States.Timeout"


def test_tasks_that_run_out_of_time_at_one_instant_are_all_shown_before_one_fails_the_map() -> None:
    play = Play(machine(each("Each", scope("/i", task("T", timeout=5)))))
    play.start(["a", "b"])
    first, second = sorted(play.execution.pending)
    play.begin(first)
    play.begin(second)
    assert render(play.later(5).time_out(first), 12) == lines("""
        12: 12<-10 TaskFailed frame 1 pending 7 States.Timeout timed_out task
        13: 13<-11 TaskFailed frame 2 pending 9 States.Timeout timed_out task
        14: 14<-12 Halted frame 1 iteration failed Task
        15: 16<-12 Halted frame 2 iteration aborted Task
        16: 18<-12 JoinFailed
        17: 19<-18 ExecutionEnded FAILED States.Timeout
    """)
    play.redrive()
    assert [kind for _, kind in play.waiting()] == ["task", "task"]


def test_tasks_that_run_out_of_time_at_one_instant_are_each_caught() -> None:
    caught = (task("T", timeout=5, catch=(catcher("C", "States.Timeout"),)), do("C"))
    beating = (task("T", heartbeat=5, catch=(catcher("C", "States.HeartbeatTimeout"),)), do("C"))
    late = (task("T", timeout=6, catch=(catcher("C"),)), do("C"))
    play = Play(machine(parallel("P", scope("/0", *caught), scope("/1", *beating), scope("/2", *late))))
    play.start()
    first, second, third = sorted(play.execution.pending)
    for id in (first, second, third):
        play.begin(id)
    play.later(5).time_out(first)
    assert play.waiting() == [(third, "task")]
    play.later(1).time_out(third)
    assert play.execution.status == SUCCEEDED


def test_what_was_late_before_a_task_began_or_gave_a_sign_of_life_is_known_by_its_new_deadline() -> None:
    body = scope("/i", task("T", timeout=5, heartbeat=5, catch=(catcher("C"),)), do("C"))
    play = Play(machine(each("Each", body)))
    play.start(["a", "b", "c", "d"])
    first, second, third, fourth = sorted(play.execution.pending)
    for id in (first, second, third):
        play.begin(id)
    third_pending = play.execution.pending[third]
    play.execution.set_clocks(third_pending, third_pending.due, NOON + 8_000)
    play.later(5).time_out(first)
    assert [id for id, _ in play.waiting()] == [fourth]  # the time of the third is over, though it lives
    play.begin(fourth)
    fourth_pending = play.execution.pending[fourth]
    play.execution.set_clocks(fourth_pending, NOON + 20_000, NOON + 12_000)
    assert play.later(5).time_out(fourth) == []
    assert [late.id for late in play.execution.over_at(NOON + 12_000)] == [fourth]
    assert play.execution.over_at(NOON + 10_000) == []


class _Counted(dict[int, Pending]):
    """What an execution waits for, counting how many were looked at."""

    looked = 0

    def values(self) -> Any:
        self.looked += len(self)
        return super().values()

    def get(self, id: int, default: Any = None) -> Any:
        self.looked += 1
        return super().get(id, default)


@pytest.mark.parametrize("apart", [0, 1], ids=["at one instant", "each at its own"])
def test_a_task_that_runs_out_of_time_is_as_little_work_beside_many_others(apart: int) -> None:
    looked = []
    for tasks in (100, 1_000):
        body = scope("/i", task("T", timeout=5, catch=(catcher("C"),)), do("C"))
        play = Play(machine(each("Each", body)))
        play.start(list(range(tasks)))
        _go_on(play)
        for id in list(play.execution.pending):
            play.later(apart / 1000).begin(id)
        waits = play.execution.pending = _Counted(play.execution.pending)
        play.later(5)
        for id in list(waits):
            play.time_out(id)
        looked.append(waits.looked / tasks)
        _go_on(play)
        assert play.execution.status == SUCCEEDED
    assert looked[1] <= 2 * looked[0]


def _go_on(play: Play) -> None:
    """Have an execution do what it left for another turn."""
    while more := [id for id, kind in play.waiting() if kind == "more"]:
        play.fire(more[0])


def test_deadlines_that_passed_by_are_not_kept_for_ever() -> None:
    play = Play(
        machine(task("T", timeout=5, retry=(retrier(attempts=5_000),), catch=(catcher("C"),)), do("C"))
    )
    play.start()
    for _ in range(2 * NOTES_MIN):
        play.begin(play.only().id)
        play.later(5).time_out(play.only().id)
        play.later(1).fire(play.only().id)
    clocks = play.execution.clocks
    assert (
        clocks is None
        or sum(len(clocks.at(instant)) for instant in range(NOON, play.now, 1_000)) <= NOTES_MIN
    )


def test_each_attempt_has_clocks_of_its_own() -> None:
    play = Play(machine(task("T", timeout=5, retry=(retrier(),))))
    play.start()
    play.begin(3)
    play.later(5).time_out(3)
    play.later(1).fire(play.only().id)
    play.begin(play.only().id)
    assert play.only().due == NOON + 11_000


def test_the_machines_own_time_ends_the_execution() -> None:
    play = Play(machine(parallel("P", scope("/0", task("T")), scope("/1", wait("W", 60))), timeout=9))
    play.start()
    assert play.later(8.999).time_out() == []
    assert render(play.later(0.001).time_out(), 10) == lines("""
        10: 7<-0 Halted frame 1 Task
        11: 8<-0 Halted frame 2 Wait
        12: 9<-0 Halted Parallel
        13: 10<-0 ExecutionEnded TIMED_OUT States.Timeout
    """)
    assert (play.execution.status, play.waiting()) == (TIMED_OUT, [])


def test_stopping_ends_what_waits() -> None:
    play = Play(machine(do("A", "W"), wait("W", 60)))
    play.start()
    assert render(play.stop("Why", "because"), 6) == lines("""
        6: - Halted
        7: 5<-3 ExecutionEnded ABORTED Why because
    """)
    assert (play.execution.status, play.waiting()) == (ABORTED, [])


def test_stopping_where_the_history_has_no_room_to_show_it() -> None:
    body = scope("/i", task("T", "Again"), do("Again", "T"))
    play = Play(machine(each("Each", body)), profile="aws")
    play.start(list(range(40)))
    while play.execution.shown < 24_950:
        play.succeed(play.waiting()[0][0], 0)
    play.stop()
    assert play.execution.shown <= 25_000
    assert (play.execution.status, play.waiting()) == (ABORTED, [])


def test_error_and_cause_are_cut_to_what_an_execution_keeps() -> None:
    play = Play(machine(task("T")))
    play.start()
    play.fail(3, "E" * 300, "c" * 40_000)
    assert (len(play.execution.error or ""), len(play.execution.cause or "")) == (256, 32_768)
