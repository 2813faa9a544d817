"""SIGKILL right after each acknowledgement: what was acknowledged is there when the server is back (P1).

Every operation by which a server acknowledges a change is asked for once, over the AWS protocol and over REST, and the
server killed as soon as its answer has arrived.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from detent.server.aws.operations import OPERATIONS as AWS
from detent.server.rest.api import OPERATIONS as REST

from .world import PATIENCE, Answer, World, world

HERE = "arn:aws:states:us-east-1:123456789012"
ROLE = "arn:aws:iam::123456789012:role/any"
MACHINE = f"{HERE}:stateMachine:work"
ACTIVITY = f"{HERE}:activity:work"
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

    def running(self, machine: str, name: str, input: Any = None) -> str:
        """Start an execution, which is killed with nothing."""
        assert self.under.begin(machine, name, input)
        return f"{HERE}:execution:{machine}:{name}"

    def token(self, execution: str) -> str:
        """Start an execution of the activity, and take its task."""
        self.running("work", execution)
        taken = self.under.sfn("GetActivityTask", activityArn=ACTIVITY).json
        return str(taken["taskToken"])


@pytest.fixture
def dying(tmp_path: Path) -> Iterator[Dying]:
    with world(tmp_path) as under:
        under.start()
        yield Dying(under)


def test_what_the_aws_protocol_acknowledges_of_machines_and_activities(dying: Dying) -> None:
    def text(definition: Any) -> str:
        return json.dumps(definition)

    made = dying.sfn("CreateStateMachine", name="work", definition=text(PASS), roleArn=ROLE)
    assert made["stateMachineArn"] == MACHINE
    assert dying.look("DescribeStateMachine", stateMachineArn=MACHINE)["definition"] == text(PASS)
    dying.sfn("PublishStateMachineVersion", stateMachineArn=MACHINE, description="one")
    dying.sfn("UpdateStateMachine", stateMachineArn=MACHINE, definition=text(FAIL), publish=True)
    assert dying.look("DescribeStateMachine", stateMachineArn=MACHINE)["definition"] == text(FAIL)
    versions = dying.look("ListStateMachineVersions", stateMachineArn=MACHINE)["stateMachineVersions"]
    assert [one["stateMachineVersionArn"][-2:] for one in versions] == [":2", ":1"]

    def routes(version: int) -> Any:
        return [{"stateMachineVersionArn": f"{MACHINE}:{version}", "weight": 100}]

    alias = f"{MACHINE}:live"
    dying.sfn("CreateStateMachineAlias", name="live", routingConfiguration=routes(1))
    led = dying.look("DescribeStateMachineAlias", stateMachineAliasArn=alias)
    assert led["routingConfiguration"] == routes(1)
    dying.sfn("UpdateStateMachineAlias", stateMachineAliasArn=alias, routingConfiguration=routes(2))
    led = dying.look("DescribeStateMachineAlias", stateMachineAliasArn=alias)
    assert led["routingConfiguration"] == routes(2)
    dying.sfn("DeleteStateMachineAlias", stateMachineAliasArn=alias)
    assert dying.look("ListStateMachineAliases", stateMachineArn=MACHINE)["stateMachineAliases"] == []
    dying.sfn("DeleteStateMachineVersion", stateMachineVersionArn=f"{MACHINE}:1")
    versions = dying.look("ListStateMachineVersions", stateMachineArn=MACHINE)["stateMachineVersions"]
    assert [one["stateMachineVersionArn"][-2:] for one in versions] == [":2"]

    tags = [{"key": "a", "value": "1"}, {"key": "b", "value": "2"}]
    dying.sfn("TagResource", resourceArn=MACHINE, tags=tags)
    assert dying.look("ListTagsForResource", resourceArn=MACHINE)["tags"] == tags
    dying.sfn("UntagResource", resourceArn=MACHINE, tagKeys=["a"])
    assert dying.look("ListTagsForResource", resourceArn=MACHINE)["tags"] == tags[1:]
    dying.sfn("DeleteStateMachine", stateMachineArn=MACHINE)
    gone = dying.under.insist("GET", "/v1/machines/work")
    assert gone.status == 404 or gone.json["status"] == "DELETING"

    dying.sfn("CreateActivity", name="work")
    assert dying.look("DescribeActivity", activityArn=ACTIVITY)["name"] == "work"
    dying.sfn("DeleteActivity", activityArn=ACTIVITY)
    assert dying.look("ListActivities")["activities"] == []
    assert dying.done == changes_of_aws("Machine", "Alias", "Version", "Activity", "Resource")


def test_what_the_aws_protocol_acknowledges_of_executions(dying: Dying) -> None:
    dying.under.sfn("CreateActivity", name="work")
    for name, definition in {"work": WORK, "ask": ASK, "fail": FAIL, "each": EACH}.items():
        dying.under.machine(name, definition)
    machine = f"{HERE}:stateMachine:ask"
    started = dying.sfn("StartExecution", stateMachineArn=machine, name="x", input='{"n": 1}')
    found = dying.look("DescribeExecution", executionArn=started["executionArn"])
    assert (found["status"], found["input"]) == ("RUNNING", '{"n": 1}')
    dying.sfn("StopExecution", executionArn=started["executionArn"], error="E", cause="why")
    ended = dying.end(started["executionArn"])
    assert (ended["status"], ended["error"], ended["cause"]) == ("ABORTED", "E", "why")

    dying.sfn("SendTaskSuccess", taskToken=dying.token("good"), output='{"is": "done"}')
    assert dying.end("work:good")["output"] == {"is": "done"}
    dying.sfn("SendTaskFailure", taskToken=dying.token("bad"), error="Bad", cause="luck")
    assert dying.end("work:bad")["error"] == "Bad"
    token = dying.token("slow")
    dying.sfn("SendTaskHeartbeat", taskToken=token)
    # The task that was handed out is still whose it was.
    dying.sfn("SendTaskSuccess", taskToken=token, output="1")
    assert dying.end("work:slow")["output"] == 1

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
    assert dying.done == changes_of_aws("Execution", "Task", "MapRun")


def changes_of_aws(*subjects: str) -> set[str]:
    """The operations of the AWS protocol that acknowledge a change of these."""
    return {
        name
        for name in AWS
        if name.endswith(subjects) or ("Task" in subjects and name.startswith("SendTask"))
    } - {name for name in AWS if name.startswith(AWS_LOOKS)}


def test_every_operation_of_the_aws_protocol_that_changes_something_is_here() -> None:
    named = changes_of_aws(
        "Machine", "Alias", "Version", "Activity", "Resource", "Execution", "Task", "MapRun"
    )
    assert named == {name for name in AWS if not name.startswith(AWS_LOOKS)}


def test_what_rest_acknowledges(dying: Dying) -> None:
    def machine(name: str) -> Any:
        return dying.under.insist("GET", f"/v1/machines/{name}").json

    dying.rest("create_machine", "/machines", {"name": "ask", "definition": ASK})
    assert machine("ask")["definition"] == ASK
    dying.rest("publish_version", "/machines/ask/versions", {"description": "one"})
    dying.rest("deploy_version", "/machines/ask/deploy", {"version": 1})
    assert machine("ask")["aliases"] == {"live": {"1": 100}}
    dying.rest("clone_machine", "/machines/ask/clone", {"name": "copy"})
    assert machine("copy")["definition"] == ASK
    dying.rest("update_machine", "/machines/copy", {"definition": FAIL})
    assert machine("copy")["definition"] == FAIL
    dying.rest("publish_version", "/machines/copy/versions")
    dying.rest("deprecate_version", "/machines/copy/versions/1/deprecate")
    (version,) = dying.under.insist("GET", "/v1/machines/copy/versions").json["versions"]
    assert version["deprecatedAt"]
    dying.rest("delete_version", "/machines/copy/versions/1")
    assert dying.under.insist("GET", "/v1/machines/copy/versions").json == {"versions": []}

    first = dying.rest("start_execution", "/executions", {"machine": "ask", "input": {"n": 1}})["id"]
    dying.rest("pause_execution", f"/executions/{first}/pause")
    dying.until(lambda: dying.under.insist("GET", f"/v1/executions/{first}").json["paused"])
    dying.rest("resume_execution", f"/executions/{first}/resume", {"value": "by hand"})
    assert dying.end(first)["output"] == "by hand"
    dying.rest("delete_execution", f"/executions/{first}")
    assert dying.under.insist("GET", f"/v1/executions/{first}").status == 404
    second = dying.running("ask", "second")
    dying.rest("signal_execution", f"/executions/{second}/signal", {"name": "answer", "value": 42})
    assert dying.end(second)["output"] == 42
    third = dying.running("ask", "third")
    dying.rest("stop_execution", f"/executions/{third}/stop", {"error": "Enough"})
    assert dying.end(third)["error"] == "Enough"
    redriven = dying.rest("redrive_execution", f"/executions/{third}/redrive")["redrivenAt"]
    again = dying.under.insist("GET", f"/v1/executions/{third}/history?reverse=true&limit=1000").json
    assert redriven
    assert "ExecutionRedriven" in [event["type"] for event in again["events"]]
    assert dying.under.insist("GET", f"/v1/executions/{third}").json["status"] == "RUNNING"

    dying.rest("create_activity", "/activities", {"name": "work"})
    assert [one["name"] for one in dying.under.insist("GET", "/v1/activities").json["activities"]] == ["work"]
    dying.under.machine("work", WORK)
    for name in ("good", "bad"):
        dying.running("work", name)
    tokens = [dying.rest("poll_activity", "/activities/work/poll")["token"] for _ in range(2)]
    dying.rest("beat_task", "/tasks/heartbeat", {"token": tokens[0]})
    dying.rest("succeed_task", "/tasks/succeed", {"token": tokens[0], "output": 1})
    dying.rest("fail_task", "/tasks/fail", {"token": tokens[1], "error": "Bad"})
    assert (dying.end("work:good")["output"], dying.end("work:bad")["error"]) == (1, "Bad")
    dying.rest("delete_activity", "/activities/work")
    assert dying.under.insist("GET", "/v1/activities").json["activities"] == []
    dying.rest("delete_machine", "/machines/work")
    gone = dying.under.insist("GET", "/v1/machines/work")
    assert gone.status == 404 or gone.json["status"] == "DELETING"
    changes = {operation.name for operation in REST if operation.method != "GET"}
    assert dying.done == changes - REST_LOOKS
