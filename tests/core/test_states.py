"""What each type of state leaves in the log, with the ids the shown history gives (history, sections 3 and 4)."""

from __future__ import annotations

from detent.core.execution import FAILED, RUNNING, SUCCEEDED

from .building import (
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
    result,
    scope,
    succeed,
    task,
    wait,
)


def test_pass_then_succeed() -> None:
    play = Play(machine(do("A", "B"), succeed("B")))
    assert render(play.start({"n": 1})) == lines("""
        1: 1<-0 ExecutionStarted {"n":1}
        2: 2<-0 StateEntered A {"n":1}
        3: 3<-2 StateExited {"n":1} B
        4: 4<-3 StateEntered B {"n":1}
        5: 5<-4 StateExited {"n":1}
        6: 6<-5 ExecutionEnded SUCCEEDED {"n":1}
    """)
    assert (play.execution.status, play.waiting()) == (SUCCEEDED, [])


def test_a_task_is_scheduled_begun_and_answered() -> None:
    play = Play(machine(task("Pay", flow=Flow(output=lambda b: {"paid": b.result}))))
    play.start({"n": 1})
    assert play.waiting() == [(3, "task")]
    play.begin(3)
    play.succeed(3, 7)
    assert render(play.events) == lines("""
        1: 1<-0 ExecutionStarted {"n":1}
        2: 2<-0 StateEntered Pay {"n":1}
        3: 3<-2 TaskScheduled {"n":1} attempt 1
        4: 4<-3 TaskStarted pending 3
        5: 5<-4 TaskSucceeded pending 3 7
        6: 6<-5 StateExited {"paid":7}
        7: 7<-6 ExecutionEnded SUCCEEDED {"paid":7}
    """)


def test_the_end_of_a_task_implies_its_beginning() -> None:
    play = Play(machine(task("Pay")))
    play.start()
    assert render(play.succeed(3), 4)[:2] == lines("""
        4: 4<-3 TaskStarted pending 3
        5: 5<-4 TaskSucceeded pending 3 null
    """)


def test_a_callback_is_submitted_once_and_goes_on_waiting() -> None:
    play = Play(machine(task("Ask", mode="token")))
    play.start()
    assert render(play.submit(3, {"sent": True}), 4) == lines("""
        4: 4<-3 TaskStarted pending 3
        5: 5<-4 TaskSubmitted pending 3 {"sent":true}
    """)
    assert play.submit(3, {"sent": True}) == []
    assert play.waiting() == [(3, "task")]
    assert render(play.succeed(3), 6)[0] == "6: 6<-5 TaskSucceeded pending 3 null"


def test_wait_ends_at_its_instant() -> None:
    play = Play(machine(wait("W", 60)))
    assert render(play.start())[2:] == ["3: - WaitStarted due 60s absolute False"]
    assert play.later(60).fire(3)
    assert render(play.events)[3:] == lines("""
        4: - TimerFired pending 3
        5: 3<-2 StateExited {}
        6: 4<-3 ExecutionEnded SUCCEEDED {}
    """)


def test_choice_goes_where_the_first_true_rule_says() -> None:
    rules = ((lambda d: d > 10, "Large"), (lambda d: d > 5, "Middle"))
    small = machine(choice("Size", *rules, default="Small"), do("Large"), do("Middle"), do("Small"))
    for number, target in ((11, "Large"), (6, "Middle"), (1, "Small")):
        play = Play(small)
        play.start(number)
        assert render(play.events)[2:4] == [
            f"3: 3<-2 StateExited {number} {target}",
            f"4: 4<-3 StateEntered {target} {number}",
        ]


def test_choice_without_a_way_out_fails() -> None:
    play = Play(machine(choice("Size", (lambda d: False, "Large")), do("Large")))
    assert render(play.start(1))[2:] == lines("""
        3: 3<-2 ExecutionEnded FAILED States.Runtime An error occurred while executing the state 'Size' \
(entered at the event id #2). Failed to transition out of the state. The state does not point to a next state.
    """)


def test_fail_is_entered_and_never_exited() -> None:
    play = Play(machine(fail("No", "Rejected", "too late")))
    assert render(play.start())[1:] == lines("""
        2: 2<-0 StateEntered No {}
        3: 3<-2 ExecutionEnded FAILED Rejected too late
    """)


def test_a_fail_state_may_say_nothing() -> None:
    play = Play(machine(fail("No")))
    play.start()
    assert (play.execution.status, play.execution.error, play.execution.cause) == (FAILED, None, None)


def test_parallel_joins_in_order_of_branches() -> None:
    both = parallel("Both", scope("/0", task("T")), scope("/1", wait("W", 60)), next="End")
    play = Play(machine(both, succeed("End")))
    play.start({"n": 1})
    assert play.waiting() == [(7, "task"), (9, "timer")]
    play.later(60).fire(9)
    play.succeed(7, "done")
    assert render(play.events)[2:] == lines("""
        3: 3<-2 Forked width 2 limit 2
        4: - FrameOpened index 0 {"n":1}
        5: - FrameOpened index 1 {"n":1}
        6: 4<-3 StateEntered frame 1 T {"n":1}
        7: 5<-4 TaskScheduled frame 1 {"n":1} attempt 1
        8: 6<-3 StateEntered frame 2 W {"n":1}
        9: - WaitStarted frame 2 due 60s absolute False
        10: - TimerFired frame 2 pending 9
        11: 7<-6 StateExited frame 2 {"n":1}
        12: - FrameClosed frame 2 {"n":1} last 7
        13: 8<-5 TaskStarted frame 1 pending 7
        14: 9<-8 TaskSucceeded frame 1 pending 7 "done"
        15: 10<-9 StateExited frame 1 "done"
        16: - FrameClosed frame 1 "done" last 10
        17: 11<-10 Joined
        18: 12<-10 StateExited ["done",{"n":1}] End
        19: 13<-12 StateEntered End ["done",{"n":1}]
        20: 14<-13 StateExited ["done",{"n":1}]
        21: 15<-14 ExecutionEnded SUCCEEDED ["done",{"n":1}]
    """)


def test_map_one_at_a_time_chains_its_iterations() -> None:
    play = Play(machine(each("Each", scope("/i", do("P")), concurrency=1)))
    play.start(["a", "b"])
    assert render(play.events)[2:] == lines("""
        3: 3<-2 Forked width 2 limit 1 ["a","b"]
        4: 4<-3 FrameOpened index 0 "a"
        5: 5<-4 StateEntered frame 1 P "a"
        6: 6<-5 StateExited frame 1 "a"
        7: 7<-6 FrameClosed frame 1 "a" last 7
        8: 8<-6 FrameOpened index 1 "b"
        9: 9<-8 StateEntered frame 2 P "b"
        10: 10<-9 StateExited frame 2 "b"
        11: 11<-10 FrameClosed frame 2 "b" last 11
        12: 12<-11 Joined
        13: 13<-11 StateExited ["a","b"]
        14: 14<-13 ExecutionEnded SUCCEEDED ["a","b"]
    """)


def test_map_at_once_moves_its_iterations_on_in_turn() -> None:
    play = Play(machine(each("Each", scope("/i", do("P", "Q"), do("Q")))))
    play.start([1, 2])
    assert render(play.events)[2:10] == lines("""
        3: 3<-2 Forked width 2 limit 1000 [1,2]
        4: 4<-3 FrameOpened index 0 1
        5: 5<-3 FrameOpened index 1 2
        6: 6<-4 StateEntered frame 1 P 1
        7: 7<-6 StateExited frame 1 1 Q
        8: 8<-5 StateEntered frame 2 P 2
        9: 9<-8 StateExited frame 2 2 Q
        10: 10<-7 StateEntered frame 1 Q 1
    """)
    assert play.execution.status == SUCCEEDED


def test_map_opens_the_next_iteration_when_one_closes() -> None:
    play = Play(machine(each("Each", scope("/i", task("T")), concurrency=2)))
    play.start(["a", "b", "c"])
    assert play.waiting() == [(7, "task"), (9, "task")]
    play.succeed(9, "B")
    assert play.waiting() == [(7, "task"), (16, "task")]
    play.succeed(16, "C")
    play.succeed(7, "A")
    assert play.execution.output is not None
    assert play.execution.output.value == ["A", "B", "C"]


def test_map_over_nothing() -> None:
    play = Play(machine(each("Each", scope("/i", do("P")))))
    assert render(play.start([]))[2:] == lines("""
        3: 3<-2 Forked width 0 limit 1000 []
        4: 4<-3 Joined
        5: 5<-3 StateExited []
        6: 6<-5 ExecutionEnded SUCCEEDED []
    """)


def test_map_in_a_branch_hands_its_last_event_up() -> None:
    inner = each("Each", scope("/0/i", do("P")))
    play = Play(machine(parallel("Both", scope("/0", inner), scope("/1", do("Q")))))
    play.start([1])
    assert render(play.events)[5:] == lines("""
        6: 4<-3 StateEntered frame 1 Each [1]
        7: 5<-4 Forked frame 1 width 1 limit 1000 [1]
        8: 6<-5 FrameOpened frame 1 index 0 1
        9: 7<-3 StateEntered frame 2 Q [1]
        10: 8<-7 StateExited frame 2 [1]
        11: - FrameClosed frame 2 [1] last 8
        12: 9<-6 StateEntered frame 3 P 1
        13: 10<-9 StateExited frame 3 1
        14: 11<-10 FrameClosed frame 3 1 last 11
        15: 12<-11 Joined frame 1
        16: 13<-11 StateExited frame 1 [1]
        17: - FrameClosed frame 1 [1] last 13
        18: 14<-13 Joined
        19: 15<-13 StateExited [[1],[1]]
        20: 16<-15 ExecutionEnded SUCCEEDED [[1],[1]]
    """)


def test_the_selector_sees_item_and_index() -> None:
    selector = lambda document, b: [b.context["Map"]["Item"]["Index"], b.context["Map"]["Item"]["Value"]]  # noqa: E731
    play = Play(machine(each("Each", scope("/i", do("P")), selector=selector)))
    play.start(["a", "b"])
    assert play.execution.output is not None
    assert play.execution.output.value == [[0, "a"], [1, "b"]]


# Variables (language, section 5)


def test_variables_are_read_from_the_next_state_on_and_from_inner_scopes() -> None:
    read = Flow(make=lambda b: dict(b.variables))
    assigning = Flow(output=lambda b: dict(b.variables), assign=lambda b: {"x": 1})
    inner = do("In", flow=Flow(make=lambda b: dict(b.variables), assign=lambda b: {"y": 2}))
    both = parallel("Both", scope("/0", inner), scope("/1", do("Other", flow=read)), next="After")
    play = Play(machine(do("A", "Both", assigning), both, do("After", flow=read)))
    play.start()
    shown = render(play.events)
    assert shown[2] == "3: 3<-2 StateExited {} assigned x=1 Both"
    assert any('frame 1 {"x":1} assigned y=2' in line for line in shown)
    assert any('frame 2 {"x":1}' in line for line in shown)  # a sibling does not see y
    assert play.execution.output is not None
    assert play.execution.output.value == {"x": 1}  # nor does the scope around it


def test_the_input_of_an_execution_reaches_every_state_through_the_context() -> None:
    play = Play(
        machine(do("A", "B", result(1)), do("B", flow=Flow(make=lambda b: b.context["Execution"]["Input"])))
    )
    play.start({"first": True})
    assert play.execution.output is not None
    assert play.execution.output.value == {"first": True}


# Limits


def test_a_long_pure_run_yields_to_others() -> None:
    count = Flow(make=lambda b: b.input + 1)
    loop = machine(
        do("Add", "More", count), choice("More", (lambda d: d < 600, "Add"), default="End"), do("End")
    )
    play = Play(loop)
    play.start(0)
    turns = 1
    while play.execution.status == RUNNING:
        assert play.only().kind == "more"
        assert play.only().due == play.now
        play.fire(play.only().id)
        turns += 1
    assert turns == 3  # 1,201 states, 500 in a turn
    assert play.execution.output is not None
    assert play.execution.output.value == 600


def test_a_run_that_makes_much_yields_to_others() -> None:
    grow = Flow(make=lambda b: {"text": "x" * 200_000, "count": b.input["count"] + 1})
    loop = machine(
        do("Make", "More", grow),
        choice("More", (lambda d: d["count"] < 10, "Make"), default="End"),
        do("End", flow=Flow(make=lambda b: b.input["count"])),
    )
    play = Play(loop)
    play.start({"count": 0})
    turns = 1
    while play.execution.status == RUNNING:
        assert play.only().kind == "more"
        play.fire(play.only().id)
        turns += 1
    assert turns == 4  # ten values of 200 kB, three of them in a turn
    assert play.execution.output is not None
    assert play.execution.output.value == 10


def test_an_endless_loop_fails_as_event_25_000_in_the_profile_of_the_service() -> None:
    play = Play(machine(do("A", "B"), do("B", "A")), profile="aws")
    play.start()
    while play.execution.status == RUNNING:
        play.fire(play.only().id)
    assert play.execution.shown == 25_000
    assert (play.execution.status, play.execution.error) == (FAILED, "States.Runtime")
    assert play.execution.cause == "The execution reached the maximum number of history events (25000)."
    assert play.waiting() == []


def test_a_full_history_leaves_nothing_waiting() -> None:
    body = scope("/i", task("T", "Again"), do("Again", "T"))
    play = Play(machine(each("Each", body)), profile="aws")
    play.start(list(range(30)))
    while play.execution.status == RUNNING:
        for id, _ in play.waiting():
            play.succeed(id, 0)
    assert play.execution.shown == 25_000
    assert play.execution.error == "States.Runtime"
    assert play.waiting() == []


def test_an_output_beyond_the_limit_fails_its_state() -> None:
    play = Play(machine(do("Big", flow=result("x" * 262_143))), profile="aws")
    play.start()
    assert render(play.events)[2:] == lines("""
        3: 3<-2 ExecutionEnded FAILED States.DataLimitExceeded The state/task 'Big' returned a result with a size \
exceeding the maximum number of bytes service limit.
    """)


def test_a_result_beyond_the_limit_fails_its_task() -> None:
    play = Play(machine(task("T")), profile="aws")
    play.start()
    shown = render(play.succeed(3, "x" * 262_143), 4)
    assert shown[1].startswith(
        "5: 5<-4 TaskFailed pending 3 States.DataLimitExceeded The state/task 'task:T' returned"
    )


def test_variables_beyond_the_limit_fail_their_state() -> None:
    play = Play(machine(do("A", flow=Flow(assign=lambda b: {"x": "y" * 262_144}))), profile="aws")
    play.start()
    assert play.execution.error == "States.Runtime"


def test_a_value_that_is_no_json_fails_its_state() -> None:
    play = Play(machine(do("A", flow=result(float("nan")))))
    play.start()
    assert (play.execution.status, play.execution.error) == (FAILED, "States.Runtime")
