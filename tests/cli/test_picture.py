"""Rows become lines that fit."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from detent.cli.marks import ASCII, UNICODE, Marks, marks_for
from detent.cli.picture import Picture, fit

from .playing import Play, each, task


def lines(play: Play, *, width: int = 80, marks: Marks = UNICODE) -> list[str]:
    picture = Picture(marks, width, play.now)
    return [line.text.plain for line in picture.execution(play.progress)]


def shown(play: Play, height: int) -> list[str]:
    picture = Picture(UNICODE, 80, play.now)
    return [text.plain for text in fit(picture.execution(play.progress), height, UNICODE)]


BOTH = {
    "Both": {
        "Type": "Parallel",
        "Branches": [
            {"StartAt": "Hold", "States": {"Hold": {"Type": "Wait", "Seconds": 60, "End": True}}},
            {
                "StartAt": "Work",
                "States": {"Work": task("Rest"), "Rest": {"Type": "Pass", "End": True}},
            },
        ],
        "End": True,
    }
}


def test_a_tree_of_states() -> None:
    play = Play(BOTH)
    play.pass_time(1.5)
    play.answer("Work")
    heading, *rows = lines(play)
    assert heading.split() == ["play", "one", "running", "1.5", "s"]
    assert len(heading) == 80
    assert [row[:15].rstrip() for row in rows] == [
        "⠴ Both       1.",
        "├ ○ Hold     1.",
        "└ ✓ Work     1.",
        "  ✓ Rest",
    ]
    assert rows[1].endswith("58.5 s left")
    assert rows[0].endswith("1 of 2 branches")


def test_what_a_state_waits_for() -> None:
    retry = [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 4}]
    play = Play({"Work": task(TimeoutSeconds=30, Retry=retry)})
    assert lines(play)[1].endswith("task:work")
    play.fail("Work", "Busy")
    play.pass_time(1)
    assert lines(play)[1].endswith("Busy, attempt 2 of 4 in 3.0 s")
    play.fire("Work")
    assert lines(play)[1].endswith("task:work, attempt 2 of 4")


def test_a_narrow_map_has_a_line_per_item() -> None:
    play = Play({"Every": each(task())}, [1, 2, 3])
    play.pass_time(0.5)
    play.answer("Item", index=1)
    assert lines(play)[1:] == [
        "⠴ Every         0.5 s  ━━━━━─────────── 1 of 3",
        "├ ⠴ item 0      0.5 s  Item",
        "├ ✓ item 1      0.5 s  Item",
        "└ ⠴ item 2      0.5 s  Item",
    ]


def test_a_wide_map_has_counts_and_a_pace() -> None:
    retry = [{"ErrorEquals": ["States.ALL"]}]
    play = Play({"Every": each(task(Retry=retry), MaxConcurrency=40)}, list(range(10_000)))
    play.pass_time(10)
    for index in range(100):
        play.answer("Item", index=index)
    play.fail("Item", "Busy", index=120)
    counts, crowd = lines(play)[1:]
    assert counts.endswith("100 of 10000, 10/s, 16 min 30 s left")
    assert crowd == "└ 39 in Item, 1 waiting to retry Item"


@pytest.mark.parametrize("width", [20, 40, 80, 200])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    long = "A state whose name says everything there is to say about it 状態"
    play = Play({long: task(Retry=[{"ErrorEquals": ["States.ALL"]}])})
    play.fail(long, "AnErrorOfALongName" * 5)
    assert all(cell_len(line) <= width for line in lines(play, width=width))


def test_what_has_ended_makes_room_its_insides_first() -> None:
    states = {
        "Every": each({"Type": "Pass", "End": True}, Next="One"),
        "One": {"Type": "Pass", "Next": "Two"},
        "Two": task(),
    }
    del states["Every"]["End"]
    play = Play(states, [1, 2, 3])
    assert [line[:5] for line in shown(play, 99)[1:]] == [
        "✓ Eve",
        "├ ✓ i",
        "├ ✓ i",
        "└ ✓ i",
        "✓ One",
        "⠋ Two",
    ]
    assert [line[:5] for line in shown(play, 6)[1:]] == ["⋯ 2 m", "✓ Eve", "└ ✓ i", "✓ One", "⠋ Two"]
    assert [line[:5] for line in shown(play, 4)[1:]] == ["⋯ 4 m", "✓ One", "⠋ Two"]


def test_plain_signs_where_the_terminal_knows_no_others() -> None:
    assert marks_for("utf-8") is UNICODE
    assert marks_for("latin-1") is ASCII
    assert marks_for(None) is ASCII
    play = Play(BOTH)
    assert all(line.isascii() for line in lines(play, marks=ASCII))


@pytest.mark.parametrize("marks", [UNICODE, ASCII], ids=["unicode", "ascii"])
def test_every_sign_is_one_column_wide(marks: Marks) -> None:
    assert {cell_len(sign) for sign in [*marks.status.values(), *marks.spin]} == {1}


def test_a_wide_parallel_keeps_its_own_line() -> None:
    branches = [{"StartAt": f"Work {n}", "States": {f"Work {n}": task()}} for n in range(50)]
    play = Play({"Fan out": {"Type": "Parallel", "Branches": branches, "End": True}})
    for number in range(10):
        play.answer(f"Work {number}")
    drawn = shown(play, 24)
    assert len(drawn) == 24
    assert "play" in drawn[0]
    assert drawn[1] == "⋯ 29 more"
    assert "Fan out" in drawn[2]
    assert drawn[-1].startswith("└")
