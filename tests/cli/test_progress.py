"""Events fold into rows and sentences."""

from __future__ import annotations

from detent.cli.progress import ROWS_MAX, TRACKS_KEPT
from detent.cli.words import seconds
from detent.visits import Status

from .playing import Play, each, task


def test_a_task_from_its_start_to_its_end() -> None:
    play = Play({"Work": task()})
    assert play.said == ["play started as one", "Work entered", "Work calls task:work"]
    assert play.progress.root.row.status is Status.RUNNING
    play.pass_time(2.5)
    play.answer("Work")
    assert play.said[3:] == ["Work done after 2.5 s", "SUCCEEDED after 2.5 s"]
    assert play.progress.root.row.status is Status.SUCCEEDED
    assert play.progress.status == "SUCCEEDED"


def test_retries_are_counted_against_what_is_allowed() -> None:
    play = Play({"Work": task(Retry=[{"ErrorEquals": ["Busy"], "IntervalSeconds": 2, "MaxAttempts": 3}])})
    play.fail("Work", "Busy", "come back later")
    row = play.progress.root.row
    assert (row.status, row.attempt, row.attempts, row.error) == (Status.RETRYING, 2, 4, "Busy")
    assert row.until == play.now + 2000
    play.fire("Work")
    assert row.status is Status.RUNNING
    play.answer("Work")
    assert play.said[3:] == [
        "Work failed: Busy: come back later",
        "Work retry in 2.0 s (attempt 2 of 4)",
        "Work calls task:work (attempt 2)",
        "Work done after 2.0 s",
        "SUCCEEDED after 2.0 s",
    ]
    assert row.status is Status.SUCCEEDED


def test_a_catcher_leads_on() -> None:
    play = Play(
        {
            "Work": task("Go on", Catch=[{"ErrorEquals": ["States.ALL"], "Next": "Undo"}]),
            "Go on": {"Type": "Succeed"},
            "Undo": {"Type": "Pass", "End": True},
        }
    )
    play.fail("Work", "Broken")
    assert play.said[3:6] == ["Work failed: Broken", "Work caught: Broken -> Undo", "Undo entered"]
    assert play.progress.root.rows[0].status is Status.CAUGHT


def test_a_wait_says_until_when() -> None:
    play = Play({"Hold": {"Type": "Wait", "Seconds": 90, "End": True}})
    assert play.said[-1] == "Hold waits 1 min 30 s"
    row = play.progress.root.row
    assert (row.status, row.until) == (Status.WAITING, play.now + 90_000)
    play.fire("Hold")
    assert (row.status, row.until) == (Status.SUCCEEDED, None)


def test_a_choice_says_what_it_chose() -> None:
    play = Play(
        {
            "Which": {
                "Type": "Choice",
                "Choices": [{"Variable": "$", "NumericEquals": 1, "Next": "One"}],
                "Default": "Other",
            },
            "One": {"Type": "Succeed"},
            "Other": {"Type": "Fail", "Error": "Nothing", "Cause": "fits"},
        },
        2,
    )
    assert play.said[1:] == ["Which entered", "Which chose Other", "Other entered", "FAILED after 0 ms"]
    row = play.progress.root.row
    assert (row.status, row.error, row.cause) == (Status.FAILED, "Nothing", "fits")


def test_branches_have_tracks_of_their_own_and_the_first_failure_ends_them() -> None:
    branch = [{"StartAt": name, "States": {name: task()}} for name in ("Left", "Right")]
    play = Play(
        {
            "Both": {
                "Type": "Parallel",
                "Branches": branch,
                "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Undo"}],
                "End": True,
            },
            "Undo": {"Type": "Pass", "End": True},
        }
    )
    assert "Both 2 branches" in play.said
    assert "Both[1] > Right entered" in play.said
    play.fail("Right", "Broken")
    both = play.progress.root.rows[0]
    assert both.fan is not None
    assert [track.status for track in both.fan.tracks.values()] == [Status.ABORTED, Status.FAILED]
    assert (both.status, both.error) == (Status.CAUGHT, "Broken")
    assert "Both[0] > Left aborted" in play.said
    assert "Both caught: Broken -> Undo" in play.said


def test_a_narrow_map_keeps_its_iterations() -> None:
    play = Play({"Every": each(task(), MaxConcurrency=2)}, [1, 2, 3])
    fan = play.progress.root.row.fan
    assert fan is not None
    assert "Every 3 items, 2 at a time" in play.said
    assert (fan.width, fan.opened, fan.running, fan.done) == (3, 2, 2, 0)
    play.answer("Item", index=0)
    assert (fan.opened, fan.running, fan.done) == (3, 2, 1)
    assert [track.status for track in fan.tracks.values()] == [
        Status.SUCCEEDED,
        Status.RUNNING,
        Status.RUNNING,
    ]


def test_a_wide_map_keeps_what_lives_and_counts_the_rest() -> None:
    width = 10 * TRACKS_KEPT
    play = Play({"Every": each(task(), MaxConcurrency=5)}, list(range(width)))
    for index in range(width - 3):
        play.answer("Item", index=index)
    fan = play.progress.root.row.fan
    assert fan is not None
    assert (fan.done, fan.running, len(fan.tracks)) == (width - 3, 3, 3)


def test_an_item_that_fails_for_good_fails_the_map() -> None:
    play = Play({"Every": each(task())}, [1, 2, 3])
    play.fail("Item", "Broken", index=1)
    row = play.progress.root.row
    assert row.fan is not None
    assert (row.status, row.error) == (Status.FAILED, "Broken")
    assert (row.fan.done, row.fan.failed, row.fan.aborted) == (0, 1, 2)
    assert play.progress.status == "FAILED"


def test_a_parallel_that_is_tried_again_forgets_its_branches() -> None:
    play = Play({"Every": each(task(), Retry=[{"ErrorEquals": ["States.ALL"]}])}, [1, 2])
    play.fail("Item", "Broken", index=0)
    row = play.progress.root.row
    assert (row.status, row.attempt, row.fan) == (Status.RETRYING, 2, None)
    play.fire("Every")
    assert row.fan is not None
    assert (row.fan.opened, row.fan.failed) == (2, 0)


def test_what_is_stopped_from_outside_has_not_failed() -> None:
    play = Play({"Every": each(task())}, [1, 2])
    play.stop()
    row = play.progress.root.row
    assert row.fan is not None
    assert row.status is Status.ABORTED
    assert (row.fan.failed, row.fan.aborted) == (0, 2)
    assert play.said[-1] == "ABORTED after 0 ms"


def test_a_loop_keeps_its_latest_rounds() -> None:
    play = Play({"Round": task("Round")})
    for _ in range(ROWS_MAX + 50):
        play.answer("Round")
    root = play.progress.root
    assert (len(root.rows), root.dropped) == (ROWS_MAX, 51)


def test_durations_for_people() -> None:
    spans = [25, 400, 12_500, 59_949, 245_000, 12_000_000, 180_000_000]
    assert [seconds(span) for span in spans] == [
        "25 ms",
        "0.4 s",
        "12.5 s",
        "59.9 s",
        "4 min 05 s",
        "3 h 20 min",
        "2 d 02 h",
    ]
