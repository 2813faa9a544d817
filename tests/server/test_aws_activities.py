"""Activities over the AWS protocol: workers that poll, answer, leave, and come late."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import pytest

from .conftest import Running
from .test_aws_executions import PREFIX, create, ended, refused

ACTIVITY = f"{PREFIX}:activity:work"


def working(**fields: Any) -> str:
    task = {"Type": "Task", "Resource": ACTIVITY, "End": True, **fields}
    return json.dumps({"StartAt": "T", "States": {"T": task}})


@pytest.fixture
def sfn(server: Running, boto: Callable[..., Any]) -> Any:
    client = boto(server)
    client.create_activity(name="work")
    return client


def test_a_worker_takes_a_task_and_answers(sfn):
    execution = sfn.start_execution(stateMachineArn=create(sfn, definition=working()), input='{"n":1}')
    task = sfn.get_activity_task(activityArn=ACTIVITY, workerName="anna")
    assert json.loads(task["input"]) == {"n": 1}
    sfn.send_task_heartbeat(taskToken=task["taskToken"])
    sfn.send_task_success(taskToken=task["taskToken"], output='{"done":true}')
    assert ended(sfn, execution["executionArn"])["output"] == '{"done":true}'
    events = sfn.get_execution_history(executionArn=execution["executionArn"])["events"]
    assert [event["type"] for event in events] == [
        "ExecutionStarted",
        "TaskStateEntered",
        "ActivityScheduled",
        "ActivityStarted",
        "ActivitySucceeded",
        "TaskStateExited",
        "ExecutionSucceeded",
    ]
    assert events[3]["activityStartedEventDetails"] == {"workerName": "anna"}
    for late in (sfn.send_task_success, sfn.send_task_failure, sfn.send_task_heartbeat):
        params = {"output": "1"} if late == sfn.send_task_success else {}
        assert refused(late, taskToken=task["taskToken"], **params)[0] == "TaskTimedOut"


def test_a_worker_waits_for_a_task(sfn):
    arn = create(sfn, definition=working())
    with ThreadPoolExecutor(1) as pool:
        polling = pool.submit(sfn.get_activity_task, activityArn=ACTIVITY)
        execution = sfn.start_execution(stateMachineArn=arn)["executionArn"]
        task = polling.result(60)
    sfn.send_task_failure(taskToken=task["taskToken"], error="Broken", cause="on purpose")
    described = ended(sfn, execution)
    assert (described["status"], described["error"], described["cause"]) == ("FAILED", "Broken", "on purpose")


def test_a_worker_that_has_left_leases_nothing(sfn, server):
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=60)
    body = json.dumps({"activityArn": ACTIVITY, "workerName": "gone"})
    connection.request("POST", "/", body, {"X-Amz-Target": "AWSStepFunctions.GetActivityTask"})
    polls = server.server.service.engine.activities
    until = threading.Event()
    while not polls._lines.get(ACTIVITY):
        until.wait(0.01)
    connection.close()
    execution = sfn.start_execution(stateMachineArn=create(sfn, definition=working()))["executionArn"]
    task = sfn.get_activity_task(activityArn=ACTIVITY, workerName="here")
    sfn.send_task_success(taskToken=task["taskToken"], output="1")
    assert ended(sfn, execution)["output"] == "1"
    events = sfn.get_execution_history(executionArn=execution)["events"]
    started = [event for event in events if event["type"] == "ActivityStarted"]
    assert [event["activityStartedEventDetails"]["workerName"] for event in started] == ["here"]


def test_a_task_whose_time_is_over_says_so(sfn):
    arn = create(sfn, definition=working(TimeoutSeconds=1))
    execution = sfn.start_execution(stateMachineArn=arn)["executionArn"]
    task = sfn.get_activity_task(activityArn=ACTIVITY)
    described = ended(sfn, execution)
    assert (described["status"], described["error"]) == ("FAILED", "States.Timeout")
    assert refused(sfn.send_task_success, taskToken=task["taskToken"], output="1")[0] == "TaskTimedOut"


def test_each_task_is_given_to_one_worker(sfn):
    arn = create(sfn, definition=working())
    executions = [sfn.start_execution(stateMachineArn=arn, input=str(n))["executionArn"] for n in range(12)]
    with ThreadPoolExecutor(6) as pool:
        tasks = list(pool.map(lambda _: sfn.get_activity_task(activityArn=ACTIVITY), range(12)))
    assert sorted(int(task["input"]) for task in tasks) == list(range(12))
    assert len({task["taskToken"] for task in tasks}) == 12
    for task in tasks:
        sfn.send_task_success(taskToken=task["taskToken"], output=task["input"])
    assert [ended(sfn, execution)["output"] for execution in executions] == [str(n) for n in range(12)]


def test_a_deleted_activity_gives_no_tasks(sfn):
    sfn.delete_activity(activityArn=ACTIVITY)
    missing = ("ActivityDoesNotExist", f"Activity Does Not Exist: '{ACTIVITY}'")
    assert refused(sfn.get_activity_task, activityArn=ACTIVITY) == missing
    assert refused(sfn.describe_activity, activityArn=ACTIVITY) == missing
    assert sfn.list_activities()["activities"] == []


def test_an_execution_fails_whose_activity_was_deleted(sfn):
    arn = create(sfn, definition=working())
    sfn.delete_activity(activityArn=ACTIVITY)
    described = ended(sfn, sfn.start_execution(stateMachineArn=arn)["executionArn"])
    assert (described["status"], described["error"]) == ("FAILED", "States.Runtime")
    assert described["cause"].endswith(f"The activity {ACTIVITY} does not exist.")
    events = sfn.get_execution_history(executionArn=described["executionArn"])["events"]
    assert [event["type"] for event in events] == ["ExecutionStarted", "TaskStateEntered", "ExecutionFailed"]
    sfn.create_activity(name="work")
    sfn.redrive_execution(executionArn=described["executionArn"])
    task = sfn.get_activity_task(activityArn=ACTIVITY)
    sfn.send_task_success(taskToken=task["taskToken"], output="1")
    assert ended(sfn, described["executionArn"])["status"] == "SUCCEEDED"
