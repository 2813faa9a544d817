"""States that speak JSONata: each field that takes an expression, on its way through compiler and core."""

from __future__ import annotations

from typing import Any

import pytest

from detent.compile import CompileError, compile_definition
from detent.core.decide import advance
from detent.core.errors import QUERY_EVALUATION_ERROR
from detent.core.execution import FAILED, SUCCEEDED, Execution
from detent.core.signals import Failed, Fired, Signal, Started, Succeeded
from detent.core.values import Payload

TASK = {"Type": "Task", "Resource": "task:work"}
END = {"Type": "Pass", "End": True}


class Run:
    """One execution of a machine of these states, which begins at the first."""

    def __init__(self, states: dict[str, Any], input: Any = None, **machine: Any) -> None:
        definition = {"QueryLanguage": "JSONata", **machine, "StartAt": next(iter(states)), "States": states}
        self.machine = compile_definition(definition)
        self.execution = Execution()
        self.now = 0
        arn = "arn:aws:states:us-east-1:123456789012:stateMachine:m"
        self.events: list[Any] = []
        self.send(Started("e", "e", arn, "digest", "detent", "role", Payload(input)))

    def send(self, signal: Signal) -> Run:
        self.events += advance(self.machine, self.execution, signal, now=self.now, seed="seed")
        return self

    @property
    def pending(self) -> Any:
        (pending,) = self.execution.pending.values()
        return pending

    @property
    def arguments(self) -> Any:
        return self.pending.arguments.value

    def succeed(self, output: Any) -> Run:
        return self.send(Succeeded(self.pending.id, Payload(output)))

    def fail(self, error: str, cause: str) -> Run:
        return self.send(Failed(self.pending.id, error, cause))

    @property
    def output(self) -> Any:
        assert self.execution.status == SUCCEEDED, self.execution.cause
        assert self.execution.output is not None
        return self.execution.output.value

    @property
    def cause(self) -> str:
        assert self.execution.status == FAILED
        assert self.execution.error == QUERY_EVALUATION_ERROR
        return (self.execution.cause or "").partition("). ")[2]


def one(**fields: Any) -> dict[str, Any]:
    return {"S": {**fields, "End": True}}


# Data flow


def test_without_fields_data_passes() -> None:
    assert Run(one(Type="Pass"), {"a": 1}).output == {"a": 1}
    run = Run(one(**TASK), {"a": 1})
    assert run.arguments == {"a": 1}
    assert run.succeed("done").output == "done"


def test_expressions_stand_at_any_depth_and_only_between_their_delimiters() -> None:
    output = {
        "whole": "{% $states.input.n %}",
        "list": [1, {"deep": "{% $states.input.n + 1 %}"}],
        "text": "n is {% $states.input.n %}",
        "blank": " {% 1 %}",
        "{% key %}": None,
    }
    assert Run(one(Type="Pass", Output=output), {"n": 4}).output == {
        "whole": 4,
        "list": [1, {"deep": 5}],
        "text": "n is {% $states.input.n %}",
        "blank": " {% 1 %}",
        "{% key %}": None,
    }


@pytest.mark.parametrize("value", [None, 0, 0.1, True, "text", [], {}, [[1]]])
def test_an_output_may_be_any_value(value: Any) -> None:
    assert Run(one(Type="Pass", Output=value), {"a": 1}).output == value


def test_arguments_output_and_assignments_of_a_task() -> None:
    states = {
        "S": {
            **TASK,
            "Arguments": {"id": "{% $states.input.id %}"},
            "Assign": {"got": "{% $states.result.n %}", "before": "{% $exists($got) %}"},
            "Output": "{% {'in': $states.input.id, 'out': $states.result.n, 'early': $exists($got)} %}",
            "Next": "T",
        },
        "T": {"Type": "Succeed", "Output": "{% [$states.input, $got, $before] %}"},
    }
    run = Run(states, {"id": 7})
    assert run.arguments == {"id": 7}
    assert run.succeed({"n": 8}).output == [{"in": 7, "out": 8, "early": False}, 8, False]


def test_a_catcher_sees_the_error_output() -> None:
    catcher = {
        "ErrorEquals": ["Oops"],
        "Next": "T",
        "Assign": {"why": "{% $states.errorOutput.Cause %}"},
        "Output": "{% $states.input.id %}",
    }
    states = {
        "S": {**TASK, "Catch": [catcher], "End": True},
        "T": {**END, "Output": ["{% $why %}", "{% $states.input %}"]},
    }
    assert Run(states, {"id": 7}).fail("Oops", "broken").output == ["broken", 7]


def test_an_expression_that_fails_is_an_error_like_any_other() -> None:
    catcher = {"ErrorEquals": [QUERY_EVALUATION_ERROR], "Next": "T"}
    states = {"S": {**TASK, "Arguments": "{% $nothing %}", "Catch": [catcher], "End": True}, "T": END}
    assert Run(states).output["Error"] == QUERY_EVALUATION_ERROR
    assert Run(one(**TASK, Output="{% $nothing %}")).succeed(1).cause == (
        "The JSONata expression '$nothing' specified for the field 'Output' returned nothing (undefined)."
    )


def test_where_an_expression_stands_is_told_within_its_state() -> None:
    catcher = {"ErrorEquals": ["Oops"], "Next": "T", "Assign": {"a": ["{% $nothing %}"]}}
    fine = {"ErrorEquals": ["Fine"], "Next": "T"}
    run = Run({"S": {**TASK, "Catch": [fine, catcher], "End": True}, "T": END}).fail("Oops", "broken")
    assert "specified for the field 'Catch[1]/Assign/a[0]' " in run.cause
    rule = {"Condition": True, "Next": "T", "Output": {"b": "{% $nothing %}"}}
    never = {"Condition": False, "Next": "T"}
    choice = Run({"S": {"Type": "Choice", "Choices": [never, rule]}, "T": END})
    assert "specified for the field 'Choices[1]/Output/b' " in choice.cause
    default = Run(
        {"S": {"Type": "Choice", "Choices": [never], "Default": "T", "Output": "{% $nothing %}"}, "T": END}
    )
    assert "specified for the field 'Output' " in default.cause


def test_languages_mix_and_share_variables() -> None:
    states = {
        "P": {"Type": "Pass", "Assign": {"n.$": "$.n"}, "Next": "Q"},
        "Q": {"Type": "Pass", "QueryLanguage": "JSONata", "Assign": {"n": "{% $n * 2 %}"}, "Next": "R"},
        "R": {"Type": "Pass", "Parameters": {"twice.$": "$n"}, "End": True},
    }
    assert Run(states, {"n": 21}, QueryLanguage="JSONPath").output == {"twice": 42}


# Fields of single states


def test_choice() -> None:
    rule = {"Condition": "{% $states.input.n > 3 %}", "Next": "Big", "Assign": {"size": "big"}}
    states = {
        "S": {"Type": "Choice", "Choices": [rule], "Default": "Small", "Assign": {"size": "small"}},
        "Big": {**END, "Output": "{% $size %}"},
        "Small": {**END, "Output": "{% $size %}"},
    }
    assert Run(states, {"n": 4}).output == "big"
    assert Run(states, {"n": 3}).output == "small"
    assert "T2009" in Run(states, {"n": "4"}).cause
    states["S"]["Choices"] = [{"Condition": "{% $states.input.n %}", "Next": "Big"}]
    assert Run(states, {"n": 1}).cause == (
        "The JSONata expression '$states.input.n' specified for the field 'Choices[0]/Condition' returned an "
        "unexpected result type. Expected 'boolean', but was 'number' for value: 1"
    )


@pytest.mark.parametrize(
    ("field", "value", "due"),
    [
        ("Seconds", "{% $states.input.n %}", 5000),
        ("Seconds", 2, 2000),
        ("Timestamp", "{% $states.input.at %}", 1_700_000_000_000),
    ],
)
def test_wait(field: str, value: Any, due: int) -> None:
    run = Run(one(Type="Wait", **{field: value}), {"n": 5, "at": "2023-11-14T22:13:20Z"})
    assert run.pending.due == due
    run.now = due
    assert run.send(Fired(run.pending.id)).output == {"n": 5, "at": "2023-11-14T22:13:20Z"}


@pytest.mark.parametrize(
    ("fields", "cause"),
    [
        ({"Seconds": "{% -1 %}"}, "The Seconds field must be an integer from 0 to 99999999 but was: -1"),
        ({"Seconds": "{% 1.5 %}"}, "The Seconds field must be an integer from 0 to 99999999 but was: 1.5"),
        ({"Seconds": "{% 1/0 %}"}, "Expected 'number', but was 'string' for value: \"Infinity\""),
        ({"Seconds": "{% '1' %}"}, "Expected 'number', but was 'string' for value: \"1\""),
        (
            {"Timestamp": "{% 'soon' %}"},
            "The Timestamp field cannot be parsed as an ISO-8601 extended offset date-time format string: soon",
        ),
    ],
)
def test_a_wait_that_cannot_be(fields: dict[str, Any], cause: str) -> None:
    assert Run(one(Type="Wait", **fields)).cause.endswith(cause)


def test_timeouts_and_credentials_of_a_task() -> None:
    run = Run(
        one(
            **TASK,
            TimeoutSeconds="{% $states.input.limit %}",
            HeartbeatSeconds="{% $states.input.limit / 2 %}",
            Credentials={"RoleArn": "{% $states.input.role %}"},
        ),
        {"limit": 60, "role": "arn:role"},
    )
    assert (run.pending.timeout, run.pending.heartbeat) == (60, 30)
    assert run.pending.credentials.value == {"RoleArn": "arn:role"}
    assert (
        "TimeoutSeconds field must be an integer from 1" in Run(one(**TASK, TimeoutSeconds="{% 0 %}")).cause
    )


@pytest.mark.parametrize(
    ("credentials", "cause"),
    [
        (
            {"RoleArn": "{% $states.input.role %}"},
            "The JSONata expression '$states.input.role' specified for the field 'Credentials/RoleArn' returned an "
            "unexpected result type. Expected 'string', but was 'number' for value: 7",
        ),
        (
            "{% $states.input.role %}",
            "The JSONata expression '$states.input.role' specified for the field 'Credentials' returned an "
            "unexpected result type. Expected 'object', but was 'number' for value: 7",
        ),
        ("{% $states.input %}", "The field 'RoleArn' must be a string but was: null"),
    ],
)
def test_credentials_name_a_role_by_a_text(credentials: Any, cause: str) -> None:
    assert Run(one(**TASK, Credentials=credentials), {"role": 7}).cause == cause


def test_the_items_of_a_distributed_map_are_a_list_or_an_object() -> None:
    processor = {"StartAt": "P", "States": {"P": END}, "ProcessorConfig": {"Mode": "DISTRIBUTED"}}
    each = one(Type="Map", Items="{% $states.input.items %}", ItemProcessor=processor)
    assert Run(each, {"items": 1}).cause == (
        "The JSONata expression '$states.input.items' specified for the field 'Items' returned an unexpected "
        "result type. Expected 'array', but was 'number' for value: 1"
    )
    assert Run(each, {"items": {"a": 1}}).pending.arguments.value["items"] == {"a": 1}
    assert Run(one(Type="Map", ItemProcessor=processor), 1).cause == (
        "Map state input must be an array but was: 1"
    )


def test_fail() -> None:
    execution = Run(
        {"S": {"Type": "Fail", "Error": "{% $states.input.e %}", "Cause": "why"}}, {"e": "E"}
    ).execution
    assert (execution.error, execution.cause) == ("E", "why")


BODY = {"StartAt": "I", "States": {"I": {"Type": "Pass", "End": True}}}


def test_map() -> None:
    states = one(
        Type="Map",
        Items="{% $states.input.rows %}",
        ItemSelector={
            "row": "{% $states.context.Map.Item.Value %}",
            "place": "{% $states.context.Map.Item.Index + 1 %}",
            "of": "{% $count($states.input.rows) %}",
        },
        MaxConcurrency="{% 1 %}",
        ItemProcessor=BODY,
        Output="{% $states.result.row %}",
    )
    assert Run(states, {"rows": ["a", "b"]}).output == ["a", "b"]
    assert Run(one(Type="Map", ItemProcessor=BODY), [1, 2]).output == [1, 2]
    assert Run(one(Type="Map", Items=[1, "{% 2 %}"], ItemProcessor=BODY)).output == [1, 2]
    assert Run(states, {"rows": []}).cause.endswith("returned nothing (undefined).")


def test_parallel() -> None:
    states = one(
        Type="Parallel",
        Arguments={"n": "{% $states.input.n + 1 %}"},
        Branches=[BODY, BODY],
        Output="{% $sum($states.result.n) %}",
    )
    assert Run(states, {"n": 1}).output == 4


# What does not compile


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            {"Type": "Pass", "Output": {"a": ["{% 1 + %}"]}},
            "the state 'S': Output/a[0]: Unexpected end of expression",
        ),
        ({"Type": "Pass", "Output": "{% $states.result %}"}, "Field '$states.result' does not exist."),
        ({**TASK, "Arguments": "{% phone %}"}, "Reference to 'phone' at the top level is not supported."),
    ],
)
def test_what_does_not_compile_says_where(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(CompileError) as caught:
        Run(one(**fields))
    assert message in str(caught.value)
