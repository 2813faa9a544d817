"""Some two thousand requests and definitions that nobody means well with: each gets a clean answer (P12, P13).

A clean answer is 2xx or a well-formed 4xx. The log tells of no defect, memory does not grow by 100 MB, and others are
answered meanwhile.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import quote

from .test_timers import Answering, p99
from .world import Answer, World, say, world

MEMORY_MAX = 100 * 1024 * 1024
ROLE = "arn:aws:iam::123456789012:role/any"
OPERATIONS = """
CreateActivity CreateStateMachine CreateStateMachineAlias DeleteActivity DeleteStateMachine DeleteStateMachineAlias
DeleteStateMachineVersion DescribeActivity DescribeExecution DescribeMapRun DescribeStateMachine
DescribeStateMachineAlias DescribeStateMachineForExecution GetActivityTask GetExecutionHistory ListActivities
ListExecutions ListMapRuns ListStateMachineAliases ListStateMachineVersions ListStateMachines ListTagsForResource
PublishStateMachineVersion RedriveExecution SendTaskFailure SendTaskHeartbeat SendTaskSuccess StartExecution
StartSyncExecution StopExecution TagResource TestState UntagResource UpdateMapRun UpdateStateMachine
UpdateStateMachineAlias ValidateStateMachineDefinition
""".split()
DEEP = "[" * 100_000 + "]" * 100_000
BODIES: list[bytes] = [
    b"",
    b"null",
    b"[]",
    b"0",
    b'"x"',
    b"{",
    b"\x00",
    b"\xff\xfe{}",
    b'{"a": "\xff"}',
    b"NaN",
    b'{"input": NaN}',
    b'{"a": 1e999}',
    b'{"a": ' + b"9" * 20_000 + b"}",
    DEEP.encode(),
    b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
    b'{"a": 1, "a": 2}',
]
#: Members that many operations have.
MEMBERS = (
    *(
        "stateMachineArn",
        "executionArn",
        "activityArn",
        "name",
        "definition",
        "input",
        "roleArn",
        "nextToken",
    ),
    *(
        "maxResults",
        "taskToken",
        "resourceArn",
        "mapRunArn",
        "stateMachineVersionArn",
        "stateMachineAliasArn",
    ),
    *(
        "output",
        "error",
        "cause",
        "tags",
        "tagKeys",
        "routingConfiguration",
        "loggingConfiguration",
        "workerName",
    ),
)
VALUES: list[Any] = [
    None,
    True,
    -1,
    2**70,
    1e308,
    "",
    " ",
    "\0",
    "\ud800",
    "../../etc/passwd",
    "' OR 1=1 --",
    "<script>alert(1)</script>",
    "x" * 300_000,
    "arn:aws:states:us-east-1:123456789012:stateMachine:" + "n" * 2_000,
    "arn:aws:states:::execution:../..:..",
    "arn:aws:states:us-east-1:123456789012:execution:a:b:c:d:e",
    [],
    {},
    [None] * 1_000,
    {"a": {"b": {"c": []}}},
    [[]],
]
PATHS = (
    *("/v1/machines/{}", "/v1/machines/{}/versions", "/v1/machines/{}/graph", "/v1/executions/{}", "/v1/{}"),
    *(
        "/v1/executions/{}/history",
        "/v1/executions/{}/timeline",
        "/v1/activities/{}",
        "/{}",
        "/v1/machines/a/{}",
    ),
)
QUERIES = (
    *(
        "limit={}",
        "cursor={}",
        "status={}",
        "machine={}",
        "name={}",
        "startedAfter={}",
        "wait={}",
        "reverse={}",
    ),
    *("{}=1", "limit=1&limit={}"),
)
WORDS = [
    *(
        "",
        ".",
        "..",
        "../../etc/passwd",
        "%",
        "%zz",
        "%00",
        "\0",
        "\ud800",
        "😀",
        "-1",
        "0",
        "1e9",
        "99999999999999999",
    ),
    *(
        "null",
        "NaN",
        "' OR 1=1 --",
        "a;b",
        "a\r\nX: y",
        "x" * 3_000,
        "P1Y",
        "2020-13-45T99:99:99Z",
        "9999-12-31T23:59:59Z",
    ),
    *("$where", "*", "{}", "[]", "RUNNING,FAILED"),
]


def requests() -> Iterator[tuple[str, str, bytes | None, dict[str, str]]]:
    """Method, path, body, headers."""
    for operation in OPERATIONS:
        target = {"X-Amz-Target": f"AWSStepFunctions.{operation}"}
        for body in BODIES:
            yield "POST", "/", body, target
        for number, member in enumerate(MEMBERS):
            value = VALUES[(number + len(operation)) % len(VALUES)]
            yield "POST", "/", json.dumps({member: value}).encode(), target
    for word in WORDS:
        for path in PATHS:
            yield "GET", path.format(escaped(word)), None, {}
        for query in QUERIES:
            yield "GET", "/v1/executions?" + query.format(escaped(word)), None, {}
    for path in (
        "/v1/machines",
        "/v1/executions",
        "/v1/tasks/succeed",
        "/v1/activities",
        "/v1/machines/validate",
    ):
        for body in BODIES:
            yield "POST", path, body, {}
        for member in ("name", "definition", "machine", "input", "token", "output", "version"):
            for value in VALUES:
                yield "POST", path, json.dumps({member: value}).encode(), {}


def escaped(word: str) -> str:
    return quote(word.encode("utf-8", "surrogatepass"), safe="%" if word.startswith("%") else "")


def definitions() -> Iterator[Any]:
    """Definitions that are no workflow, or a trap."""
    yield from VALUES
    state: Any = {"Type": "Pass", "End": True}
    for depth in (10, 40, 150):
        nested = state
        for _ in range(depth):
            nested = {
                "Type": "Parallel",
                "End": True,
                "Branches": [{"StartAt": "A", "States": {"A": nested}}],
            }
        yield machine(nested)
    for member in (
        "Type",
        "Next",
        "End",
        "Comment",
        "Parameters",
        "ResultPath",
        "InputPath",
        "Retry",
        "Catch",
        "Assign",
    ):
        for value in VALUES:
            yield machine(state | {member: value})
    for path in (
        "$" + ".a" * 20_000,
        "$" + "[0]" * 5_000,
        "$..[?(@.a=~'(a+)+$')]",
        "$[",
        "$." + "(" * 5_000,
        "$[?(@" * 200,
    ):
        for member in ("InputPath", "OutputPath", "ResultPath"):
            yield machine(state | {member: path})
    for expression in (
        "{% " + "(" * 5_000 + " %}",
        "{% " + "[" * 5_000 + "]" * 5_000 + " %}",
        "{% $ %",
        "{% /(/ %}",
        "{%%}",
    ):
        yield machine(state | {"Output": expression}) | {"QueryLanguage": "JSONata"}


def machine(state: Any) -> dict[str, Any]:
    return {"StartAt": "A", "States": {"A": state}}


def ask(under: World, request: tuple[str, str, bytes | None, dict[str, str]]) -> str | None:
    """What is wrong with the answer; None if it is a clean one."""
    method, path, body, headers = request
    shown = f"{method} {path[:120]} {headers.get('X-Amz-Target', '')} {(body or b'')[:120]!r}"
    try:
        answer = under.ask(method, path, body, headers)
    except OSError as error:
        return f"{shown}: {error!r}"
    return complaint(shown, answer)


def complaint(shown: str, answer: Answer) -> str | None:
    if answer.status >= 500 or answer.status < 200:
        return f"{shown}: {answer.status} {answer.body[:200]!r}"
    if answer.status >= 400:
        try:
            told = answer.json
        except ValueError:
            return f"{shown}: {answer.status} {answer.body[:200]!r} is no JSON"
        if not ("__type" in told or {"type", "title", "status", "detail"} <= set(told)):
            return f"{shown}: {answer.status} {told} has not the form of an error"
    return None


def test_hostile_requests_and_definitions_get_clean_answers(tmp_path: Path) -> None:
    with world(tmp_path) as under:
        under.start()
        asked = [*requests()]
        # Everything once for the caches, before memory is measured.
        for request in asked[::50]:
            ask(under, request)
        before = under.memory()
        for number, definition in enumerate(definitions()):
            text = json.dumps(definition)
            body = {"name": f"h{number}", "definition": definition}
            asked.append(("POST", "/v1/machines", json.dumps(body).encode(), {}))
            body = {"name": f"a{number}", "definition": text, "roleArn": ROLE}
            asked.append(
                (
                    "POST",
                    "/",
                    json.dumps(body).encode(),
                    {"X-Amz-Target": "AWSStepFunctions.CreateStateMachine"},
                )
            )
        with ThreadPoolExecutor(4) as pool:
            wrong = [said for said in pool.map(lambda one: ask(under, one), asked) if said is not None]
        assert not wrong, f"{len(wrong)} of {len(asked)}:\n" + "\n".join(wrong[:40])
        assert under.is_running
        assert "could not be answered" not in under.log()
        grown = under.memory() - before
        assert grown <= MEMORY_MAX
        say(f"P13: {len(asked)} requests, 0 findings, {grown / 1e6:.0f} MB more")


#: Expressions that take all time or all memory where nothing stops them.
BOMBS = [
    "{% ($f := function($n) {$f($n + 1)}; $f(0)) %}",
    "{% ($f := function($n) {1 + $f($n + 1)}; $f(0)) %}",
    "{% $match('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!', /(a+)+$/) %}",
    "{% [1..9999999] %}",
    "{% $sum([1..10000000]) %}",
    "{% $sum([1..10000].([1..10000])) %}",
    "{% $pad('x', 2000000000) %}",
    "{% ($d := function($s) {$d($s & $s)}; $d('x')) %}",
    "{% $sort([1..200000], function($a, $b) {$a < $b}) %}",
    "{% $reduce([1..5000000], function($a, $b) {$a + $b}) %}",
    "{% $join([1..5000000].$string()) %}",
    "{% $map([1..3000], function($v) {$map([1..3000], function($w) {$v * $w})}) %}",
    "{% $replace($pad('', 200000, 'a'), /a/, $pad('', 20000, 'b')) %}",
    "{% $split($pad('', 5000000, 'a'), '') %}",
    "{% $string([1..2000000]) %}",
]
PATH_BOMBS = [
    {"InputPath": "$.a[?(@ =~ '(a+)+$')]"},
    {"Parameters": {"x.$": "$..*"}},
    {"Parameters": {"x.$": "States.ArrayRange(0, 999999999, 1)"}},
    {"Parameters": {"x.$": "States.ArrayRange(0, 999, 1)"}},
    {"Parameters": {"x.$": "$..[?(@.b)]..[?(@.b)]..[?(@.b)]"}},
    {"Parameters": {"x.$": "States.Base64Decode('x')"}},
    {"Parameters": {"x.$": "States.MathRandom(1, 99999999999999999999)"}},
    {"Parameters": {"x.$": "States.JsonToString($)"}},
]


def test_no_expression_keeps_others_waiting_or_takes_all_memory(tmp_path: Path) -> None:
    input = {"a": ["a" * 40 + "!"] * 100, "b": [{"b": {"b": [1] * 20}}] * 100}
    with world(tmp_path) as under:
        under.start()
        bombs = [
            machine({"Type": "Pass", "Output": text, "End": True}) | {"QueryLanguage": "JSONata"}
            for text in BOMBS
        ]
        bombs += [machine({"Type": "Pass", "End": True} | members) for members in PATH_BOMBS]
        refused = 0
        before = largest = under.memory()
        with Answering(under) as times:
            for number, definition in enumerate(bombs):
                told = under.ask("POST", "/v1/machines", {"name": f"b{number}", "definition": definition})
                assert told.status in (201, 400), told
                if told.status == 400:
                    refused += 1
                    continue
                assert under.begin(f"b{number}", f"e{number}", input)
                largest = max(largest, under.memory())
            ended = under.until_ended()
            largest = max(largest, under.memory())
        assert len(ended) == len(bombs) - refused
        assert largest - before <= MEMORY_MAX
        assert "could not be answered" not in under.log()
        statuses = Counter(one["status"] for one in ended.values())
        say(
            f"P12: {len(bombs)} bombs, {refused} refused, {dict(statuses)}; answers meanwhile p50 "
            f"{sorted(times)[len(times) // 2]:.3f} s, p99 {p99(times):.3f} s, max {max(times):.3f} s; "
            f"{(largest - before) / 1e6:.0f} MB more"
        )
