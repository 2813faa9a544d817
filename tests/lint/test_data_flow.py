"""What follows from what came before: small machines, and what is said about the reads in them.

Each case is a machine of a few states; the last state, ``Read``, reads one thing. ``None`` means that nothing
is said, because the value is there, or because nobody can know.
"""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest

from detent.schema.document import read_document
from detent.schema.inference.described import shape_of_schema
from detent.schema.lint.check import lint
from detent.schema.lint.rules import FAMILIES
from detent.schema.lint.settings import Settings

CODES = {rule.code for rule in FAMILIES["Data flow"]} | {"never-true"}
INVOKE = {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Parameters": {"FunctionName": "f"}}
TASK = {"Type": "Task", "Resource": "task:work"}
END = {"Type": "Pass", "End": True}


def machine(*states: dict[str, Any], read: dict[str, Any]) -> dict[str, Any]:
    """The states one after the other, and the one that reads."""
    named = {f"S{number}": state for number, state in enumerate(states, 1)}
    named["Read"] = read if "Type" in read else {"Type": "Pass", "Parameters": read, "End": True}
    names = list(named)
    for name, following in pairwise(names):
        if named[name]["Type"] not in ("Choice", "Fail", "Succeed"):
            named[name] = {"Next": following, **named[name]}
    return {"StartAt": names[0], "States": named}


def path(text: str) -> dict[str, Any]:
    return {"x.$": text}


def said(definition: dict[str, Any], **settings: Any) -> list[str]:
    found = lint(read_document(json.dumps(definition)), settings=Settings(**settings))
    assert [str(each) for each in found if each.severity == "error" and each.code not in CODES] == []
    return [each.code for each in found if each.code in CODES and each.severity != "info"]


def branch(state: dict[str, Any], name: str) -> dict[str, Any]:
    return {"StartAt": name, "States": {name: {**state, "End": True}}}


def parallel(*states: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"Type": "Parallel", "Branches": [branch(s, f"B{n}") for n, s in enumerate(states)], **fields}


def each(state: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"Type": "Map", "ItemProcessor": branch(state, "Item"), **fields}


def result(value: Any, **fields: Any) -> dict[str, Any]:
    return {"Type": "Pass", "Result": value, **fields}


PATHS = [
    # A result takes the place of the payload, or of a part of it.
    ([result({"a": 1})], path("$.a"), None),
    ([result({"a": 1})], path("$.b"), "missing-path"),
    ([result({"a": 1}, ResultPath="$.r")], path("$.b"), None),
    ([result({"a": 1}, ResultPath="$.r")], path("$.r.b"), "missing-path"),
    ([result({"a": 1}, ResultPath="$.r.s")], path("$.r.s.a"), None),
    ([result({"a": 1}), result(2, ResultPath=None)], path("$.a"), None),
    ([result({"a": 1}), result({"b": 2})], path("$.a"), "discarded-path"),
    ([result({"a": {"b": 1}}), result(2, ResultPath="$.a")], path("$.a.b"), "discarded-path"),
    ([result({"a": 1}, OutputPath="$.a")], path("$.a"), "missing-path"),
    ([result({"a": 1}), {"Type": "Pass", "OutputPath": "$.b"}], path("$.c"), "missing-path"),
    ([{"Type": "Pass", "Parameters": {"a.$": "$.b"}}], path("$.b"), "discarded-path"),
    ([{"Type": "Pass", "InputPath": None}], path("$.b"), "missing-path"),
    ([{"Type": "Wait", "Seconds": 1}], path("$.b"), None),
    # What functions answer is unknown, what the service's integrations answer is not.
    ([TASK], path("$.b"), None),
    ([INVOKE], path("$.Payload.b"), None),
    ([INVOKE], path("$.body"), "missing-path"),
    ([{**INVOKE, "OutputPath": "$.Payload"}], path("$.body"), None),
    ([{**INVOKE, "ResultSelector": {"a.$": "$.Payload.a"}}], path("$.Payload"), "missing-path"),
    ([{**INVOKE, "ResultSelector": {"a.$": "$.Paylod.a"}}], path("$.a"), "missing-path"),
    ([{**INVOKE, "Resource": INVOKE["Resource"] + ".waitForTaskToken", "TimeoutSeconds": 9}], path("$.b"), None),
    # Lists: their items, their length where it is known.
    ([result([1, 2])], path("$[1]"), None),
    ([result([1, 2])], path("$[2]"), "missing-path"),
    ([result([1, 2])], path("$.a"), "missing-path"),
    ([result([1, 2])], path("$[*].a"), None),
    ([parallel(TASK, result({"a": 1}))], path("$[1].a"), None),
    ([parallel(TASK, result({"a": 1}))], path("$[1].b"), "missing-path"),
    ([parallel(TASK, TASK)], path("$[2]"), "missing-path"),
    ([parallel(TASK, TASK)], path("$.a"), "missing-path"),
    ([parallel(TASK, TASK, ResultPath="$.all")], path("$.a"), None),
    ([each(result({"a": 1}))], path("$[0].b"), "missing-path"),
    ([each(TASK)], path("$[0].b"), None),
    ([result({"l": [{}]}), each({"Type": "Pass", "InputPath": "$.b"}, ItemsPath="$.l")], path("$[0]"), "missing-path"),
    ([each({"Type": "Pass", "InputPath": "$.b"}, ItemSelector={"a": 1})], path("$[0]"), "missing-path"),
    # The context, functions, variables with members.
    ([], path("$$.Execution.Input.a"), None),
    ([], path("$$.Execution.Nam"), "missing-context-field"),
    ([], path("$$.Task.Token"), "missing-context-field"),
    ([], path("States.StringToJson($.a)"), None),
    ([result({"a": 1})], path("States.Format('{}', $.b)"), "missing-path"),
    ([result({"a": 1})], path("States.MathAdd($.a, 1)"), None),
    ([result({"a": "1"})], path("States.MathAdd($.a, 1)"), "wrong-argument"),
    ([result({"a": {}})], path("States.ArrayLength(States.JsonMerge($.a, $.a, false))"), "wrong-argument"),
    ([result({"a": 1}, Assign={"v": {"m": 1}})], path("$v.m"), None),
    ([result({"a": 1}, Assign={"v": {"m": 1}})], path("$v.n"), "missing-path"),
    ([result({"a": 1}, Assign={"v.$": "$.a"})], path("States.ArrayLength($v)"), "wrong-argument"),
    # Types of fields.
    ([result({"a": "x"})], each(TASK, ItemsPath="$.a", End=True), "wrong-type"),
    ([result({"a": "5"})], {"Type": "Wait", "SecondsPath": "$.a", "End": True}, "wrong-type"),
    ([result({"a": 5})], {"Type": "Wait", "SecondsPath": "$.a", "End": True}, None),
    ([result({"a": 5})], result(1, ResultPath="$.a.b", End=True), "wrong-type"),
    ([result({"a": None})], result(1, ResultPath="$.a.b", End=True), None),
]  # fmt: skip


@pytest.mark.parametrize(("states", "read", "code"), PATHS)
def test_a_path_after_what_came_before(states: list[Any], read: dict[str, Any], code: str | None) -> None:
    assert said(machine(*states, read=read)) == ([] if code is None else [code])


def caught(*, read: str, **fields: Any) -> dict[str, Any]:
    """A task whose catcher leads to the state that reads."""
    task = {**TASK, "Catch": [{"ErrorEquals": ["A"], "Next": "Read", **fields}], "Next": "Done"}
    return {
        "StartAt": "T",
        "States": {"T": task, "Read": {"Type": "Pass", "Parameters": path(read), "End": True}, "Done": END},
    }


@pytest.mark.parametrize(
    ("fields", "read", "code"),
    [
        ({}, "$.Cause", None),
        ({}, "$.error.Cause", "missing-path"),
        ({"ResultPath": "$.error"}, "$.error.Cause", None),
        ({"ResultPath": "$.error"}, "$.error.Message", "missing-path"),
        ({"ResultPath": "$.error"}, "$.order", None),
        ({"ResultPath": None}, "$.order", None),
        ({"Assign": {"why.$": "$.Cause"}}, "$why", None),
        ({"Assign": {"why.$": "$.Reason"}}, "$why", "missing-path"),
    ],
)
def test_behind_a_catcher_stands_the_error_output(
    fields: dict[str, Any], read: str, code: str | None
) -> None:
    assert said(caught(read=read, **fields)) == ([] if code is None else [code])


def choosing(*rules: dict[str, Any], first: dict[str, Any], **reads: str) -> dict[str, Any]:
    """A Choice behind ``first``; each state that reads is named by its path."""
    states: dict[str, Any] = {"First": {**first, "Next": "Which"}}
    states["Which"] = {"Type": "Choice", "Choices": list(rules), "Default": "Other"}
    for name, text in reads.items():
        states[name] = {"Type": "Pass", "Parameters": path(text), "End": True}
    return {"StartAt": "First", "States": {"Other": END, "Then": END, **states}}


MAYBE = {
    "StartAt": "A",
    "States": {
        "A": {"Type": "Choice", "Choices": [{"Variable": "$.q", "IsNull": True, "Next": "One"}], "Default": "Two"},
        "One": result({"a": 1, "b": 2}, End=True),
        "Two": result({"a": 1}, End=True),
    },
}  # fmt: skip
#: Puts out an object that has ``b`` on one way and not on the other.
SOMETIMES = {"Type": "Parallel", "Branches": [MAYBE], "OutputPath": "$[0]"}


@pytest.mark.parametrize(
    ("rules", "reads", "codes"),
    [
        ([{"Variable": "$.a", "IsPresent": True, "Next": "Then"}], {"Then": "$.b"}, ["maybe-missing-path"]),
        ([{"Variable": "$.b", "IsPresent": True, "Next": "Then"}], {"Then": "$.b"}, []),
        ([{"Variable": "$.b", "IsPresent": True, "Next": "Then"}], {"Other": "$.b"}, ["discarded-path"]),
        ([{"Not": {"Variable": "$.b", "IsPresent": True}, "Next": "Then"}], {"Other": "$.b"}, []),
        ([{"Variable": "$.b", "IsPresent": False, "Next": "Then"}], {"Other": "$.b"}, []),
        (
            [
                {
                    "And": [{"Variable": "$.b", "IsPresent": True}, {"Variable": "$.b", "NumericEquals": 2}],
                    "Next": "Then",
                }
            ],
            {"Then": "$.b"},
            [],
        ),
        ([{"Variable": "$.b", "NumericEquals": 2, "Next": "Then"}], {"Then": "$.b"}, ["maybe-missing-path"]),
        ([{"Variable": "$.a", "StringEquals": "1", "Next": "Then"}], {"Then": "$.a"}, ["never-true"]),
        ([{"Variable": "$.c", "IsPresent": True, "Next": "Then"}], {"Other": "$.a"}, []),
    ],
)
def test_a_choice_learns_from_its_rules(
    rules: list[dict[str, Any]], reads: dict[str, str], codes: list[str]
) -> None:
    definition = choosing(*rules, first=SOMETIMES, **reads)
    found = said(definition)
    if codes == ["discarded-path"]:  # what a test has ruled out is simply not there
        assert found in (["missing-path"], ["discarded-path"])
    else:
        assert found == codes


def test_a_loop_ends_in_what_holds_on_every_round() -> None:
    definition = {
        "StartAt": "Init",
        "States": {
            "Init": {"Type": "Pass", "Parameters": {"n": 0, "first.$": "$.first"}, "Next": "Which"},
            "Which": {
                "Type": "Choice",
                "Choices": [{"Variable": "$.n", "NumericLessThan": 3, "Next": "Work"}],
                "Default": "Done",
            },
            "Work": {**TASK, "ResultPath": "$.work", "Next": "Add"},
            "Add": {"Type": "Pass", "Parameters": {"n.$": "States.MathAdd($.n, 1)"}, "Next": "Which"},
            "Done": {"Type": "Pass", "Parameters": path("$.first"), "End": True},
        },
    }
    assert said(definition) == ["maybe-missing-path"]


def test_a_payload_that_grows_in_a_loop_becomes_unknown() -> None:
    grow = {"Type": "Pass", "Parameters": {"all.$": "$", "again.$": "$"}, "Next": "Which"}
    definition = {
        "StartAt": "Grow",
        "States": {
            "Grow": grow,
            "Which": {
                "Type": "Choice",
                "Choices": [{"Variable": "$.all.all.all", "IsPresent": True, "Next": "Done"}],
                "Default": "Grow",
            },
            "Done": {"Type": "Succeed", "OutputPath": "$.all.again.x"},
        },
    }
    assert said(definition) == []


# Variables


def test_a_branch_reads_what_was_set_around_it_and_hands_nothing_out() -> None:
    inside = {"Type": "Pass", "Parameters": path("$outer"), "Assign": {"inner": 1}}
    definition = machine(
        result(1, Assign={"outer": 1}), parallel(inside), read={"x.$": "$outer", "y.$": "$inner"}
    )
    assert said(definition) == ["undefined-variable"]


def test_a_catcher_sees_the_variables_from_before_the_failure() -> None:
    task = {**TASK, "Assign": {"v": 1}, "Catch": [{"ErrorEquals": ["A"], "Next": "Read"}]}
    assert said(machine(task, read=path("$v"))) == ["maybe-undefined-variable"]


# JSONata


def jsonata(*states: dict[str, Any], read: str, **fields: Any) -> list[str]:
    reading = {"Type": "Pass", "Output": {"x": f"{{% {read} %}}"}, "End": True}
    return said({"QueryLanguage": "JSONata", **machine(*states, read=reading), **fields})


ANSWER = {"Type": "Task", "Resource": INVOKE["Resource"], "Arguments": {"FunctionName": "f"}}


@pytest.mark.parametrize(
    ("states", "read", "code"),
    [
        ([{"Type": "Pass", "Output": {"a": 1}}], "$states.input.a", None),
        ([{"Type": "Pass", "Output": {"a": 1}}], "$states.input.b", "missing-path"),
        ([{"Type": "Pass", "Output": {"a": 1}}], "$states.input.b + 1", "missing-path"),
        ([{"Type": "Pass", "Output": {"a": 1}}], "$exists($states.input.b)", None),
        ([{"Type": "Pass", "Output": {"a": 1}}], "$states.input.b ? $states.input.b : 0", None),
        ([{"Type": "Pass", "Output": {"a": [{"c": 1}]}}], "$states.input.a.c", None),
        ([{"Type": "Pass", "Output": {"a": [{"c": 1}]}}], "$states.input.a.d", "missing-path"),
        ([{"Type": "Pass", "Output": {"a": [{"c": 1}]}}], "$states.input.a[c = 1].d", None),
        ([{"Type": "Pass", "Output": "{% {'a': $states.input.z, 'n': 1 + 1} %}"}], "$states.input.b", "missing-path"),
        ([{"Type": "Pass", "Output": "{% $merge([$states.input, {'a': 1}]) %}"}], "$states.input.b", None),
        ([ANSWER], "$states.input.Payload.x", None),
        ([ANSWER], "$states.input.body", "missing-path"),
        ([{**ANSWER, "Output": "{% $states.result.Payload %}"}], "$states.input.body", None),
        ([{**ANSWER, "Output": "{% $states.result.body %}"}], "$states.input.x", "missing-path"),
        ([{**ANSWER, "Assign": {"v": "{% $states.result.Payload %}"}}], "$v.x", None),
        ([{**ANSWER, "Assign": {"v": {"a": 1}}}], "$v.b", "missing-path"),
        ([], "$v", "undefined-variable"),
        ([], "$exists($v) ? $v : 0", None),
        ([], "$map([1, 2], function($n) { $n * 2 })", None),
        ([], "($n := 2; $n * $n)", None),
        ([], "$map(['a'], $uppercase)", None),
        ([], "$states.context.Execution.Input.a", None),
        ([], "$states.context.Execution.Nam", "missing-context-field"),
    ],
)  # fmt: skip
def test_an_expression_after_what_came_before(states: list[Any], read: str, code: str | None) -> None:
    assert jsonata(*states, read=read) == ([] if code is None else [code])


def test_values_of_jsonata_fields_have_types() -> None:
    states = [{"Type": "Pass", "Output": {"a": "x"}}]
    wait = {"Type": "Wait", "Seconds": "{% $states.input.a %}", "End": True}
    every = {"Type": "Map", "Items": "{% $states.input.a %}", "ItemProcessor": branch(TASK, "T"), "End": True}
    for read in (wait, every):
        assert said({"QueryLanguage": "JSONata", **machine(*states, read=read)}) == ["wrong-type"]


def test_a_condition_that_asks_is_believed() -> None:
    definition = {
        "QueryLanguage": "JSONata",
        "StartAt": "A",
        "States": {
            "A": {
                "Type": "Choice",
                "Choices": [{"Condition": "{% $states.input.q %}", "Assign": {"v": 1}, "Next": "B"}],
                "Default": "B",
            },
            "B": {
                "Type": "Choice",
                "Choices": [{"Condition": "{% $exists($v) %}", "Next": "C"}],
                "Default": "D",
            },
            "C": {"Type": "Pass", "Output": "{% $v %}", "End": True},
            "D": END,
        },
    }
    assert said(definition) == []


# What authors describe


@pytest.mark.parametrize(
    ("schema", "read", "code"),
    [
        ({"properties": {"a": {"type": "string"}}, "required": ["a"]}, path("$.a"), None),
        ({"properties": {"a": {"type": "string"}}}, path("$.a"), "maybe-missing-path"),
        ({"properties": {"a": {"type": "string"}}}, path("$.b"), "missing-path"),
        ({"properties": {"a": {}}, "additionalProperties": True}, path("$.b"), None),
        ({"type": "array", "items": {"properties": {"a": {}}, "required": ["a"]}}, path("$[0].b"), "missing-path"),
        ({"$ref": "#/$defs/o", "$defs": {"o": {"properties": {"a": {}}}}}, path("$.b"), "missing-path"),
        ({"anyOf": [{"properties": {"a": {}}, "required": ["a"]}, {"type": "string"}]}, path("$.b"), "missing-path"),
        ({"allOf": [{"properties": {"a": {}}}]}, path("$.b"), None),
        (True, path("$.b"), None),
        ({"$ref": "#"}, path("$.b"), None),
        ({"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]},
         {"Type": "Wait", "TimestampPath": "$.n", "End": True}, "wrong-type"),
        ({"enum": ["a", "b"]}, path("States.ArrayLength($)"), "wrong-argument"),
    ],
)  # fmt: skip
def test_the_input_as_its_schema_says(schema: Any, read: dict[str, Any], code: str | None) -> None:
    found = said(machine(read=read), payload=shape_of_schema(schema))
    assert found == ([] if code is None else [code])


def test_the_answer_of_a_task_as_its_schema_says() -> None:
    shape = shape_of_schema({"properties": {"parcel": {}}, "required": ["parcel"]})
    for read, codes in (("$.parcel", []), ("$.parcl", ["missing-path"])):
        assert said(machine(TASK, read=path(read)), results={"task:work": shape}) == codes


# Placeholders


@pytest.mark.parametrize(
    "state",
    [
        result("${Something}"),
        {"Type": "Pass", "Parameters": {"${Name}": 1}},
        {**TASK, "Resource": "${Function}"},
        result({"a": 1}, ResultPath="${Place}"),
        result({"a": 1}, Next="${Next}"),
        {"Type": "Pass", "Parameters": {"Fn::Sub": "x"}},
    ],
)
def test_what_a_placeholder_decides_is_unknown(state: dict[str, Any]) -> None:
    definition = machine(state, read=path("$.b"))
    assert said(definition) == []
