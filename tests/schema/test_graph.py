"""Pictures of definitions: what is in them, and that nothing in them lies on top of something else."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detent.core.values import JSON
from detent.schema.graph import Trail, Visits, chart
from detent.schema.graph.dot import to_dot
from detent.schema.graph.layered import TooLarge
from detent.schema.graph.mermaid import to_mermaid
from detent.schema.graph.scene import DrawnLane, scene
from detent.schema.graph.svg import to_svg
from detent.schema.graph.text import ASCII, to_text
from detent.schema.graph.words import retries_in_words, rule_in_words

MACHINE: JSON = {
    "StartAt": "Work",
    "States": {
        "Work": {
            "Type": "Map",
            "MaxConcurrency": 2,
            "ItemProcessor": {"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}},
            "Retry": [{"ErrorEquals": ["Busy"], "MaxAttempts": 4}],
            "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Bad"}],
            "Next": "Good?",
        },
        "Good?": {
            "Type": "Choice",
            "Choices": [
                {"Variable": "$.n", "NumericGreaterThan": 1, "Next": "Work"},
                {"Variable": "$.n", "IsNull": True, "Next": "Work"},
            ],
            "Default": "Fine",
        },
        "Fine": {"Type": "Succeed"},
        "Bad": {"Type": "Fail", "Error": "E"},
    },
}


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({"Variable": "$.a", "StringEquals": "x"}, '$.a = "x"'),
        ({"Variable": "$.a", "NumericLessThanEqualsPath": "$.b"}, "$.a ≤ $.b"),
        ({"Variable": "$.a", "IsPresent": False}, "$.a is absent"),
        ({"Not": {"Variable": "$.a", "StringMatches": "x*"}}, 'not ($.a matches "x*")'),
        (
            {
                "And": [
                    {"Variable": "$.a", "BooleanEquals": True},
                    {"Or": [{"Variable": "$.b", "IsNull": True}, {"Variable": "$.c", "IsNull": False}]},
                ]
            },
            "$.a = true and ($.b is null or $.c is not null)",
        ),
        ({"Condition": "{% $states.input.n > 3 %}"}, "$states.input.n > 3"),
        ({"Condition": True}, "true"),
        ({}, "…"),
        (5, "…"),
    ],
)
def test_a_rule_in_words(rule: JSON, words: str) -> None:
    assert rule_in_words(rule) == words


@pytest.mark.parametrize(
    ("retriers", "words"),
    [
        ([{}], "↻ 3"),
        ([{"MaxAttempts": 0}], None),
        ([{"MaxAttempts": 2}, {"MaxAttempts": 7}], "↻ 7"),
        ([{"MaxAttempts": 99999}], "↻ ∞"),
        ([{"MaxAttempts": "${N}"}], "↻"),
        (None, None),
    ],
)
def test_retries_in_words(retriers: JSON, words: str | None) -> None:
    assert retries_in_words(retriers) == words


def test_lines_for_a_terminal() -> None:
    assert to_text(chart(MACHINE)) == (
        "⋮ Work  Map  ↻ 4  (start)\n"
        "│  each item, 2 at once\n"
        "│    □ A  Pass  (start)\n"
        "├ ⚡ any error → Bad\n"
        "↓\n"
        "◇ Good?  Choice\n"
        "├ $.n > 1 or $.n is null → Work\n"
        "└ otherwise → Fine\n"
        "\n"
        "◉ Fine  Succeed\n"
        "\n"
        "⊗ Bad  Fail  E\n"
    )


def test_a_poor_terminal_gets_plain_signs() -> None:
    plain = to_text(
        chart({"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "B"}, "B": {"Type": "Succeed"}}}),
        ASCII,
    )
    assert plain == "[] A  Pass  (start)\nv\n(+) B  Succeed\n"


def test_mermaid() -> None:
    lines = to_mermaid(chart(MACHINE)).splitlines()
    assert lines[0] == "flowchart TB"
    for line in (
        "  c1_start(( )) --> s1",
        '  subgraph s1 ["Work ↻ 4"]',
        '    subgraph c2 ["each item, 2 at once"]',
        '  s2{"Good?"}',
        '  s1 -.->|"any error"| s4',
        '  s2 -->|"$.n #62; 1<br/>$.n is null"| s1',
        "  class s4 fail",
    ):
        assert line in lines


def test_dot() -> None:
    lines = [line.strip() for line in to_dot(chart(MACHINE)).splitlines()]
    assert lines[0] == "digraph machine {"
    assert 's1 -> s4 [label="any error", style=dashed];' in lines
    assert "subgraph cluster_s1 {" in lines
    assert 's2 -> s1 [label="$.n > 1\\n$.n is null"];' in lines


def test_names_cannot_break_out_of_any_format() -> None:
    name = '"]; <script>&\\" \x1b[31m\n${x}|}'
    picture = chart({"StartAt": name, "States": {name: {"Type": "Pass", "Next": name}}})
    ElementTree.fromstring(to_svg(picture))
    assert "\x1b" not in to_svg(picture) + to_mermaid(picture) + to_dot(picture) + to_text(picture)
    assert "<script>" not in to_svg(picture) + to_mermaid(picture)
    assert len(to_text(picture).splitlines()) == 2


def test_the_path_of_an_execution() -> None:
    work, bad = ("States", "Work"), ("States", "Bad")
    trail = Trail({work: Visits(3, "caught"), bad: Visits(1, "failed")}, frozenset({(work, bad)}))
    picture = chart(MACHINE, trail)
    assert "↷ Work  Map  ↻ 4  ×3  (start)" in to_text(picture)
    assert "├ ⚡ any error → Bad ✓" in to_text(picture)
    assert "· Good?  Choice" in to_text(picture)
    assert '  s1 ==>|"any error"| s4' in to_mermaid(picture)
    assert "  class s2 unseen" in to_mermaid(picture)
    assert 'class="way catch taken"' in to_svg(picture)


@pytest.mark.parametrize(
    "nonsense",
    [None, 5, {}, {"States": {"A": 1}}, {"States": {"A": {"Type": "Choice", "Next": 3, "Choices": [1]}}}],
)
def test_what_makes_no_sense_is_left_out(nonsense: JSON) -> None:
    picture = chart(nonsense)
    ElementTree.fromstring(to_svg(picture))
    assert to_text(picture) + to_mermaid(picture) + to_dot(picture)


@st.composite
def machines(draw: st.DrawFn, depth: int = 2) -> JSON:
    names = draw(st.lists(st.text("abc dé漢", min_size=1, max_size=60), min_size=1, max_size=9, unique=True))
    states: dict[str, JSON] = {}
    for name in names:
        targets = draw(st.lists(st.sampled_from(names), min_size=1, max_size=4))
        catch = [{"ErrorEquals": ["E" * len(targets)], "Next": target} for target in targets[2:]]
        kind = draw(st.sampled_from(["Pass", "Choice", "Task", "Parallel"]))
        if kind == "Choice":
            rules = [{"Variable": "$.x", "NumericEquals": 1, "Next": target} for target in targets]
            states[name] = {"Type": kind, "Choices": rules, "Default": targets[0]}
        elif kind == "Parallel" and depth:
            branches = draw(st.lists(machines(depth - 1), min_size=1, max_size=2))
            states[name] = {"Type": kind, "Branches": branches, "Catch": catch, "Next": targets[0]}
        else:
            states[name] = {"Type": "Task", "Resource": "r" * len(name), "Catch": catch, "End": True}
    return {"StartAt": names[0], "States": states}


@given(machines())
def test_nothing_lies_on_top_of_something_else(machine: JSON) -> None:
    check_lane(scene(chart(machine)))


def check_lane(lane: DrawnLane) -> None:
    for box in lane.boxes:
        assert box.x >= 0
        assert box.y >= 0
        assert box.x + box.width <= lane.width + 0.01
        assert box.y + box.height <= lane.height + 0.01
        for inner in box.lanes:
            assert inner.y >= box.head
            assert inner.x + inner.width <= box.width + 0.01
            assert inner.y + inner.height <= box.height + 0.01
            check_lane(inner)
    for one, other in combinations(lane.boxes, 2):
        apart = (
            one.x + one.width <= other.x + 0.01
            or other.x + other.width <= one.x + 0.01
            or one.y + one.height <= other.y + 0.01
            or other.y + other.height <= one.y + 0.01
        )
        assert apart, (one.name, other.name)
    for way in lane.ways:
        for x, y in way.points if not way.loop else ():
            for box in lane.boxes:
                inside = box.x + 1 < x < box.x + box.width - 1 and box.y + 1 < y < box.y + box.height - 1
                assert not inside, (way.way, box.name)


def chain(length: int) -> JSON:
    """States one after the other, all with a way to the same last one."""
    catch: JSON = [{"ErrorEquals": ["States.ALL"], "Next": "Bad"}]
    states: dict[str, JSON] = {
        f"S{number}": {"Type": "Task", "Resource": "r", "Catch": catch, "Next": f"S{number + 1}"}
        for number in range(length)
    }
    return {"StartAt": "S0", "States": {**states, f"S{length}": {"Type": "Succeed"}, "Bad": {"Type": "Fail"}}}


def test_ways_to_one_state_come_together_and_are_drawn_once() -> None:
    (lane,) = [scene(chart(chain(60)))]
    catches = [way for way in lane.ways if way.way.kind == "catch"]
    assert sum(way.arrives for way in catches) == 2  # the shared line, and the last state right above
    assert sum(len(way.points) for way in catches) < 60 * 10


def test_a_definition_that_nobody_could_follow_is_refused_as_a_picture() -> None:
    rules: list[JSON] = [
        [{"Variable": "$.a", "IsNull": True, "Next": f"S{number + 1}"}] for number in range(1500)
    ]
    states: JSON = {
        f"S{number}": {"Type": "Choice", "Choices": rules[number], "Default": f"S{(number * 7919) % 1500}"}
        for number in range(1500)
    }
    picture = chart({"StartAt": "S0", "States": states})
    assert len(to_text(picture).splitlines()) > 3000
    with pytest.raises(TooLarge, match="too large for a picture"):
        to_svg(picture)
