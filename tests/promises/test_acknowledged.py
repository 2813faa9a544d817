"""SIGKILL right after each acknowledgement: what was acknowledged is there when the server is back (P1).

Every operation by which a server acknowledges a change is asked for once, over the AWS protocol and over REST, and the
server killed as soon as its answer has arrived; on a store in a file, and on Postgres.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from store.databases import named, run
from store.server import shared_server

from detent.server.aws.operations import OPERATIONS as AWS
from detent.server.rest.api import OPERATIONS as REST

from .world import PATIENCE, Answer, World, world

HERE = "arn:aws:states:us-east-1:123456789012"
ROLE = "arn:aws:iam::123456789012:role/any"
MACHINE = f"{HERE}:stateMachine:work"
ACTIVITY = f"{HERE}:activity:review"
PASS: Any = {"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}}
FAIL: Any = {"StartAt": "F", "States": {"F": {"Type": "Fail", "Error": "E"}}}
WORK: Any = {"StartAt": "W", "States": {"W": {"Type": "Task", "Resource": ACTIVITY, "End": True}}}
ASK: Any = {"StartAt": "Ask", "States": {"Ask": {"Type": "Task", "Resource": "signal:answer", "End": True}}}
EACH: Any = {
    "StartAt": "Each",
    "States": {
        "Each": {
            "Type": "Map",
            "MaxConcurrency": 1,
            "ItemProcessor": {
                "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
                **ASK,
            },
            "End": True,
        }
    },
}
#: What changes nothing that could be lost, and what is durable nowhere by its nature.
AWS_LOOKS = ("Describe", "List", "Get", "Validate", "TestState", "StartSyncExecution")
REST_LOOKS = {"validate_definition", "try_state"}

#: The operations that acknowledge a change, by the test that asks for them.
VERSIONS = {
    "CreateStateMachine",
    "PublishStateMachineVersion",
    "UpdateStateMachine",
    "DeleteStateMachineVersion",
    "DeleteStateMachine",
}
ALIASES = {"CreateStateMachineAlias", "UpdateStateMachineAlias", "DeleteStateMachineAlias"}
TAGS_AND_ACTIVITIES = {"TagResource", "UntagResource", "CreateActivity", "DeleteActivity"}
EXECUTIONS = {"StartExecution", "StopExecution", "RedriveExecution", "UpdateMapRun"}
TASKS = {"SendTaskSuccess", "SendTaskFailure", "SendTaskHeartbeat"}
REST_MACHINES = {"create_machine", "clone_machine", "update_machine", "delete_machine"}
REST_VERSIONS = {"publish_version", "deploy_version", "deprecate_version", "delete_version"}
REST_EXECUTIONS = {"start_execution", "stop_execution", "redrive_execution", "delete_execution"}
REST_STEERING = {"pause_execution", "resume_execution", "signal_execution"}
REST_TASKS = {
    "create_activity",
    "poll_activity",
    "beat_task",
    "succeed_task",
    "fail_task",
    "delete_activity",
}


class Dying:
    """A server that is killed as soon as it has answered, and then started again."""

    def __init__(self, under: World) -> None:
        self.under = under
        self.done: set[str] = set()

    def sfn(self, operation: str, /, **arguments: Any) -> Any:
        """Acknowledged over the AWS protocol, and killed."""
        answer = self.under.sfn(operation, **arguments)
        self._die(operation, answer)
        return answer.json

    def rest(self, operation: str, path: str, body: Any = None) -> Any:
        """Acknowledged over REST, and killed."""
        method = next(one.method for one in REST if one.name == operation)
        answer = self.under.ask(method, f"/v1{path}", body)
        self._die(operation, answer)
        return answer.json if answer.body else None

    def _die(self, operation: str, answer: Answer) -> None:
        self.under.kill()
        assert answer.status < 300, (operation, answer)
        self.done.add(operation)
        self.under.start()

    def look(self, operation: str, /, **arguments: Any) -> Any:
        """What is there now, over the AWS protocol."""
        answer = self.under.sfn(operation, **arguments)
        return answer.json | {"status_code": answer.status}

    def end(self, execution: str) -> Any:
        """How an execution ends."""
        return self.under.insist("GET", f"/v1/executions/{execution}?wait=90s").json

    def until(self, there: Callable[[], Any]) -> None:
        """Wait for what has been stored to be taken up."""
        end = time.monotonic() + PATIENCE
        while not there():
            assert time.monotonic() < end, self.under.log()[-4000:]
            time.sleep(0.05)

    def is_deleted(self, machine: str) -> bool:
        """Whether a machine is gone, or about to be."""
        found = self.under.insist("GET", f"/v1/machines/{machine}")
        return found.status == 404 or bool(found.json["status"] == "DELETING")

    def running(self, machine: str, name: str, input: Any = None) -> str:
        """Start an execution, which is killed with nothing."""
        assert self.under.begin(machine, name, input)
        return f"{HERE}:execution:{machine}:{name}"

    def token(self, execution: str) -> str:
        """Start an execution of the activity, and take its task."""
        self.running("work", execution)
        taken = self.under.sfn("GetActivityTask", activityArn=ACTIVITY).json
        return str(taken["taskToken"])


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with shared_server(tmp_path_factory.mktemp("acknowledged")) as address:
        yield address


@pytest.fixture(params=["sqlite", "postgres"])
def dying(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Dying]:
    store = None
    if request.param == "postgres":
        address = request.getfixturevalue("postgres")
        database = f"acknowledged_{request.function.__name__}"[:60]
        run(address, f"CREATE DATABASE {database}")
        store = named(address, database)
    with world(tmp_path, store=store) as under:
        # What the dead held the next one takes over soon.
        under.environment["DETENT_LEASE_SECONDS"] = "1"
        under.start()
        yield Dying(under)


def test_every_operation_that_acknowledges_a_change_is_here() -> None:
    over_aws = VERSIONS | ALIASES | TAGS_AND_ACTIVITIES | EXECUTIONS | TASKS
    assert over_aws == {name for name in AWS if not name.startswith(AWS_LOOKS)}
    over_rest = REST_MACHINES | REST_VERSIONS | REST_EXECUTIONS | REST_STEERING | REST_TASKS
    assert over_rest == {operation.name for operation in REST if operation.method != "GET"} - REST_LOOKS


# Over the AWS protocol


def text(definition: Any) -> str:
    return json.dumps(definition)


def routes(version: int) -> Any:
    return [{"stateMachineVersionArn": f"{MACHINE}:{version}", "weight": 100}]


def test_machines_and_their_versions(dying: Dying) -> None:
    made = dying.sfn("CreateStateMachine", name="work", definition=text(PASS), roleArn=ROLE)
    assert made["stateMachineArn"] == MACHINE
    assert dying.look("DescribeStateMachine", stateMachineArn=MACHINE)["definition"] == text(PASS)
    dying.sfn("PublishStateMachineVersion", stateMachineArn=MACHINE, description="one")
    dying.sfn("UpdateStateMachine", stateMachineArn=MACHINE, definition=text(FAIL), publish=True)
    assert dying.look("DescribeStateMachine", stateMachineArn=MACHINE)["definition"] == text(FAIL)
    assert numbers(dying) == [":2", ":1"]
    dying.sfn("DeleteStateMachineVersion", stateMachineVersionArn=f"{MACHINE}:1")
    assert numbers(dying) == [":2"]
    dying.sfn("DeleteStateMachine", stateMachineArn=MACHINE)
    assert dying.is_deleted("work")
    assert dying.done == VERSIONS


def numbers(dying: Dying) -> list[str]:
    versions = dying.look("ListStateMachineVersions", stateMachineArn=MACHINE)["stateMachineVersions"]
    return [one["stateMachineVersionArn"][-2:] for one in versions]


def test_aliases(dying: Dying) -> None:
    for definition in (PASS, FAIL):
        dying.under.sfn("CreateStateMachine", name="work", definition=text(PASS), roleArn=ROLE)
        dying.under.sfn(
            "UpdateStateMachine", stateMachineArn=MACHINE, definition=text(definition), publish=True
        )
        dying.under.sfn("PublishStateMachineVersion", stateMachineArn=MACHINE)
    alias = f"{MACHINE}:live"
    dying.sfn("CreateStateMachineAlias", name="live", routingConfiguration=routes(1))
    led = dying.look("DescribeStateMachineAlias", stateMachineAliasArn=alias)
    assert led["routingConfiguration"] == routes(1)
    dying.sfn("UpdateStateMachineAlias", stateMachineAliasArn=alias, routingConfiguration=routes(2))
    led = dying.look("DescribeStateMachineAlias", stateMachineAliasArn=alias)
    assert led["routingConfiguration"] == routes(2)
    dying.sfn("DeleteStateMachineAlias", stateMachineAliasArn=alias)
    assert dying.look("ListStateMachineAliases", stateMachineArn=MACHINE)["stateMachineAliases"] == []
    assert dying.done == ALIASES


def test_tags_and_activities(dying: Dying) -> None:
    tags = [{"key": "a", "value": "1"}, {"key": "b", "value": "2"}]
    dying.under.machine("work", PASS)
    dying.sfn("TagResource", resourceArn=MACHINE, tags=tags)
    assert dying.look("ListTagsForResource", resourceArn=MACHINE)["tags"] == tags
    dying.sfn("UntagResource", resourceArn=MACHINE, tagKeys=["a"])
    assert dying.look("ListTagsForResource", resourceArn=MACHINE)["tags"] == tags[1:]
    dying.sfn("CreateActivity", name="review")
    assert dying.look("DescribeActivity", activityArn=ACTIVITY)["name"] == "review"
    dying.sfn("DeleteActivity", activityArn=ACTIVITY)
    assert dying.look("ListActivities")["activities"] == []
    assert dying.done == TAGS_AND_ACTIVITIES


def test_executions(dying: Dying) -> None:
    for name, definition in {"ask": ASK, "fail": FAIL, "each": EACH}.items():
        dying.under.machine(name, definition)
    machine = f"{HERE}:stateMachine:ask"
    started = dying.sfn("StartExecution", stateMachineArn=machine, name="x", input='{"n": 1}')
    found = dying.look("DescribeExecution", executionArn=started["executionArn"])
    assert (found["status"], found["input"]) == ("RUNNING", '{"n": 1}')
    dying.sfn("StopExecution", executionArn=started["executionArn"], error="E", cause="why")
    ended = dying.end(started["executionArn"])
    assert (ended["status"], ended["error"], ended["cause"]) == ("ABORTED", "E", "why")
    failed = dying.running("fail", "x")
    dying.end(failed)
    dying.sfn("RedriveExecution", executionArn=failed)
    dying.end(failed)
    assert dying.look("DescribeExecution", executionArn=failed)["redriveCount"] == 1
    mapped = dying.running("each", "x", [1, 2, 3])
    dying.until(lambda: dying.look("ListMapRuns", executionArn=mapped)["mapRuns"])
    run = dying.look("ListMapRuns", executionArn=mapped)["mapRuns"][0]["mapRunArn"]
    dying.sfn("UpdateMapRun", mapRunArn=run, maxConcurrency=2)
    dying.until(lambda: dying.look("DescribeMapRun", mapRunArn=run)["maxConcurrency"] == 2)
    assert dying.done == EXECUTIONS


def test_answers_to_tasks(dying: Dying) -> None:
    dying.under.sfn("CreateActivity", name="review")
    dying.under.machine("work", WORK)
    dying.sfn("SendTaskFailure", taskToken=dying.token("bad"), error="Bad", cause="luck")
    assert dying.end("work:bad")["error"] == "Bad"
    token = dying.token("slow")
    dying.sfn("SendTaskHeartbeat", taskToken=token)
    # The task that was handed out is still whose it was.
    dying.sfn("SendTaskSuccess", taskToken=token, output='{"is": "done"}')
    assert dying.end("work:slow")["output"] == {"is": "done"}
    assert dying.done == TASKS


# Over REST


def machine_of(dying: Dying, name: str) -> Any:
    return dying.under.insist("GET", f"/v1/machines/{name}").json


def test_machines_over_rest(dying: Dying) -> None:
    dying.rest("create_machine", "/machines", {"name": "ask", "definition": ASK})
    assert machine_of(dying, "ask")["definition"] == ASK
    dying.rest("clone_machine", "/machines/ask/clone", {"name": "copy"})
    assert machine_of(dying, "copy")["definition"] == ASK
    dying.rest("update_machine", "/machines/copy", {"definition": FAIL})
    assert machine_of(dying, "copy")["definition"] == FAIL
    dying.rest("delete_machine", "/machines/copy")
    assert dying.is_deleted("copy")
    assert dying.done == REST_MACHINES


def test_versions_over_rest(dying: Dying) -> None:
    for name in ("ask", "copy"):
        dying.under.machine(name, ASK)
    dying.rest("publish_version", "/machines/ask/versions", {"description": "one"})
    dying.rest("deploy_version", "/machines/ask/deploy", {"version": 1})
    assert machine_of(dying, "ask")["aliases"] == {"live": {"1": 100}}
    dying.under.insist("POST", "/v1/machines/copy/versions")
    dying.rest("deprecate_version", "/machines/copy/versions/1/deprecate")
    (version,) = dying.under.insist("GET", "/v1/machines/copy/versions").json["versions"]
    assert version["deprecatedAt"]
    dying.rest("delete_version", "/machines/copy/versions/1")
    assert dying.under.insist("GET", "/v1/machines/copy/versions").json == {"versions": []}
    assert dying.done == REST_VERSIONS


def test_executions_over_rest(dying: Dying) -> None:
    dying.under.machine("ask", ASK)
    first = dying.rest("start_execution", "/executions", {"machine": "ask", "input": {"n": 1}})["id"]
    assert dying.under.insist("GET", f"/v1/executions/{first}").json["input"] == {"n": 1}
    dying.rest("stop_execution", f"/executions/{first}/stop", {"error": "Enough"})
    assert dying.end(first)["error"] == "Enough"
    dying.rest("redrive_execution", f"/executions/{first}/redrive")
    assert dying.under.insist("GET", f"/v1/executions/{first}").json["status"] == "RUNNING"
    assert "ExecutionRedriven" in [event["type"] for event in dying.under.history(first)]
    dying.under.insist("POST", f"/v1/executions/{first}/stop", {})
    dying.end(first)
    dying.rest("delete_execution", f"/executions/{first}")
    assert dying.under.insist("GET", f"/v1/executions/{first}").status == 404
    assert dying.done == REST_EXECUTIONS


def test_steering_over_rest(dying: Dying) -> None:
    dying.under.machine("ask", ASK)
    first, second = (dying.running("ask", name) for name in ("first", "second"))
    dying.rest("pause_execution", f"/executions/{first}/pause")
    dying.until(lambda: dying.under.insist("GET", f"/v1/executions/{first}").json["paused"])
    dying.rest("resume_execution", f"/executions/{first}/resume", {"value": "by hand"})
    assert dying.end(first)["output"] == "by hand"
    dying.rest("signal_execution", f"/executions/{second}/signal", {"name": "answer", "value": 42})
    assert dying.end(second)["output"] == 42
    assert dying.done == REST_STEERING


def test_tasks_over_rest(dying: Dying) -> None:
    dying.rest("create_activity", "/activities", {"name": "review"})
    assert [one["name"] for one in dying.under.insist("GET", "/v1/activities").json["activities"]] == [
        "review"
    ]
    dying.under.machine("work", WORK)
    for name in ("good", "bad"):
        dying.running("work", name)
    good = dying.rest("poll_activity", "/activities/review/poll")["token"]
    dying.rest("beat_task", "/tasks/heartbeat", {"token": good})
    dying.rest("succeed_task", "/tasks/succeed", {"token": good, "output": 1})
    bad = dying.under.insist("POST", "/v1/activities/review/poll").json["token"]
    dying.rest("fail_task", "/tasks/fail", {"token": bad, "error": "Bad"})
    assert (dying.end("work:good")["output"], dying.end("work:bad")["error"]) == (1, "Bad")
    dying.rest("delete_activity", "/activities/review")
    assert dying.under.insist("GET", "/v1/activities").json["activities"] == []
    assert dying.done == REST_TASKS
