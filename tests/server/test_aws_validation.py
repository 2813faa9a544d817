"""What operations refuse, in the service's words, and what hostile requests get: a clean answer each."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import ClientError

from detent.server.aws.operations import OPERATIONS
from detent.server.aws.shapes import OPERATIONS as MODELLED

from .conftest import Running

PREFIX = "arn:aws:states:us-east-1:123456789012"
MACHINE = f"{PREFIX}:stateMachine:m"
EXECUTION = f"{PREFIX}:execution:m:x"
ROLE = "arn:aws:iam::123456789012:role/detent"
PASS = json.dumps({"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}})
GROUP = "arn:aws:logs:us-east-1:123456789012:log-group:/a:*"


def ask(server: Running, operation: str, params: Any, **headers: str) -> tuple[int, dict[str, Any]]:
    """A request as no client of AWS makes it: nothing is checked before it is sent."""
    body = params if isinstance(params, bytes) else json.dumps(params).encode()
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=60)
    try:
        target = {"X-Amz-Target": f"AWSStepFunctions.{operation}", **headers}
        connection.request("POST", "/", body, target)
        response = connection.getresponse()
        said = json.loads(response.read())
        if response.status != 200:
            assert response.headers["x-amzn-ErrorType"] == said["__type"]
        assert response.headers["x-amzn-RequestId"]
        assert response.headers.get_content_type() == "application/x-amz-json-1.0"
        return response.status, said
    finally:
        connection.close()


def refused(server: Running, operation: str, params: Any) -> tuple[str, str]:
    status, said = ask(server, operation, params)
    assert status == 400
    return said["__type"], said["message"]


def test_there_are_the_operations_of_the_service():
    assert len(OPERATIONS) == 37
    assert OPERATIONS.keys() == MODELLED


LONG = "x" * 300
BROKEN = [
    ("CreateActivity", {}, "Value null at 'name' failed to satisfy constraint: Member must not be null"),
    (
        "CreateActivity",
        {"name": "x" * 81},
        f"Value '{'x' * 81}' at 'name' failed to satisfy constraint: Member must have length less than or equal to 80",
    ),
    (
        "CreateStateMachine",
        {"name": "m", "definition": PASS, "roleArn": ROLE, "type": "OTHER"},
        "Value 'OTHER' at 'type' failed to satisfy constraint: Member must satisfy enum value set: "
        "[STANDARD, EXPRESS]",
    ),
    (
        "CreateStateMachineAlias",
        {"name": "1", "routingConfiguration": [{"stateMachineVersionArn": f"{MACHINE}:1", "weight": 100}]},
        "Value '1' at 'name' failed to satisfy constraint: Member must satisfy regular expression pattern: "
        r"^(?=.*[a-zA-Z_\-\.])[a-zA-Z0-9_\-\.]+$",
    ),
    (
        "CreateStateMachineAlias",
        {"name": "a", "routingConfiguration": [{"stateMachineVersionArn": f"{MACHINE}:1", "weight": 101}]},
        "Value '101' at 'routingConfiguration.1.member.weight' failed to satisfy constraint: Member must have value "
        "less than or equal to 100",
    ),
    (
        "CreateStateMachineAlias",
        {
            "name": "a",
            "routingConfiguration": [
                {"stateMachineVersionArn": f"{MACHINE}:{n}", "weight": 0} for n in (1, 2, 3)
            ],
        },
        "Value '["
        + ", ".join(
            f"RoutingConfigurationListItem(stateMachineVersionArn={MACHINE}:{n}, weight=0)" for n in (1, 2, 3)
        )
        + "]' at 'routingConfiguration' failed to satisfy constraint: Member must have length less than or equal to 2",
    ),
    (
        "DescribeStateMachine",
        {"stateMachineArn": LONG},
        f"Value '{LONG}' at 'stateMachineArn' failed to satisfy constraint: Member must have length less than or "
        "equal to 256",
    ),
    (
        "ListExecutions",
        {"stateMachineArn": MACHINE, "statusFilter": "ENDED"},
        "Value 'ENDED' at 'statusFilter' failed to satisfy constraint: Member must satisfy enum value set: "
        "[SUCCEEDED, TIMED_OUT, PENDING_REDRIVE, ABORTED, FAILED, RUNNING]",
    ),
    (
        "ListStateMachines",
        {"maxResults": -1},
        "Value '-1' at 'maxResults' failed to satisfy constraint: Member must have value greater than or equal to 0",
    ),
    (
        "ValidateStateMachineDefinition",
        {"definition": PASS, "maxResults": 101},
        "Value '101' at 'maxResults' failed to satisfy constraint: Member must have value less than or equal to 100",
    ),
    (
        "StartExecution",
        {"stateMachineArn": MACHINE, "traceHeader": "\u00e9"},
        r"Value '"
        + "\u00e9"
        + r"' at 'traceHeader' failed to satisfy constraint: Member must satisfy regular "
        r"expression pattern: \p{ASCII}*",
    ),
    (
        "RedriveExecution",
        {"executionArn": EXECUTION, "clientToken": "a b"},
        "Value 'a b' at 'clientToken' failed to satisfy constraint: Member must satisfy regular expression pattern: "
        "[!-~]+",
    ),
    # What is secret is not repeated.
    (
        "StartExecution",
        {"stateMachineArn": MACHINE, "input": "1" * 262_145},
        "Value at 'input' failed to satisfy constraint: Member must have length less than or equal to 262144",
    ),
    (
        "SendTaskFailure",
        {"taskToken": "x", "error": "e" * 257},
        "Value at 'error' failed to satisfy constraint: Member must have length less than or equal to 256",
    ),
]


@pytest.mark.parametrize(("operation", "params", "message"), BROKEN)
def test_a_broken_bound_is_named(server, operation, params, message):
    assert refused(server, operation, params) == (
        "ValidationException",
        f"1 validation error detected: {message}",
    )


def test_all_broken_bounds_are_named_at_once(server):
    code, message = refused(server, "CreateActivity", {"name": "", "tags": [{"key": ""}]})
    assert code == "ValidationException"
    assert message == (
        "2 validation errors detected: Value '' at 'name' failed to satisfy constraint: Member must have length "
        "greater than or equal to 1; Value '' at 'tags.1.member.key' failed to satisfy constraint: Member must have "
        "length greater than or equal to 1"
    )


ROUTES = {"name": "a"}


def version(number: int, weight: int = 100, name: str = "m") -> dict[str, Any]:
    return {"stateMachineVersionArn": f"{PREFIX}:stateMachine:{name}:{number}", "weight": weight}


WRONG = [
    (
        "CreateStateMachine",
        {"name": "a b", "definition": PASS, "roleArn": ROLE},
        "InvalidName",
        "Invalid Name: 'a b'",
    ),
    (
        "CreateStateMachine",
        {"name": "a", "definition": PASS, "roleArn": "detent"},
        "InvalidArn",
        "Invalid Arn: 'Invalid ARN prefix: detent'",
    ),
    (
        "CreateStateMachine",
        {"name": "a", "definition": PASS, "roleArn": ROLE, "versionDescription": "v"},
        "ValidationException",
        "Version description can only be set when publish is true",
    ),
    (
        "CreateStateMachine",
        {"name": "a", "definition": PASS, "roleArn": ROLE, "loggingConfiguration": {"level": "ALL"}},
        "InvalidLoggingConfiguration",
        "Invalid Logging Configuration: Must specify exactly one Log Destination.",
    ),
    (
        "CreateStateMachine",
        {
            "name": "a",
            "definition": PASS,
            "roleArn": ROLE,
            "loggingConfiguration": {
                "level": "ALL",
                "destinations": [{"cloudWatchLogsLogGroup": {"logGroupArn": "nowhere"}}],
            },
        },
        "InvalidLoggingConfiguration",
        "Invalid Logging Configuration: Log Destination not found.",
    ),
    (
        "CreateStateMachine",
        {
            "name": "a",
            "definition": PASS,
            "roleArn": ROLE,
            "encryptionConfiguration": {"type": "CUSTOMER_MANAGED_KMS_KEY"},
        },
        "InvalidEncryptionConfiguration",
        "Invalid Encryption Configuration: CUSTOMER_MANAGED_KMS_KEY requires a kmsKeyId.",
    ),
    (
        "UpdateStateMachine",
        {"stateMachineArn": MACHINE},
        "MissingRequiredParameter",
        "Either the definition, the role ARN, the LoggingConfiguration, or the TracingConfiguration must be specified",
    ),
    (
        "UpdateStateMachine",
        {"stateMachineArn": f"{MACHINE}:1", "roleArn": ROLE},
        "StateMachineDoesNotExist",
        f"State Machine Does Not Exist: '{MACHINE}:1'",
    ),
    (
        "StartExecution",
        {"stateMachineArn": MACHINE, "name": "a/b"},
        "InvalidName",
        "Invalid Name: 'a/b'",
    ),
    (
        "StartExecution",
        {"stateMachineArn": f"{PREFIX}:stateMachine:none"},
        "StateMachineDoesNotExist",
        f"State Machine Does Not Exist: '{PREFIX}:stateMachine:none'",
    ),
    (
        "DescribeExecution",
        {"executionArn": EXECUTION},
        "ExecutionDoesNotExist",
        f"Execution Does Not Exist: '{EXECUTION}'",
    ),
    (
        "DescribeExecution",
        {"executionArn": f"{PREFIX}:express:m:x:y"},
        "InvalidArn",
        "Invalid Arn: 'Resource type not valid in this context: express'",
    ),
    (
        "DescribeActivity",
        {"activityArn": f"{PREFIX}:activity:none"},
        "ActivityDoesNotExist",
        f"Activity Does Not Exist: '{PREFIX}:activity:none'",
    ),
    (
        "GetActivityTask",
        {"activityArn": f"{PREFIX}:activity:none"},
        "ActivityDoesNotExist",
        f"Activity Does Not Exist: '{PREFIX}:activity:none'",
    ),
    (
        "SendTaskSuccess",
        {"taskToken": "nonsense", "output": "1"},
        "InvalidToken",
        "Invalid Token: 'Invalid token'",
    ),
    (
        "SendTaskSuccess",
        {"taskToken": "nonsense", "output": "not json"},
        "InvalidOutput",
        "Invalid Output: 'The output of a task must be JSON'",
    ),
    (
        "CreateStateMachineAlias",
        {**ROUTES, "routingConfiguration": [version(1, 70), version(2, 29)]},
        "ValidationException",
        "Sum of routing configuration weights must equal 100. Received: [70, 29]",
    ),
    (
        "CreateStateMachineAlias",
        {**ROUTES, "routingConfiguration": [version(1, 50), version(1, 50)]},
        "ValidationException",
        "Routing configuration must contain distinct state machine version ARNs. "
        f"Received: [{MACHINE}:1, {MACHINE}:1]",
    ),
    (
        "CreateStateMachineAlias",
        {**ROUTES, "routingConfiguration": [version(1, 50), version(1, 50, "other")]},
        "ValidationException",
        f"Routing configuration must contain state machine version ARNs. Received: [{MACHINE}:1, "
        f"{PREFIX}:stateMachine:other:1]",
    ),
    (
        "CreateStateMachineAlias",
        {**ROUTES, "routingConfiguration": [version(9)]},
        "ResourceNotFound",
        "Request references a resource that does not exist.",
    ),
    (
        "UpdateStateMachineAlias",
        {"stateMachineAliasArn": f"{MACHINE}:none", "description": "d"},
        "ResourceNotFound",
        "Request references a resource that does not exist.",
    ),
    (
        "TagResource",
        {"resourceArn": f"{MACHINE}:1", "tags": []},
        "ResourceNotFound",
        f"Resource not found: '{MACHINE}:1'",
    ),
    (
        "PublishStateMachineVersion",
        {"stateMachineArn": MACHINE, "revisionId": "stale"},
        "ConflictException",
        "Failed to publish the State Machine version for revision stale. The current State Machine revision is "
        "INITIAL.",
    ),
    ("ListStateMachines", {"nextToken": "forged"}, "InvalidToken", "Invalid Token: 'Invalid token'"),
]


@pytest.mark.parametrize(("operation", "params", "code", "message"), WRONG)
def test_what_is_wrong_is_said_as_the_service_says_it(server, boto, operation, params, code, message):
    boto(server).create_state_machine(name="m", definition=PASS, roleArn=ROLE)
    assert refused(server, operation, params) == (code, message)


ARNS = sorted(
    (operation, member)
    for operation, member in {
        "DeleteActivity": "activityArn",
        "DeleteStateMachine": "stateMachineArn",
        "DeleteStateMachineAlias": "stateMachineAliasArn",
        "DeleteStateMachineVersion": "stateMachineVersionArn",
        "DescribeActivity": "activityArn",
        "DescribeExecution": "executionArn",
        "DescribeMapRun": "mapRunArn",
        "DescribeStateMachine": "stateMachineArn",
        "DescribeStateMachineAlias": "stateMachineAliasArn",
        "DescribeStateMachineForExecution": "executionArn",
        "GetActivityTask": "activityArn",
        "GetExecutionHistory": "executionArn",
        "ListExecutions": "stateMachineArn",
        "ListMapRuns": "executionArn",
        "ListStateMachineAliases": "stateMachineArn",
        "ListStateMachineVersions": "stateMachineArn",
        "ListTagsForResource": "resourceArn",
        "PublishStateMachineVersion": "stateMachineArn",
        "RedriveExecution": "executionArn",
        "StartExecution": "stateMachineArn",
        "StopExecution": "executionArn",
        "UpdateMapRun": "mapRunArn",
    }.items()
)


@pytest.mark.parametrize(("operation", "member"), ARNS)
def test_what_is_no_arn_is_refused_everywhere(server, operation, member):
    assert refused(server, operation, {member: "nonsense"}) == (
        "InvalidArn",
        "Invalid Arn: 'Invalid ARN prefix: nonsense'",
    )
    kind = "activity" if member != "activityArn" else "execution"
    wrong = (
        f"{PREFIX}:mapless:x"
        if member == "resourceArn"
        else f"{PREFIX}:{kind}:x" + ":y" * (kind == "execution")
    )
    assert refused(server, operation, {member: wrong})[0] == "InvalidArn"


def defining(definition: str) -> bytes:
    return json.dumps({"name": "a", "definition": definition, "roleArn": ROLE}).encode()


HOSTILE = [
    ("Nonsense", b"{}", "UnknownOperationException"),
    ("", b"{}", "UnknownOperationException"),
    ("ListStateMachines", b"{", "SerializationException"),
    ("ListStateMachines", b"[]", "SerializationException"),
    ("ListStateMachines", b"null", "SerializationException"),
    ("ListStateMachines", b'"text"', "SerializationException"),
    ("ListStateMachines", b"\xff\xfe", "SerializationException"),
    ("ListStateMachines", b'{"maxResults": NaN}', "SerializationException"),
    ("ListStateMachines", b'{"maxResults": "1"}', "SerializationException"),
    ("ListStateMachines", b'{"maxResults": true}', "SerializationException"),
    ("ListStateMachines", b'{"maxResults": 1e400}', "SerializationException"),
    ("ListStateMachines", b'{"maxResults": ' + b"9" * 5000 + b"}", "SerializationException"),
    ("ListStateMachines", b'{"nextToken": 7}', "SerializationException"),
    ("ListStateMachines", b"[" * 100_000, "SerializationException"),
    ("ListStateMachines", b'{"a":' * 10_000 + b"1" + b"}" * 10_000, "SerializationException"),
    ("CreateActivity", b'{"name": "a", "tags": {}}', "SerializationException"),
    ("CreateActivity", b'{"name": "a", "tags": [1]}', "SerializationException"),
    ("CreateActivity", b'{"name": "a", "tags": [null]}', "ValidationException"),
    ("CreateActivity", b'{"name": "a", "tags": [{}]}', "ValidationException"),
    ("CreateActivity", b'{"name": "\\ud800"}', "InvalidName"),
    ("CreateActivity", b'{"name": "a\\u0000"}', "InvalidName"),
    ("CreateActivity", b'{"name": "' + b"\xf0\x9f\x98\x80" * 41 + b'"}', "ValidationException"),
    ("DescribeExecution", b'{"executionArn": "arn:aws:states:::execution::"}', "InvalidArn"),
    ("DescribeExecution", b'{"executionArn": "arn:aws:states:r:a:execution:../x:../y"}', "ExecutionDoesNotExist"),
    ("DescribeExecution", b'{"executionArn": "arn:aws:states:r:a:execution:m:x\\u0000"}', "ExecutionDoesNotExist"),
    ("ListExecutions", b'{"stateMachineArn": "arn:aws:states:r:a:stateMachine:m:99999"}', "StateMachineDoesNotExist"),
    ("SendTaskHeartbeat", b'{"taskToken": "' + b"A" * 2048 + b'"}', "InvalidToken"),
    ("SendTaskHeartbeat", b'{"taskToken": "Og.' + b"0" * 64 + b'"}', "InvalidToken"),
    ("ListStateMachines", b'{"nextToken": "' + b"A" * 1024 + b'"}', "InvalidToken"),
    ("CreateStateMachine", defining("[" * 9_000), "InvalidDefinition"),
    ("CreateStateMachine", defining("1"), "InvalidDefinition"),
    ("CreateStateMachine", defining('{"a":' * 500 + "1" + "}" * 500), "InvalidDefinition"),
    ("TestState", defining("[" * 9_000), "InvalidDefinition"),
]  # fmt: skip


@pytest.mark.parametrize(("operation", "body", "code"), HOSTILE)
def test_a_hostile_request_gets_a_clean_answer(server, operation, body, code):
    assert refused(server, operation, body)[0] == code


@pytest.mark.parametrize("operation", ["DescribeStateMachine", "ListStateMachineAliases", "StartExecution"])
def test_half_of_a_surrogate_pair_names_nothing(server, operation):
    assert refused(server, operation, {"stateMachineArn": f"{MACHINE}\ud800"})[0] == "InvalidArn"


def test_what_is_unknown_in_a_request_is_ignored(server):
    assert ask(server, "ListStateMachines", {"unknown": 1, "maxResults": None}) == (
        200,
        {"stateMachines": []},
    )
    assert ask(server, "ListStateMachines", b"") == (200, {"stateMachines": []})


def test_arns_are_of_the_region_a_request_was_signed_for(server, boto: Callable[..., Any]):
    for region, partition in (
        ("eu-central-1", "aws"),
        ("cn-north-1", "aws-cn"),
        ("us-gov-west-1", "aws-us-gov"),
    ):
        sfn = boto(server, region=region)
        arn = sfn.create_state_machine(name="m", definition=PASS, roleArn=ROLE)["stateMachineArn"]
        assert arn == f"arn:{partition}:states:{region}:123456789012:stateMachine:m"
        execution = sfn.start_execution(stateMachineArn=arn, name="x")["executionArn"]
        assert execution == f"arn:{partition}:states:{region}:123456789012:execution:m:x"
        assert sfn.describe_execution(executionArn=execution)["stateMachineArn"] == arn
        assert [found["stateMachineArn"] for found in sfn.list_state_machines()["stateMachines"]] == [arn]


def test_both_forms_of_the_host_are_answered(server):
    port = urlsplit(server.url).port
    for host in (f"localhost:{port}", f"sync-localhost:{port}", f"sync-127.0.0.1:{port}"):
        assert ask(server, "ListStateMachines", {}, Host=host)[0] == 200


def test_a_machine_may_have_fifty_tags(server, boto):
    sfn = boto(server)
    arn = sfn.create_activity(name="a")["activityArn"]
    sfn.tag_resource(resourceArn=arn, tags=[{"key": str(n), "value": ""} for n in range(50)])
    with pytest.raises(ClientError) as error:
        sfn.tag_resource(resourceArn=arn, tags=[{"key": "one more", "value": ""}])
    assert error.value.response["Error"]["Code"] == "TooManyTags"
