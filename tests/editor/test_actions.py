"""What can be done about findings with one keystroke."""

from __future__ import annotations

from detent.schema.editor.actions import Action, actions
from detent.schema.editor.source import findings

from .marked import ORDER


def offered(text: str, code: str, *, is_yaml: bool = True) -> list[Action]:
    return [each for each in actions(text, findings(text), is_yaml=is_yaml) if each.finding.code == code]


def after(text: str, action: Action) -> str:
    for edit in reversed(action.edits):
        text = text[: edit.start] + edit.text + text[edit.end :]
    return text


def test_the_word_that_was_meant_is_written() -> None:
    wrong = ORDER.replace("Default: Charge", "Default: Chrage")
    (mend, *_) = offered(wrong, "missing-target")
    assert (mend.title, mend.preferred) == ("Write Charge", True)
    assert after(wrong, mend) == ORDER


def test_the_field_that_was_meant_is_written() -> None:
    wrong = ORDER.replace("    Resource:", "    Resuorce:")
    mends = [each for each in offered(wrong, "unknown-field") if each.preferred]
    assert after(wrong, mends[0]) == ORDER


def test_the_fix_of_a_rule_is_offered() -> None:
    text = "StartAt: A\nStates:\n  A: {Type: Pass, Next: B}\n  B: {Type: Succeed, End: true}\n"
    assert all(each.edits for each in actions(text, findings(text), is_yaml=True))


def test_a_finding_is_silenced_where_it_is() -> None:
    found = findings(ORDER)
    assert found
    action = next(each for each in offered(ORDER, found[0].code) if each.title.startswith("Ignore"))
    silent = findings(after(ORDER, action))
    assert len(silent) < len(found)
    assert {each.code for each in silent} <= {each.code for each in found}


def test_json_has_no_comments_to_be_silent_in() -> None:
    text = '{"StartAt": "B", "States": {"A": {"Type": "Succeed"}}}'
    assert not any(each.title.startswith("Ignore") for each in offered(text, "missing-target", is_yaml=False))
