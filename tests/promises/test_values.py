"""What goes in comes out, by either protocol and from either store; what is no JSON stays outside (P14)."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from store.server import shared_server

from .world import World, world

#: JSON texts whose value must come back as it was.
SOUND = [
    "9007199254740993",
    "-9007199254740993",
    "123456789012345678901234567890",
    "-" + "9" * 400,
    "18446744073709551616",
    "0.1",
    "1e300",
    "5e-324",
    "-0.0",
    "1E5",
    "1.7976931348623157e308",
    '"\\u0000"',
    '"a\\u0000b"',
    '"\\ud83d\\ude00"',
    '"😀"',
    '"\\ud800"',
    '"x\\udfff"',
    '"\\u2028\\u2029"',
    '"\\u007f\\u0001\\u001f"',
    '"\\"\\\\\\/"',
    '"é"',
    '""',
    "[]",
    "{}",
    '{"": {"": []}}',
    '{"b": 1, "a": 2, "\\u0000": 3}',
    '{"__proto__": {"toString": null}}',
    "[" * 60 + "]" * 60,
]
#: What is refused: neither is JSON.
UNSOUND = ["NaN", "Infinity", "-Infinity", "1e400", "-1e400", "01", "'a'", "[1,]", '{"a" 1}', '"\t"']

PASS = {
    "StartAt": "A",
    "States": {
        "A": {"Type": "Pass", "Next": "B"},
        "B": {"Type": "Task", "Resource": "task:note", "End": True},
    },
}


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def under(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("values")
    if request.param == "postgres":
        with shared_server(folder) as address, world(folder, store=address) as made:
            made.start()
            made.machine("echo", PASS)
            yield made
    else:
        with world(folder) as made:
            made.start()
            made.machine("echo", PASS)
            yield made


def exactly(text: str) -> object:
    """The value of a JSON text, telling numbers by how they are meant."""
    return json.loads(text, parse_float=lambda digits: ("number", repr(float(digits))))


@pytest.mark.parametrize("text", SOUND, ids=range(len(SOUND)))
def test_what_goes_in_comes_out(under: World, text: str) -> None:
    body = f'{{"machine": "echo", "input": {{"v": {text}}}}}'.encode()
    told = under.insist("POST", "/v1/executions?wait=60s", body)
    assert told.status == 200, told
    for where in (told.body, under.ask("GET", f"/v1/executions/{told.json['id']}").body):
        found = exactly(where.decode())
        assert found["status"] == "SUCCEEDED", found  # type: ignore[index]
        assert found["output"] == found["input"] == {"v": exactly(text)}  # type: ignore[index]

    arn = under.ask("GET", "/v1/machines/echo").json["arn"]
    given = f'{{"v": {text}}}'
    begun = under.sfn("StartExecution", stateMachineArn=arn, input=given)
    assert begun.status == 200, begun
    id = begun.json["executionArn"]
    under.ask("GET", f"/v1/executions/{id}?wait=60s")
    described = under.sfn("DescribeExecution", executionArn=id).json
    assert described["input"] == given
    assert exactly(described["output"]) == exactly(given)


@pytest.mark.parametrize("text", UNSOUND)
def test_what_is_no_json_is_refused(under: World, text: str) -> None:
    body = f'{{"machine": "echo", "input": {text}}}'.encode()
    assert under.ask("POST", "/v1/executions", body).status == 400
    arn = under.ask("GET", "/v1/machines/echo").json["arn"]
    told = under.sfn("StartExecution", stateMachineArn=arn, input=text)
    assert (told.status, told.json["__type"]) == (400, "InvalidExecutionInput")
