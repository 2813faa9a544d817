"""What is offered at the cursor. A bar marks it."""

from __future__ import annotations

import json

import pytest

from detent.core.errors import KNOWN_ERRORS
from detent.schema.editor.source import read_source
from detent.schema.outline import STATE_TYPES

from .marked import ORDER, applied, completions, labels, marked

STATES = ["Check", "Large?", "Hold", "Charge", "Refuse"]
TASK = "StartAt: A\nStates:\n  A:\n    Type: Task\n    Resource: task:a\n    End: true\n"


@pytest.mark.parametrize("before", ["StartAt: ", "    Default: ", "    Next: ", "Seconds: 5, Next: "])
def test_names_of_states_where_one_is_named(before: str) -> None:
    assert labels(marked(ORDER, before)) == STATES


def test_only_the_states_of_the_same_scope() -> None:
    text = """\
StartAt: Each
States:
  Each:
    Type: Map
    ItemProcessor:
      StartAt: |
      States:
        One: {Type: Pass, End: true}
    End: true
"""
    assert labels(text) == ["One"]


def test_a_name_with_a_colon_is_put_in_quotes() -> None:
    text = 'StartAt: |\nStates:\n  "A: one": {Type: Succeed}\n'
    assert applied(text, "A: one").startswith('StartAt: "A: one"\n')


def test_a_word_that_is_begun_is_replaced_as_a_whole() -> None:
    assert applied(marked(ORDER, "Default: Ch"), "Hold").count("Default: Hold\n") == 1


def test_fields_of_the_type_that_are_not_there_yet() -> None:
    found = labels(TASK.replace("    End", "    |\n    End"))
    assert {"Retry", "Catch", "TimeoutSeconds", "Parameters"} <= set(found)
    assert {"Type", "Resource", "End", "Seconds", "Choices"} & set(found) == set()


def test_fields_of_the_query_language() -> None:
    jsonpath = set(labels(TASK.replace("    End", "    |\n    End")))
    jsonata = set(labels("QueryLanguage: JSONata\n" + TASK.replace("    End", "    |\n    End")))
    assert {"Parameters", "ResultPath", "InputPath"} <= jsonpath - jsonata
    assert {"Arguments", "Output"} <= jsonata - jsonpath


def test_a_state_without_a_type_asks_for_one() -> None:
    assert labels("StartAt: A\nStates:\n  A:\n    |") == ["Type"]


def test_types_of_states() -> None:
    found = completions("StartAt: A\nStates:\n  A:\n    Type: |")
    assert [each.label for each in found] == list(STATE_TYPES)
    assert all(each.about for each in found)


def test_states_that_are_named_and_not_there() -> None:
    assert labels("StartAt: A\nStates:\n  A: {Type: Pass, Next: B}\n  |") == ["B"]


def test_fields_of_retriers_and_of_readers() -> None:
    assert "BackoffRate" in labels(ORDER.replace("MaxAttempts: 2", "MaxAttempts: 2\n        |"))
    reader = """\
StartAt: M
States:
  M:
    Type: Map
    ItemReader:
      Resource: arn:aws:states:::s3:getObject
      ReaderConfig:
        |
"""
    assert "CSVHeaders" in labels(reader)


def test_values_that_can_be_listed() -> None:
    assert labels(ORDER.replace("MaxAttempts: 2", "JitterStrategy: |")) == ["FULL", "NONE"]
    assert labels("QueryLanguage: |\nStartAt: A\nStates: {}\n") == ["JSONPath", "JSONata"]


def test_errors_of_the_language_and_those_of_this_machine() -> None:
    found = labels(marked(ORDER, "- ErrorEquals: ["))
    assert set(KNOWN_ERRORS) < set(found)
    assert "Refused" in found


def test_resources_that_are_known() -> None:
    found = labels(marked(ORDER, "Resource: "), handlers=["charge", "ship"])
    assert found[:2] == ["task:charge", "task:ship"]
    assert "arn:aws:states:::lambda:invoke.waitForTaskToken" in found


def test_members_of_the_payload() -> None:
    found = completions(marked(ORDER, "amount.$: $.check."))
    assert [(each.label, each.detail) for each in found] == [
        ("total", "number"),
        ("lines", "[{article: string}]"),
    ]


def test_variables_and_functions() -> None:
    found = labels(marked(ORDER, "amount.$: "))
    assert found[:3] == ["$", "$$", "$rate"]
    assert "States.Format" in found


def test_the_context_object() -> None:
    assert labels(ORDER.replace("$.check.total\n      note", "$$.Execution.|\n      note"))[:3] == [
        "Id",
        "Input",
        "Name",
    ]


def test_what_an_expression_in_jsonata_reads() -> None:
    text = """\
QueryLanguage: JSONata
StartAt: A
States:
  A: {Type: Pass, Output: {total: 1}, Assign: {rate: 2}, Next: B}
  B:
    Type: Pass
    Output: "{% $states.input.| %}"
    End: true
"""
    assert labels(text) == ["total"]
    assert labels(text.replace("$states.input.|", "$|"))[:2] == ["$states", "$rate"]
    assert "$substringBefore" in labels(text.replace("$states.input.|", "$sub|"))
    assert labels(text.replace("$states.input.|", "$states.|")) == ["input", "context", "result"]


def test_json_with_and_without_the_rest() -> None:
    whole = '{"StartAt": "|", "States": {"A": {"Type": "Succeed"}}}'
    assert labels(whole) == ["A"]
    assert json.loads(applied(whole, "A"))["StartAt"] == "A"
    assert "Result" in labels('{"StartAt": "A", "States": {"A": {"Type": "Pass", "|')
    assert "Next" in labels(
        '{\n "States": {\n  "A": {\n   "Type": "Pass",\n   "Ne|\n   "Comment": ""\n  }\n }\n}'
    )


def test_a_template_is_completed_inside_its_definitions() -> None:
    template = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Orders:
    Type: AWS::Serverless::StateMachine
    Properties:
      Definition:
        StartAt: |
        States:
          Ship: {Type: Succeed}
"""
    assert labels(template) == ["Ship"]
    assert (
        labels(template.replace("StartAt: |", "StartAt: Ship").replace("Type: AWS::S", "Type: |AWS::S")) == []
    )


@pytest.mark.parametrize("text", ["# a |comment", "Comment: >\n  some | text", "|", "{}|", "- |", "a: [}|"])
def test_nothing_where_there_is_nothing_to_say(text: str) -> None:
    assert [each for each in labels(text) if each not in ("Comment", "StartAt", "States")] != STATES


def test_what_was_known_helps_where_the_text_cannot_be_read() -> None:
    before = read_source(ORDER)
    assert labels("StartAt: |\nStates: [[[\n  }:", before=before) == STATES


def test_a_value_is_replaced_to_its_end() -> None:
    text = "StartAt: A b| c  # first\nStates:\n  A b c: {Type: Succeed}\n  D e: {Type: Succeed}\n"
    assert applied(text, "D e").startswith("StartAt: D e  # first\n")
    assert (
        applied(ORDER.replace("Seconds: 5, Next: Charge", "Seconds: 5, Next: Ch|arge"), "Hold").count(
            "Next: Hold}"
        )
        == 1
    )


def test_a_member_replaces_the_word_it_stands_in() -> None:
    assert "amount.$: $.check.lines\n" in applied(marked(ORDER, "amount.$: $.check.to"), "lines")
    quoted = ORDER.replace("amount.$: $.check.total", 'amount.$: "$.check.to|tal"')
    assert 'amount.$: "$.check.lines"\n' in applied(quoted, "lines")


def test_a_key_that_is_followed_by_a_colon_gets_no_second_one() -> None:
    assert "    Catch: 10\n" in applied(TASK.replace("    End", "    Time|out: 10\n    End"), "Catch")
    assert "    Catch: \n" in applied(TASK.replace("    End", "    Ca|\n    End"), "Catch")


@pytest.mark.parametrize("typed", ["|", '"|"', '"|'])
def test_json_gets_its_quotes(typed: str) -> None:
    text = '{"StartAt": ' + typed + ',\n"States": {"A": {"Type": "Succeed"}}}'
    done = applied(text, "A")
    assert done.startswith('{"StartAt": "A')
    if typed != '"|':
        assert json.loads(done)["StartAt"] == "A"


def test_json_without_quotes_at_a_key() -> None:
    text = '{"StartAt": "A", "States": {"A": {"Type": "Pass", |}}}'
    assert '"Type": "Pass", "End": }' in applied(text, "End")


def test_errors_one_a_line() -> None:
    text = ORDER.replace("      - ErrorEquals: [Busy]", "      - ErrorEquals:\n          - States.T|")
    assert "States.Timeout" in labels(text)
    assert "          - States.Timeout\n" in applied(text, "States.Timeout")


def test_windows_line_ends() -> None:
    assert labels(marked(ORDER, "    Default: ").replace("\n", "\r\n")) == STATES
