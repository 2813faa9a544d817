"""Definitions that are no workflow, or one that is a trap, as JSON texts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from .attacks import VALUES

PASS: dict[str, Any] = {"Type": "Pass", "End": True}
TASK: dict[str, Any] = {"Type": "Task", "Resource": "task:note", "End": True}
WAIT: dict[str, Any] = {"Type": "Wait", "Seconds": 0, "End": True}
#: Members of each type of state, each with a value that is sound.
MEMBERS: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "Pass": (
        PASS,
        (
            *(
                "Type",
                "Next",
                "End",
                "Comment",
                "Result",
                "Parameters",
                "ResultPath",
                "InputPath",
                "OutputPath",
            ),
            *("Assign", "Output", "QueryLanguage"),
        ),
    ),
    "Task": (
        TASK,
        (
            *("Resource", "TimeoutSeconds", "TimeoutSecondsPath", "HeartbeatSeconds", "Retry", "Catch"),
            *("Credentials", "ResultSelector", "Arguments"),
        ),
    ),
    "Wait": (WAIT, ("Seconds", "SecondsPath", "Timestamp", "TimestampPath")),
    "Choice": ({"Type": "Choice", "Choices": [], "Default": "A"}, ("Choices", "Default")),
    "Parallel": ({"Type": "Parallel", "Branches": [], "End": True}, ("Branches",)),
    "Map": (
        {"Type": "Map", "ItemProcessor": {"StartAt": "B", "States": {"B": PASS}}, "End": True},
        (
            *(
                "ItemProcessor",
                "Iterator",
                "ItemsPath",
                "ItemSelector",
                "MaxConcurrency",
                "MaxConcurrencyPath",
            ),
            *("Items", "ToleratedFailureCount", "ToleratedFailurePercentage"),
            *("ItemReader", "ItemBatcher", "ResultWriter"),
        ),
    ),
    "Fail": ({"Type": "Fail"}, ("Error", "Cause", "ErrorPath", "CausePath")),
}
PATHS = (
    "$" + ".a" * 20_000,
    "$" + "[0]" * 5_000,
    "$..[?(@.a=~'(a+)+$')]",
    "$[?(@.a =~ /(a+)+$/)]",
    "$..*" * 200,
    "$[",
    "$." + "(" * 5_000,
    "$[?(@" * 200,
    "$[0:99999999999999999999:0]",
    "$[" + "0," * 5_000 + "0]",
    "$.`parent`.`parent`.`parent`",
    "$.__class__.__mro__",
    "$$." + "Execution." * 2_000,
    "$" * 5_000,
    "States.Format('{}', $)",
    "$.a\0",
    "$['\ud800']",
)
INTRINSICS = (
    "States.Format('{}', " * 500 + "$" + ")" * 500,
    "States.Format('" + "{}" * 5_000 + "'" + ", $" * 5_000 + ")",
    "States.Array(" + "1," * 20_000 + "1)",
    "States.ArrayRange(0, 999999999999, 1)",
    "States.ArrayRange(0, 1, 0)",
    "States.ArrayPartition($, 0)",
    "States.ArrayGetItem($, 99999999999999999999)",
    "States.Base64Decode('" + "A" * 200_000 + "')",
    "States.StringToJson('" + "[" * 100_000 + "')",
    "States.Hash('x', 'MD99')",
    "States.MathRandom(1, 1)",
    "States.MathAdd(1e308, 1e308)",
    "States.UUID(1)",
    "States.Nothing()",
    "States.Format('",
    "States." + "A" * 100_000 + "()",
    "__import__('os').system('exit 7')",
)
EXPRESSIONS = (
    "{% " + "(" * 5_000 + " %}",
    "{% " + "[" * 5_000 + "]" * 5_000 + " %}",
    "{% " + "{" * 5_000 + " %}",
    "{% " + "1+" * 50_000 + "1 %}",
    "{% " + "a." * 20_000 + "a %}",
    "{% " + "-" * 50_000 + "1 %}",
    "{% " + "function(){" * 3_000 + " %}",
    "{% " + "true ? " * 5_000 + "1 %}",
    "{% $ %",
    "{% /(/ %}",
    "{%%}",
    "{% '\\uZZZZ' %}",
    "{% $eval('1') %}",
    "{% ** %}",
    "{% % %}",
    "{% 1e999 %}",
    "{% $states.context.__class__ %}",
    "{% $random() & $now() & $uuid() %}",
)
RESOURCES = (
    "",
    "exec:/bin/sh -c 'exit 7'",
    "exec:",
    "file:///etc/passwd",
    "http://169.254.169.254/latest/meta-data",
    "http://[::1]:1/",
    "http://0x7f000001:1/",
    "https://",
    "http://a b",
    "ftp://x",
    "gopher://x",
    "task:",
    "task:../../x",
    "signal:",
    "signal:" + "s" * 5_000,
    "python:os.system",
    "arn:aws:states:::nothing:do",
    "arn:aws:states:::states:startExecution.sync:99",
    "arn:aws:states:::lambda:invoke.waitForTaskToken.sync",
    "arn:aws:states:::aws-sdk:sts:getCallerIdentity",
    "arn:aws:states:::http:invoke",
    "arn:aws:lambda:::",
    "\0",
)
NUMBERS = (-1, 0, 0.5, 2**31, 2**63, 2**70, 10**400, 1e308, "1", None, True, [], {})
INSTANTS = (
    "",
    "yesterday",
    "2020-13-45T99:99:99Z",
    "9999-12-31T23:59:59-23:59",
    "0001-01-01T00:00:00+23:59",
    "99999-01-01T00:00:00Z",
    "2026-11-21T10:15:00." + "9" * 5_000 + "Z",
    "2026-11-21",
)

_DOCUMENTS = (
    "",
    "{",
    "null",
    "# nothing",
    "StartAt: A\nStates: {A: {Type: Pass, End: yes}}",
    "&a {StartAt: A, States: *a}",
    "a: &a [x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c]",
    "!!python/object/apply:os.system ['exit 7']",
    "- " * 5_000,
    "? " * 5_000,
    "'" + "x" * 100_000,
    '{"StartAt": "A", "StartAt": "B", "States": {}}',
    '{"StartAt": "A", "States": {"A": {"Type": "Pass", "End": true}, "A": {"Type": "Fail"}}}',
    '{"StartAt": "A", "States": {"A": {"Type": "Wait", "Seconds": NaN, "End": true}}}',
    '{"StartAt": "A", "States": {"A": {"Type": "Wait", "Seconds": 1e999, "End": true}}}',
    '{"StartAt": "A", "States": {"A": {"Type": "Wait", "Seconds": ' + "9" * 5_000 + ', "End": true}}}',
)


def machine(state: Any, **more: Any) -> dict[str, Any]:
    return {"StartAt": "A", "States": {"A": state}, **more}


def definitions() -> Iterator[str]:
    """The JSON texts, a few of them none."""
    for value in _values():
        yield json.dumps(value)
    yield from _texts()


def _values() -> Iterator[Any]:
    yield from VALUES
    for member in ("StartAt", "States", "TimeoutSeconds", "Version", "QueryLanguage", "Comment"):
        for value in VALUES:
            yield machine(PASS) | {member: value}
    for number, (sound, members) in enumerate(MEMBERS.values()):
        for shift, member in enumerate(members):
            for value in VALUES[(number + shift) % 3 :: 3]:
                yield machine(sound | {member: value})
    for path in PATHS:
        for member in ("InputPath", "OutputPath", "ResultPath"):
            yield machine(PASS | {member: path})
        yield machine(PASS | {"Parameters": {"x.$": path}})
        yield machine({"Type": "Choice", "Choices": [{"Variable": path, "IsNull": True, "Next": "A"}]})
        yield machine({"Type": "Map", "ItemsPath": path, "ItemProcessor": machine(PASS), "End": True})
    for call in INTRINSICS:
        yield machine(PASS | {"Parameters": {"x.$": call}})
    for text in EXPRESSIONS:
        for state in (PASS | {"Output": text}, TASK | {"Arguments": text}, WAIT | {"Seconds": text}):
            yield machine(state, QueryLanguage="JSONata")
    for resource in RESOURCES:
        yield machine(TASK | {"Resource": resource})
    for number in NUMBERS:
        for member in ("TimeoutSeconds", "HeartbeatSeconds"):
            yield machine(TASK | {member: number})
        yield machine(WAIT | {"Seconds": number})
        for member in ("IntervalSeconds", "MaxAttempts", "BackoffRate", "MaxDelaySeconds"):
            yield machine(TASK | {"Retry": [{"ErrorEquals": ["States.ALL"], member: number}]})
        each = MEMBERS["Map"][0]
        for member in ("MaxConcurrency", "ToleratedFailureCount", "ToleratedFailurePercentage"):
            yield machine(each | {member: number})
    for instant in INSTANTS:
        yield machine({"Type": "Wait", "Timestamp": instant, "End": True})
        compare = {"Variable": "$.a", "TimestampLessThan": instant, "Next": "A"}
        yield machine({"Type": "Choice", "Choices": [compare], "Default": "A"})
    yield from _shapes()


def _shapes() -> Iterator[Any]:
    """Cycles, dead ends, and more of everything than anybody needs."""
    yield machine({"Type": "Pass", "Next": "A"})
    yield {"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "B"}, "B": {"Type": "Pass", "Next": "A"}}}
    yield machine({"Type": "Pass", "Next": "Nowhere"})
    yield {"StartAt": "Nowhere", "States": {"A": PASS}}
    yield {"StartAt": "A", "States": {"A": PASS, "B": PASS}}
    yield machine({"Type": "Choice", "Choices": [{"Variable": "$", "IsPresent": True, "Next": "A"}]})
    chain = {f"S{n}": {"Type": "Pass", "Next": f"S{n + 1}"} for n in range(10_000)}
    yield {"StartAt": "S0", "States": chain | {"S10000": PASS}}
    yield machine({"Type": "Parallel", "Branches": [machine(PASS)] * 5_000, "End": True})
    each = {"Type": "Map", "ItemProcessor": machine(PASS), "End": True}
    items = list(range(30_000))
    yield {"StartAt": "I", "States": {"I": {"Type": "Pass", "Result": items, "Next": "A"}, "A": each}}
    inner: Any = {"Type": "Map", "ItemProcessor": machine(PASS), "End": True}
    for _ in range(5):
        inner = {"Type": "Map", "ItemProcessor": machine(inner), "End": True}
    yield {
        "StartAt": "I",
        "States": {"I": {"Type": "Pass", "Result": [[[[[[1] * 9]]]]], "Next": "A"}, "A": inner},
    }
    rule = {"Variable": "$.a", "StringMatches": "*a" * 5_000, "Next": "A"}
    yield machine({"Type": "Choice", "Choices": [rule], "Default": "A"})
    yield machine({"Type": "Choice", "Choices": [{"Variable": "$.a", "IsNull": True, "Next": "A"}] * 10_000})
    for operator in ("And", "Or"):
        yield machine({"Type": "Choice", "Choices": [{operator: [], "Next": "A"}], "Default": "A"})
    yield machine({"Type": "Choice", "Choices": [{"Not": {"Not": {"Not": {}}}, "Next": "A"}]})
    retrier = {"ErrorEquals": ["E"] * 1_000}
    yield machine(TASK | {"Retry": [retrier] * 1_000})
    yield machine(PASS | {"Parameters": {f"k{n}.$": "$" for n in range(5_000)}})
    yield machine(PASS | {"Assign": {f"k{n}": n for n in range(5_000)}})
    yield machine(PASS | {"Result": "x" * 1_000_000})
    for name in (
        "",
        " ",
        "\0",
        "\ud800",
        "n" * 81,
        "n" * 100_000,
        "😀" * 80,
        "__class__",
        "../x",
        "<script>",
    ):
        yield {"StartAt": name, "States": {name: PASS}}
    for reader in ("arn:aws:states:::s3:getObject", "file:///etc/passwd", "http://127.0.0.1:1/x", ""):
        for config in ({}, {"InputType": "CSV"}, {"InputType": "JSON", "MaxItems": -1}, {"InputType": "\0"}):
            item = {"Resource": reader, "Parameters": {"Bucket": "b", "Key": "../x"}, "ReaderConfig": config}
            body = machine(PASS, ProcessorConfig={"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"})
            yield machine({"Type": "Map", "ItemReader": item, "ItemProcessor": body, "End": True})


def _texts() -> Iterator[str]:
    """What no program of good will writes: as text, since nothing here could nest so deep."""
    for depth in (10, 40, 150, 1_000, 10_000):
        opened = '{"StartAt":"A","States":{"A":{"Type":"Parallel","End":true,"Branches":['
        yield opened * depth + json.dumps(machine(PASS)) + "]}}}" * depth
        opened = '{"StartAt":"A","States":{"A":{"Type":"Map","End":true,"ItemProcessor":'
        yield opened * depth + json.dumps(machine(PASS)) + "}}}" * depth
        rule = '{"Not":' * depth + '{"Variable":"$","IsNull":true}' + "}" * depth
        yield json.dumps(machine({"Type": "Choice", "Choices": "RULES"})).replace('"RULES"', f"[{rule}]")
        yield json.dumps(machine(PASS | {"Result": "R"})).replace('"R"', "[" * depth + "]" * depth)
    yield from _DOCUMENTS
