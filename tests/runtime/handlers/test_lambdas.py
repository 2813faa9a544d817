"""Lambda functions: called by ARN and through lambda:invoke (resources, section 4)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from detent.runtime.handlers.base import TaskError
from detent.runtime.handlers.lambdas import function_name
from detent.runtime.handlers.registry import Registry

from .conftest import Do

ARN = "arn:aws:lambda:us-east-1:123456789012:function:"
INVOKE = "arn:aws:states:::lambda:invoke"


class CustomException(Exception):
    pass


def fail(event: Any, context: Any) -> None:
    raise CustomException("für 3 €")


def failure(do: Do, *call: Any) -> TaskError:
    with pytest.raises(TaskError) as caught:
        do(*call)
    return caught.value


@pytest.mark.parametrize(
    ("reference", "name"),
    [
        ("charge", "charge"),
        ("charge:$LATEST", "charge"),
        ("charge:7", "charge"),
        ("123456789012:function:charge", "charge"),
        ("function:charge", "charge"),
        ("arn:aws:lambda:us-east-1:123456789012:function:charge", "charge"),
        ("arn:aws-cn:lambda:cn-north-1:123456789012:function:charge:live", "charge"),
        ("arn:aws:s3:::charge", None),
        ("", None),
    ],
)
def test_a_function_has_many_names(reference: str, name: str | None) -> None:
    assert function_name(reference) == name


@pytest.mark.parametrize("payload", [{"n": 1}, [], 0, "text", None])
def test_an_arn_gives_and_takes_bare_payloads(registry: Registry, do: Do, payload: Any) -> None:
    registry.add("echo", lambda event, context: event)
    assert do(ARN + "echo", payload) == payload
    assert do(ARN + "echo:$LATEST", payload) == payload


@pytest.mark.parametrize("name", ["echo", "echo:$LATEST", ARN + "echo", ARN + "echo:live"])
def test_invoke_wraps_the_payload_in_the_services_answer(registry: Registry, do: Do, name: str) -> None:
    registry.add("echo", lambda event, context: event)
    answer = do(INVOKE, {"FunctionName": name, "Payload": {"n": 1}})
    request = answer["SdkResponseMetadata"]["RequestId"]
    metadata = answer.pop("SdkHttpMetadata")
    assert answer == {
        "ExecutedVersion": "$LATEST",
        "Payload": {"n": 1},
        "SdkResponseMetadata": {"RequestId": request},
        "StatusCode": 200,
    }
    assert metadata["HttpStatusCode"] == 200
    assert metadata["HttpHeaders"]["x-amzn-RequestId"] == request
    assert metadata["AllHttpHeaders"] == {name: [text] for name, text in metadata["HttpHeaders"].items()}


@pytest.mark.parametrize(
    ("arguments", "event"),
    [
        ({}, {}),
        ({"Payload": None}, {}),
        ({"Payload": 0}, 0),
        ({"Payload": '"x"'}, "x"),
        ({"Payload": "null"}, None),
        ({"Payload": '{"a": 1}'}, {"a": 1}),
    ],
)
def test_what_the_function_sees_of_a_payload(registry: Registry, do: Do, arguments: Any, event: Any) -> None:
    registry.add("echo", lambda event, context: {"saw": event})
    assert do(INVOKE, {"FunctionName": "echo", **arguments})["Payload"] == {"saw": event}


def test_a_text_that_is_no_json_is_no_request(registry: Registry, do: Do) -> None:
    registry.add("echo", lambda event: event)
    error = failure(do, INVOKE, {"FunctionName": "echo", "Payload": "plain"})
    assert error.error == "Lambda.InvalidRequestContentException"


def test_a_functions_failure_is_the_runtimes_error_object(registry: Registry, do: Do) -> None:
    registry.add("fail", fail)
    error = failure(do, ARN + "fail", {})
    report = json.loads(error.cause or "")
    assert error.error == "CustomException"
    assert list(report) == ["errorMessage", "errorType", "requestId", "stackTrace"]
    assert (report["errorMessage"], report["errorType"]) == ("für 3 €", "CustomException")
    assert len(report["stackTrace"]) == 1
    assert "in fail\n    raise CustomException(" in report["stackTrace"][0]
    assert (error.cause or "").startswith('{"errorMessage": "für 3 €", "errorType": ')


def test_invoke_writes_the_error_object_without_blanks(registry: Registry, do: Do) -> None:
    registry.add("fail", fail)
    error = failure(do, INVOKE, {"FunctionName": "fail"})
    assert (error.cause or "").startswith(
        '{"errorMessage":"für 3 €","errorType":"CustomException","requestId":"'
    )


def test_an_exact_error_stays_exact(registry: Registry, do: Do) -> None:
    def handler(event: Any) -> None:
        raise TaskError("Bank.Closed", "until  Monday")

    registry.add("fail", handler)
    for error in (failure(do, ARN + "fail"), failure(do, INVOKE, {"FunctionName": "fail"})):
        assert (error.error, error.cause) == ("Bank.Closed", "until  Monday")


def test_a_result_that_is_no_json_fails_as_in_the_runtime(registry: Registry, do: Do) -> None:
    registry.add("give", lambda event: {"at": object()})
    error = failure(do, ARN + "give")
    assert error.error == "Runtime.MarshalError"
    assert "a value of type object at $.at" in json.loads(error.cause or "")["errorMessage"]


def test_a_missing_function_fails_as_the_service_does(do: Do) -> None:
    for error in (failure(do, ARN + "gone"), failure(do, INVOKE, {"FunctionName": ARN + "gone"})):
        assert error.error == "Lambda.ResourceNotFoundException"
        assert (error.cause or "").startswith(f"Function not found: {ARN}gone:$LATEST (Service: AWSLambda; ")


@pytest.mark.parametrize("arguments", [None, {}, [], {"FunctionName": 3}])
def test_invoke_needs_a_function_name(do: Do, arguments: Any) -> None:
    assert failure(do, INVOKE, arguments).error == "States.Runtime"


def test_the_context_is_what_functions_expect(registry: Registry, do: Do) -> None:
    def tell(event: Any, context: Any) -> Any:
        return [
            context.function_name,
            context.invoked_function_arn,
            context.function_version,
            context.attempt,
        ]

    registry.add("tell", tell)
    assert do(ARN + "tell:7") == ["tell", ARN + "tell:7", "$LATEST", 2]


def test_the_request_id_belongs_to_the_attempt(registry: Registry, do: Do) -> None:
    registry.add("tell", lambda event, context: context.aws_request_id)
    assert do(ARN + "tell") == do(ARN + "tell")
    assert do(ARN + "tell") != do(ARN + "tell", pending=9)


def test_the_time_left_is_counted_to_the_deadline(registry: Registry, do: Do) -> None:
    registry.add("left", lambda event, context: context.get_remaining_time_in_millis())
    assert do(ARN + "left") == 900_000
    assert do(ARN + "left", deadline=1) == 0
