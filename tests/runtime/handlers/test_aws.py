"""Calls of AWS services where an endpoint is named: parameters, results and errors (resources, section 4)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from moto.server import ThreadedMotoServer

from detent.runtime.handlers.aws_names import pascal, service_call
from detent.runtime.handlers.base import TaskError
from detent.runtime.handlers.metadata import request_id
from detent.runtime.handlers.registry import Registry
from detent.runtime.offers import Offers

from .conftest import Await, call

ARN = "arn:aws:states:::"
SDK = f"{ARN}aws-sdk:"


@pytest.fixture(scope="module")
def emulator() -> Iterator[str]:
    """The URL of services that this module has for itself."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def registry(on_loop: Await, emulator: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Registry]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    made = Registry(environment={"AWS_ENDPOINT_URL": emulator})
    yield made
    on_loop(made.close())


def do(on_loop: Await, registry: Registry, resource: str, arguments: Any) -> Any:
    handler = registry.resolve(resource)
    assert handler is not None
    return on_loop(handler.run(call(resource, arguments), lambda: None))


def failure(on_loop: Await, registry: Registry, resource: str, arguments: Any) -> TaskError:
    with pytest.raises(TaskError) as caught:
        do(on_loop, registry, resource, arguments)
    return caught.value


def made_queue(on_loop: Await, registry: Registry, name: str) -> str:
    url: str = do(on_loop, registry, f"{SDK}sqs:createQueue", {"QueueName": name})["QueueUrl"]
    return url


def made_table(on_loop: Await, registry: Registry, name: str) -> dict[str, Any]:
    key = [{"AttributeName": "id", "KeyType": "HASH"}]
    kinds = [{"AttributeName": "id", "AttributeType": "S"}]
    arguments = {"TableName": name, "KeySchema": key, "AttributeDefinitions": kinds}
    answer: dict[str, Any] = do(
        on_loop, registry, f"{SDK}dynamodb:createTable", {**arguments, "BillingMode": "PAY_PER_REQUEST"}
    )
    return answer


def test_a_message_is_sent_and_the_answer_tells_of_the_call(registry: Registry, on_loop: Await) -> None:
    url = made_queue(on_loop, registry, "orders")
    sent = do(on_loop, registry, f"{ARN}sqs:sendMessage", {"QueueUrl": url, "MessageBody": {"n": 1}})
    assert set(sent) == {"MD5OfMessageBody", "MessageId", "SdkHttpMetadata", "SdkResponseMetadata"}
    assert sent["SdkHttpMetadata"]["HttpStatusCode"] == 200
    assert sent["SdkResponseMetadata"]["RequestId"]
    got = do(on_loop, registry, f"{SDK}sqs:receiveMessage", {"QueueUrl": url})
    assert [message["Body"] for message in got["Messages"]] == ['{"n":1}']
    assert set(got) == {"Messages"}


def test_a_call_that_takes_a_token_has_that_of_its_attempt(registry: Registry, on_loop: Await) -> None:
    secret = {"Name": "password", "SecretString": "x"}
    made = do(on_loop, registry, f"{SDK}secretsmanager:createSecret", secret)
    assert made["VersionId"] == request_id(call("any"))
    given = {"SecretId": "password", "SecretString": "y", "ClientRequestToken": "0" * 32}
    assert do(on_loop, registry, f"{SDK}secretsmanager:putSecretValue", given)["VersionId"] == "0" * 32


def test_a_callback_is_the_same_call(registry: Registry, on_loop: Await) -> None:
    url = made_queue(on_loop, registry, "callbacks")
    arguments = {"QueueUrl": url, "MessageBody": "token"}
    assert "MessageId" in do(on_loop, registry, f"{ARN}sqs:sendMessage.waitForTaskToken", arguments)


def test_a_topic_takes_any_value_as_a_message(registry: Registry, on_loop: Await) -> None:
    topic = do(on_loop, registry, f"{SDK}sns:createTopic", {"Name": "news"})["TopicArn"]
    for message in ("text", {"a": 1}, 7, True):
        arguments = {"TopicArn": topic, "Message": message}
        assert do(on_loop, registry, f"{ARN}sns:publish", arguments)["MessageId"]
    error = failure(on_loop, registry, f"{ARN}sns:publish", {"TopicArn": f"{topic}s", "Message": "m"})
    assert error.error == "SNS.NotFoundException"
    assert error.cause is not None
    assert "(Service: AmazonSNS; Status Code: 404; Error Code: NotFound; Request ID: " in error.cause
    assert error.cause.endswith("; Proxy: null)")


def test_items_of_a_table(registry: Registry, on_loop: Await) -> None:
    made_table(on_loop, registry, "things")
    item = {"id": {"S": "1"}, "n": {"N": "5"}}
    put = do(on_loop, registry, f"{ARN}dynamodb:putItem", {"TableName": "things", "Item": item})
    assert set(put) == {"SdkHttpMetadata", "SdkResponseMetadata"}
    key = {"TableName": "things", "Key": {"id": {"S": "1"}}}
    assert do(on_loop, registry, f"{ARN}dynamodb:getItem", key)["Item"] == item
    assert do(on_loop, registry, f"{SDK}dynamodb:getItem", key) == {"Item": item}
    again = {"TableName": "things", "Item": item, "ConditionExpression": "attribute_not_exists(id)"}
    error = failure(on_loop, registry, f"{ARN}dynamodb:putItem", again)
    assert error.error == "DynamoDB.ConditionalCheckFailedException"
    assert error.cause is not None
    assert "(Service: AmazonDynamoDBv2; Status Code: 400; " in error.cause
    error = failure(on_loop, registry, f"{SDK}dynamodb:putItem", again)
    assert error.error == "DynamoDb.ConditionalCheckFailedException"
    assert error.cause is not None
    assert "(Service: DynamoDb, Status Code: 400" in error.cause
    assert error.cause.endswith(") (SDK Attempt Count: 1)")


def test_an_error_that_the_service_does_not_name_has_the_services_own(
    registry: Registry, on_loop: Await
) -> None:
    made_table(on_loop, registry, "plain")
    wrong = {"TableName": "plain", "Key": {"other": {"S": "1"}}}
    assert (
        failure(on_loop, registry, f"{ARN}dynamodb:getItem", wrong).error
        == "DynamoDB.AmazonDynamoDBException"
    )
    assert failure(on_loop, registry, f"{SDK}dynamodb:getItem", wrong).error == "DynamoDb.DynamoDbException"


def test_instants_are_texts(registry: Registry, on_loop: Await) -> None:
    described = made_table(on_loop, registry, "dated")["TableDescription"]
    assert described["CreationDateTime"].endswith("Z")


@pytest.mark.parametrize(
    ("body", "stored"), [("text", '"text"'), ({"a": [1]}, '{"a":[1]}'), (0, "0"), (False, "false")]
)
def test_a_streamed_body_is_written_as_json_and_read_as_text(
    registry: Registry, on_loop: Await, body: Any, stored: str
) -> None:
    do(on_loop, registry, f"{SDK}s3:createBucket", {"Bucket": "bodies"})
    do(on_loop, registry, f"{SDK}s3:putObject", {"Bucket": "bodies", "Key": "k", "Body": body})
    got = do(on_loop, registry, f"{SDK}s3:getObject", {"Bucket": "bodies", "Key": "k"})
    assert got["Body"] == stored
    assert got["ContentLength"] == len(stored)


def test_a_missing_object_has_the_error_of_the_model(registry: Registry, on_loop: Await) -> None:
    error = failure(on_loop, registry, f"{SDK}s3:getObject", {"Bucket": "no-such-bucket", "Key": "k"})
    assert error.error == "S3.NoSuchBucketException"
    assert error.cause is not None
    assert "(Service: S3, Status Code: 404, " in error.cause


def test_bytes_are_texts_both_ways(registry: Registry, on_loop: Await) -> None:
    key = do(on_loop, registry, f"{SDK}kms:createKey", {})["KeyMetadata"]["KeyId"]
    sealed = do(on_loop, registry, f"{SDK}kms:encrypt", {"KeyId": key, "Plaintext": "secret"})
    assert isinstance(sealed["CiphertextBlob"], str)


def test_members_of_a_service_in_camel_case_are_spelled_as_workflows_spell_them(
    registry: Registry, on_loop: Await
) -> None:
    do(on_loop, registry, f"{SDK}cloudwatchlogs:createLogGroup", {"LogGroupName": "g"})
    groups = do(on_loop, registry, f"{SDK}cloudwatchlogs:describeLogGroups", {"LogGroupNamePrefix": "g"})
    assert [group["LogGroupName"] for group in groups["LogGroups"]] == ["g"]


def test_an_event_that_is_not_taken_fails_the_task(registry: Registry, on_loop: Await) -> None:
    good = {"Detail": {"a": 1}, "DetailType": "t", "Source": "s"}
    answer = do(on_loop, registry, f"{ARN}events:putEvents", {"Entries": [good]})
    assert set(answer) == {"Entries", "FailedEntryCount"}
    bad = {"Detail": "no object", "DetailType": "t", "Source": "s"}
    error = failure(on_loop, registry, f"{ARN}events:putEvents", {"Entries": [good, bad]})
    assert error.error == "EventBridge.FailedEntry"
    assert json.loads(error.cause or "")["FailedEntryCount"] == 1


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"QueueUrl": "u", "Body": "b"}, "[The field 'Body' is not supported by Step Functions]"),
        ({"QueueUrl": "u"}, 'Missing required parameter in input: "MessageBody"'),
        (["no object"], "[The parameters must be an object]"),
    ],
)
def test_parameters_that_the_call_cannot_have(
    registry: Registry, on_loop: Await, arguments: Any, reason: str
) -> None:
    error = failure(on_loop, registry, f"{ARN}sqs:sendMessage", arguments)
    assert error.error == "States.Runtime"
    assert error.cause is not None
    assert error.cause.startswith("The Parameters '")
    assert reason in error.cause


def test_null_is_no_parameter(registry: Registry, on_loop: Await) -> None:
    url = made_queue(on_loop, registry, "nulls")
    arguments = {"QueueUrl": url, "MessageBody": "m", "MessageGroupId": None}
    assert "MessageId" in do(on_loop, registry, f"{ARN}sqs:sendMessage", arguments)


@pytest.mark.parametrize("resource", [f"{SDK}nothing:doIt", f"{SDK}sqs:doIt"])
def test_a_service_or_an_operation_that_there_is_not(
    registry: Registry, on_loop: Await, resource: str
) -> None:
    error = failure(on_loop, registry, resource, {})
    assert error.error == "States.Runtime"
    assert error.cause is not None
    assert resource in error.cause


def test_nobody_answers_at_the_endpoint(on_loop: Await) -> None:
    registry = Registry(environment={"AWS_ENDPOINT_URL_SQS": "http://127.0.0.1:1"})
    error = failure(on_loop, registry, f"{ARN}sqs:sendMessage", {"QueueUrl": "u", "MessageBody": "m"})
    assert error.error == "SQS.SdkClientException"
    assert error.cause is not None
    assert error.cause.startswith("Unable to execute HTTP request: ")
    on_loop(registry.close())


def test_without_an_endpoint_nobody_calls_a_service(on_loop: Await) -> None:
    registry = Registry(environment={})
    assert registry.resolve(f"{ARN}sqs:sendMessage") is None
    assert "AWS_ENDPOINT_URL_SQS" in (registry.refusal(f"{ARN}sqs:sendMessage") or "")
    assert [pattern for pattern in registry.offers if ":states:" in pattern] == [
        "arn:*:states:*:*:http:invoke"
    ]
    on_loop(registry.close())


@pytest.mark.parametrize(
    ("variable", "called", "not_called"),
    [
        ("AWS_ENDPOINT_URL", ["sqs:sendMessage", "aws-sdk:iam:getUser"], ["ecs:runTask.sync"]),
        (
            "AWS_ENDPOINT_URL_SQS",
            ["sqs:sendMessage", "aws-sdk:sqs:purgeQueue"],
            ["sns:publish", "aws-sdk:sns:publish"],
        ),
        (
            "AWS_ENDPOINT_URL_EVENTBRIDGE",
            ["events:putEvents", "aws-sdk:eventbridge:putEvents"],
            ["sqs:sendMessage"],
        ),
        (
            "AWS_ENDPOINT_URL_CLOUDWATCH_LOGS",
            ["aws-sdk:cloudwatchlogs:putLogEvents"],
            ["aws-sdk:cloudwatch:x"],
        ),
        ("AWS_ENDPOINT_URL_LAMBDA", ["aws-sdk:lambda:getFunction"], ["sqs:sendMessage"]),
    ],
)
def test_a_worker_offers_what_it_has_an_endpoint_for(
    on_loop: Await, variable: str, called: list[str], not_called: list[str]
) -> None:
    registry = Registry(environment={variable: "http://127.0.0.1:1"})
    offers = Offers(tuple(registry.offers))
    for action in called:
        assert registry.refusal(f"{ARN}{action}") is None
        assert registry.resolve(f"{ARN}{action}") is not None
        assert offers.covers(f"{ARN}{action}")
    for action in not_called:
        assert registry.refusal(f"{ARN}{action}")
        assert registry.resolve(f"{ARN}{action}") is None
    on_loop(registry.close())


@pytest.mark.parametrize("resource", [f"{ARN}ecs:runTask.sync", f"{ARN}elasticmapreduce:addStep", "task:a"])
def test_what_is_no_single_call(resource: str) -> None:
    assert service_call(resource) is None


@pytest.mark.parametrize(
    ("own", "spelled"),
    [
        ("DynamoDB", "DynamoDb"),
        ("SFN", "Sfn"),
        ("S3", "S3"),
        ("Secrets Manager", "SecretsManager"),
        ("EC2", "Ec2"),
        ("CloudWatch Logs", "CloudWatchLogs"),
    ],
)
def test_how_the_sdk_spells_a_service(own: str, spelled: str) -> None:
    assert pascal(own) == spelled
