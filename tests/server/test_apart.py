"""What is large, or could take long, is done in a helper process, and the answer is the same as on the spot."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from detent.runtime.helpers import Ended, Helpers, Job

from .api import Api
from .conftest import Running

ROLE = "arn:aws:iam::123456789012:role/any"
PAD = {"Comment": "c" * 4_000}


def chain(**more: Any) -> dict[str, Any]:
    return {"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True, **more}}}


@pytest.fixture
def jobs(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the jobs that helpers are given."""
    given: list[str] = []
    do = Helpers.do

    async def noted(self: Helpers, job: Job, request: bytes) -> bytes:
        given.append(job.name.rpartition(":")[2])
        return await do(self, job, request)

    monkeypatch.setattr(Helpers, "do", noted)
    return given


@pytest.mark.parametrize("more", [{}, PAD])
def test_definitions_are_judged_alike(
    server: Running, boto: Callable[..., Any], jobs: list[str], more: dict[str, Any]
) -> None:
    sound, unsound = chain() | more, chain(Next="B") | more
    rest = Api(server.url)
    found = rest("POST", "/v1/machines/validate", {"definition": sound}).json
    assert (found["valid"], found["findings"]) == (True, [])
    found = rest("POST", "/v1/machines/validate", {"definition": unsound}).json
    assert not found["valid"]
    assert "/States/A" in found["findings"][0]["pointer"]
    found = rest("POST", "/v1/machines", {"name": "rest", "definition": unsound}).json
    assert found["diagnostics"]
    assert rest("POST", "/v1/machines", {"name": "rest", "definition": sound}).status == 201
    for format, begin in (("svg", b"<svg"), ("mermaid", b"flowchart"), ("dot", b"digraph")):
        assert rest("GET", "/v1/machines/rest/graph", format=format).body.startswith(begin)
    sfn = boto(server)
    made = sfn.create_state_machine(name="aws", definition=json.dumps(sound), roleArn=ROLE)
    assert made["stateMachineArn"].endswith(":aws")
    with pytest.raises(ClientError, match="InvalidDefinition"):
        sfn.create_state_machine(name="none", definition=json.dumps(unsound), roleArn=ROLE)
    assert sfn.validate_state_machine_definition(definition=json.dumps(unsound))["result"] == "FAIL"
    large = ["judge", "judge", "judge", "judge", "draw", "draw", "draw", "admit", "admit", "diagnose"]
    assert jobs == (large if more else [])


def test_a_state_is_tried_apart(
    start_server: Callable[..., Running], boto: Callable[..., Any], jobs: list[str]
) -> None:
    server = start_server({"twice": lambda given: given * 2, "fail": fail})
    sfn = boto(server)
    task = {"Type": "Task", "Resource": "task:twice", "ResultSelector": {"a.$": "$"}, "End": True}
    tried = sfn.test_state(definition=json.dumps(task), roleArn=ROLE, input="21")
    assert json.loads(tried["output"]) == {"a": 42}
    task["Resource"] = "task:fail"
    task["Catch"] = [{"ErrorEquals": ["States.ALL"], "Next": "B"}]
    tried = sfn.test_state(definition=json.dumps(task), roleArn=ROLE, input="21", inspectionLevel="DEBUG")
    assert (tried["status"], tried["error"], tried["cause"]) == ("CAUGHT_ERROR", "ValueError", "no")
    with pytest.raises(ClientError, match="InvalidDefinition"):
        sfn.test_state(definition="{}", roleArn=ROLE)
    assert jobs == ["answer"] * 5


def fail(given: Any) -> Any:
    raise ValueError("no")


BOMBS = [
    "{% ($f := function($n) {$f($n + 1)}; $f(0)) %}",
    "{% ($d := function($s) {$d($s & $s)}; $d('x')) %}",
    "{% [1..800000].$string() %}",
]


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_state_that_takes_too_much_fails_when_it_is_tried(
    server: Running, boto: Callable[..., Any], bomb: str
) -> None:
    state = {"Type": "Pass", "QueryLanguage": "JSONata", "Output": bomb, "End": True}
    tried = boto(server).test_state(definition=json.dumps(state), roleArn=ROLE)
    assert tried["status"] == "FAILED"
    assert tried["error"] in ("States.QueryEvaluationError", "States.Runtime")


def test_what_cannot_be_judged_within_its_bounds_is_refused(
    server: Running, boto: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    definition = chain() | PAD
    rest = Api(server.url)
    assert rest("POST", "/v1/machines", {"name": "m", "definition": definition}).status == 201

    async def ended(self: Helpers, job: Job, request: bytes) -> bytes:
        raise Ended(too_long=True)

    monkeypatch.setattr(Helpers, "do", ended)
    refused = rest("POST", "/v1/machines", {"name": "n", "definition": definition})
    assert refused.status == 400
    assert refused["detail"] == "the definition cannot be judged: it took too long"
    assert rest("GET", "/v1/machines/m/graph")["type"] == "urn:detent:problem:too-large-to-draw"
    sfn = boto(server)
    with pytest.raises(ClientError, match=r"InvalidDefinition.*it took too long"):
        sfn.create_state_machine(name="n", definition=json.dumps(definition), roleArn=ROLE)
    with pytest.raises(ClientError, match=r"InvalidDefinition.*it took too long"):
        sfn.validate_state_machine_definition(definition=json.dumps(definition))
    tried = sfn.test_state(definition=json.dumps(definition["States"]["A"]), roleArn=ROLE)
    assert (tried["status"], tried["error"]) == ("FAILED", "States.Runtime")
