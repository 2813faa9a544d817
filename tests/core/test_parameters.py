"""Parameters with which the service starts no task."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from detent.core.events import ExecutionEnded, TaskScheduled
from detent.core.parameters import METHODS, connection_name, problem_with, refusal
from detent.core.values import Payload

from .building import Play, machine, task

HTTP = "arn:aws:states:::http:invoke"
GATEWAY = "arn:aws:states:::apigateway:invoke"
ARN = "arn:aws:events:us-east-1:123456789012:connection/billing/0a1b"


def refused(resource: str, parameters: Payload) -> str | None:
    """Why a task of a resource is not started with these parameters."""
    problem = problem_with(resource)
    found = None if problem is None else problem(parameters.value)
    return None if found is None else refusal(parameters, found).cause


def of_http(**members: Any) -> str | None:
    """What is wrong with parameters of ``http:invoke``, without the sentence around it."""
    payload = Payload({"ApiEndpoint": "https://api.example.com/a?b=c", "Method": "GET", **members})
    said = refused(HTTP, payload)
    if said is None:
        return None
    before = f"The Parameters '{payload.text.decode()}' could not be used to start the Task: ["
    assert said.startswith(before)
    assert said.endswith("]")
    return said.removeprefix(before).removesuffix("]")


@pytest.mark.parametrize(
    "members",
    [
        {},
        *({"Method": method} for method in METHODS),
        {"Authentication": {"ConnectionArn": ARN}},
        {"InvocationConfig": {"ConnectionArn": ARN.removesuffix("/0a1b")}},
        {"Headers": {"X-One": "1", "Authorization": "a", "content-type": ["a", 1, True]}},
        {"QueryParameters": {"a": 1, "b": ["c", True], "c": None}},
        {"RequestBody": [1], "Transform": {}},
        {"Transform": {"RequestBodyEncoding": "NONE"}},
        {
            "Transform": {
                "RequestBodyEncoding": "URL_ENCODED",
                "RequestEncodingOptions": {"ArrayFormat": "COMMAS"},
            }
        },
    ],
)
def test_what_http_invoke_takes(members: dict[str, Any]) -> None:
    assert of_http(**members) is None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("ApiEndpoint", "api.example.com"),
        ("ApiEndpoint", "ftp://api.example.com"),
        ("ApiEndpoint", "https://me:secret@api.example.com"),
        ("ApiEndpoint", 1),
        ("Method", "TRACE"),
        ("Method", "get"),
        ("Method", ["GET"]),
        ("Authentication", "me"),
        ("Authentication", {"ConnectionArn": "billing"}),
        ("InvocationConfig", {"ConnectionArn": None}),
        ("Headers", ["X-One: 1"]),
        ("Headers", {"X One": "1"}),
        ("Headers", {"X-One": "1\r\nHost: elsewhere"}),
        ("Headers", {"X-One": {"a": 1}}),
        ("QueryParameters", "a=b"),
        ("QueryParameters", {"a": {"b": 1}}),
        ("Transform", "URL_ENCODED"),
        ("Transform", {"RequestBodyEncoding": "GZIP"}),
        ("Transform", {"RequestEncodingOptions": {"ArrayFormat": "TABS"}}),
    ],
)
def test_values_that_do_not_fit(field: str, value: Any) -> None:
    assert of_http(**{field: value}) == f"The value of the field '{field}' has an invalid format"


@pytest.mark.parametrize("name", ["Host", "range", "User-Agent", "X-Amz-Date", "x-forwarded-for", "Expect"])
def test_headers_that_are_not_the_definitions_to_set(name: str) -> None:
    assert of_http(Headers={name: "a"}) == f"The header '{name}' is not allowed in the field 'Headers'"


@pytest.mark.parametrize("field", ["ApiEndpoint", "Method"])
def test_what_is_required(field: str) -> None:
    given = {"ApiEndpoint": "https://a.example", "Method": "GET"}
    del given[field]
    said = refused(HTTP, Payload(given)) or ""
    assert said.endswith(f"[The field '{field}' is required but was missing]")


def test_lists_of_the_gateway() -> None:
    assert refused(GATEWAY, Payload({"Headers": {"a": ["b"]}})) is None
    said = refused(GATEWAY, Payload({"Headers": {"a": "b"}})) or ""
    assert said.endswith("[The value of the field 'Headers' has an invalid format]")


def test_other_resources_take_anything() -> None:
    assert refused("arn:aws:states:::sqs:sendMessage", Payload(None)) is None
    assert refused("task:work", Payload({"Method": 1})) is None


def test_a_task_that_is_refused_is_not_scheduled() -> None:
    events = Play(machine(replace(task("T"), resource=HTTP, problem=problem_with(HTTP)))).start(
        {"Method": "GET"}
    )
    assert not any(isinstance(event, TaskScheduled) for event in events)
    ended = events[-1]
    assert isinstance(ended, ExecutionEnded)
    assert ended.error == "States.Runtime"
    assert (ended.cause or "").endswith("[The field 'ApiEndpoint' is required but was missing]")


def test_the_name_of_a_connection() -> None:
    assert connection_name(ARN) == "billing"
    assert connection_name(ARN.replace("billing", "a.b-c_D")) == "a.b-c_D"
    assert connection_name("arn:aws:events:us-east-1:1:rule/billing") is None
    assert connection_name(None) is None
