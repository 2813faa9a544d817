"""A mock configuration file: what it says, and what is wrong with it, with the place."""

from __future__ import annotations

from pathlib import Path

import pytest

from detent.mocking import Answer, MockConfig, MockError, read_mocks

SOUND = """\
StateMachines:
  orders:
    TestCases:
      happy: {Charge: charged}
MockedResponses:
  charged:
    "0": {Throw: {Error: Busy, Cause: too many}}
    "1-2": {Return: {id: 7}, Delay: 1.5}
    "*": {Return: null}
"""


def read(folder: Path, text: str, name: str = "mocks.yaml") -> MockConfig:
    path = folder / name
    path.write_text(text)
    return read_mocks(path)


def test_the_answers_of_a_case_by_attempt(tmp_path: Path) -> None:
    response = read(tmp_path, SOUND).case("orders", "happy")["Charge"]
    assert [response.answer(attempt) for attempt in range(4)] == [
        Answer(error="Busy", cause="too many"),
        Answer({"id": 7}, delay=1.5),
        Answer({"id": 7}, delay=1.5),
        Answer(None),
    ]


def test_nothing_follows_the_last_answer(tmp_path: Path) -> None:
    text = '{"StateMachines": {"m": {"TestCases": {"c": {"S": "r"}}}}, "MockedResponses": {"r": {"0": {"Return": 1}}}}'
    response = read(tmp_path, text, "MockConfigFile.json").case("m", "c")["S"]
    assert response.answer(0) == Answer(1)
    assert response.answer(1) is None


def test_a_case_that_does_not_exist_is_named_with_those_that_do(tmp_path: Path) -> None:
    config = read(tmp_path, SOUND)
    with pytest.raises(MockError, match=r"'orders' has no test case 'sad' in .*; it has: 'happy'"):
        config.case("orders", "sad")
    with pytest.raises(MockError, match=r"mocks no state machine 'others'; it has: 'orders'"):
        config.case("others", "happy")


@pytest.mark.parametrize(
    ("old", "new", "place", "problem"),
    [
        ('"1-2"', '"2"', "8:", "1 comes next, not 2"),
        ('"1-2"', '"1-0"', "8:", "1 comes next, not 1-0"),
        ('"0"', "first", "7:", "'first' is no number of an attempt"),
        ('"1-2"', '"*"', "9:", "twice"),
        ("{Return: null}", "{}", "9:", "exactly one of Return and Throw"),
        (
            "{Return: null}",
            "{Return: 1, Throw: {Error: E, Cause: C}}",
            "9:",
            "exactly one of Return and Throw",
        ),
        ("{Error: Busy, Cause: too many}", "{Error: Busy}", "7:", "Throw needs Cause"),
        ("Delay: 1.5", "Delay: soon", "8:", "a number of seconds"),
        ("Delay: 1.5", "Wait: 1.5", "8:", "unknown field 'Wait'"),
        ("Charge: charged", "Charge: free", "4:", "there is no mocked response 'free'"),
        ("happy: {Charge: charged}", "happy: 7", "4:", "an object is expected"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(
    tmp_path: Path, old: str, new: str, place: str, problem: str
) -> None:
    assert old in SOUND
    with pytest.raises(MockError, match=f"mocks.yaml:{place}.*{problem}"):
        read(tmp_path, SOUND.replace(old, new, 1))


def test_nothing_may_stand_behind_what_stands_for_all_others(tmp_path: Path) -> None:
    text = 'MockedResponses: {r: {"*": {Return: 1}, "0": {Return: 2}}}'
    with pytest.raises(MockError, match=r"mocks.yaml:1:.*nothing may follow '\*'"):
        read(tmp_path, text)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(MockError, match="cannot be read"):
        read_mocks(tmp_path / "none.json")
    with pytest.raises(MockError, match="cannot be read"):
        read(tmp_path, "{")
