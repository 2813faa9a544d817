"""The tree of what an execution went through, read off logs that take every turn."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from logs import make

from detent.core.codec import LogError
from detent.places import Places, json_pointer
from detent.trace import trace
from detent.visits import Path, Trace


def told(play: make.Play) -> Trace:
    return trace(play.recording().steps(), Places(play.definition))


def outline(path: Path) -> list[str]:
    """``state status``, with what runs inside it below."""
    lines = []
    for visit in path.visits:
        lines.append(f"{visit.state} {visit.status}")
        for attempt in visit.attempts:
            lines += [f"  #{attempt.number} {attempt.status}"] if len(visit.attempts) > 1 else []
            for below in attempt.paths:
                lines.append(f"  [{below.index}] {below.status}")
                lines += [f"    {line}" for line in outline(below)]
    return lines


@pytest.mark.parametrize(
    ("play", "expected"),
    [
        (
            make.retries,
            ["Try caught", "  #1 failed", "  #2 failed", "  #3 failed", "  #4 failed", "Mend succeeded"],
        ),
        (
            make.torn_down,
            [
                "Both caught",
                "  [0] failed",
                "    Items failed",
                "      #1 failed",
                "      [0] failed",
                "        Each failed",
                "      [1] aborted",
                "        Each aborted",
                "      #2 failed",
                "      [0] failed",
                "        Each failed",
                "      [1] aborted",
                "        Each aborted",
                "  [1] aborted",
                "    Beside aborted",
                "Mend succeeded",
            ],
        ),
        (
            make.stopped,
            ["Both aborted", "  [0] aborted", "    One aborted", "  [1] aborted", "    Two aborted"],
        ),
        (
            make.running,
            [
                "Both running",
                "  [0] running",
                "    One running",
                "  [1] running",
                "    Two retrying",
                "  [2] running",
                "    Three waiting",
            ],
        ),
        (make.out_of_time, ["Slow aborted"]),
        (make.expression, ["Bad failed"]),
    ],
)
def test_how_each_state_ended(play: Callable[[], make.Play], expected: list[str]) -> None:
    root = told(play()).root
    assert root is not None
    assert outline(root) == expected


def test_the_innermost_state_that_failed_is_found_with_its_error_and_place() -> None:
    play = make.uncaught()
    failed = told(play).failed
    assert failed is not None
    assert (failed.state, failed.error) == ("Each", "Boom")
    place = json_pointer(Places(play.definition).pointer(failed.scope, failed.state))
    assert place == "/States/Both/Branches/0/States/Items/ItemProcessor/States/Each"


def test_an_error_inside_is_the_error_of_what_is_around_it() -> None:
    root = told(make.torn_down()).root
    assert root is not None
    both = root.visits[0]
    assert (both.error, both.cause, both.next) == ("Twice", "second", "Mend")
    items = both.attempts[0].paths[0].visits[0]
    assert [(attempt.error, attempt.cause) for attempt in items.attempts] == [
        ("Twice", "first"),
        ("Twice", "second"),
    ]


def test_what_it_waits_for_is_told_in_order() -> None:
    waits = list(told(make.running()).waits)
    assert [visit.state for visit in waits] == ["One", "Three", "Two"]
    assert [visit.pending.kind for visit in waits if visit.pending] == ["task", "timer", "retry"]


def test_a_heartbeat_that_was_heard_moves_its_deadline() -> None:
    play = make.running()
    id = play.waits("One")
    due = play.execution.pending[id].beat_due
    assert due is not None
    moved = trace(play.recording().steps(), Places(play.definition), {id: due + 5_000})
    assert next(visit.pending.beat_due for visit in moved.waits if visit.pending) == due + 5_000


def test_values_are_those_of_the_log() -> None:
    root = told(make.values()).root
    assert root is not None
    keep, work, which, hold, *_ = root.visits
    assert keep.assigned["half"].value == 0.5
    assert work.attempts[0].output is not None
    assert len(work.attempts[0].output.value["large"]) == 20_000
    assert (which.next, hold.due) == ("Hold", hold.entered_at + 5_000)


def test_a_log_that_contradicts_itself_is_refused() -> None:
    steps = make.torn_down().recording().steps()
    with pytest.raises(LogError, match="contradicts itself"):
        trace(steps[1:], Places({}))


def test_a_name_with_a_slash_is_escaped_in_its_place() -> None:
    places = Places({"States": {"a/b~c": {"Type": "Pass"}}})
    assert json_pointer(places.pointer("", "a/b~c")) == "/States/a~1b~0c"
    assert json_pointer(places.pointer("", "gone")) == ""
    assert json_pointer(places.pointer("/nowhere", "gone")) == ""


@pytest.mark.parametrize(
    "definition", [None, [], {"States": 1}, {"States": {"A": 1}}, {"States": {"A": {"Branches": 1}}}]
)
def test_what_is_no_definition_has_no_places(definition: object) -> None:
    assert Places(definition).pointer("", "B") == ()
