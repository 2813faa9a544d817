"""The calls that Terraform's provider makes for a state machine and an activity: create, refresh, update, delete.

The sequences are those of ``aws_sfn_state_machine``, ``aws_sfn_alias`` and ``aws_sfn_activity``, made through boto3.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from .conftest import Running
from .test_aws_executions import PATIENCE, ROLE, refused

FIRST = json.dumps({"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}, indent=2)
SECOND = json.dumps({"StartAt": "Q", "States": {"Q": {"Type": "Succeed"}}}, indent=2)
GROUP = {"logGroupArn": "arn:aws:logs:us-east-1:123456789012:log-group:/tf:*"}
LOGGING = {
    "level": "ERROR",
    "includeExecutionData": True,
    "destinations": [{"cloudWatchLogsLogGroup": GROUP}],
}


@pytest.fixture
def sfn(server: Running, boto: Callable[..., Any]) -> Any:
    return boto(server)


def refreshed(sfn: Any, arn: str) -> dict[str, Any]:
    """What a refresh reads: the machine, its versions, its tags."""
    described: dict[str, Any] = sfn.describe_state_machine(stateMachineArn=arn)
    del described["ResponseMetadata"]
    versions = sfn.list_state_machine_versions(stateMachineArn=arn)["stateMachineVersions"]
    tags = sfn.list_tags_for_resource(resourceArn=arn)["tags"]
    return {**described, "versions": versions, "tags": {tag["key"]: tag["value"] for tag in tags}}


def test_a_state_machine_is_created_refreshed_updated_and_deleted(sfn):
    created = sfn.create_state_machine(
        name="orders",
        definition=FIRST,
        roleArn=ROLE,
        type="STANDARD",
        publish=True,
        versionDescription="first",
        loggingConfiguration=LOGGING,
        tracingConfiguration={"enabled": True},
        encryptionConfiguration={"type": "AWS_OWNED_KEY"},
        tags=[{"key": "team", "value": "shop"}],
    )
    arn = created["stateMachineArn"]
    assert created["stateMachineVersionArn"] == f"{arn}:1"

    state = refreshed(sfn, arn)
    planned = (FIRST, ROLE, "STANDARD", "ACTIVE", LOGGING, {"enabled": True}, {"team": "shop"})
    names = (
        "definition",
        "roleArn",
        "type",
        "status",
        "loggingConfiguration",
        "tracingConfiguration",
        "tags",
    )
    assert tuple(state[name] for name in names) == planned
    assert refreshed(sfn, arn) == state
    assert [version["stateMachineVersionArn"] for version in state["versions"]] == [f"{arn}:1"]

    updated = sfn.update_state_machine(
        stateMachineArn=arn,
        definition=SECOND,
        roleArn=ROLE,
        publish=True,
        tracingConfiguration={"enabled": False},
    )
    assert updated["stateMachineVersionArn"] == f"{arn}:2"
    sfn.tag_resource(resourceArn=arn, tags=[{"key": "team", "value": "store"}, {"key": "tier", "value": "1"}])
    sfn.untag_resource(resourceArn=arn, tagKeys=["tier"])
    state = refreshed(sfn, arn)
    assert (state["definition"], state["revisionId"]) == (SECOND, updated["revisionId"])
    assert (state["tracingConfiguration"], state["tags"]) == ({"enabled": False}, {"team": "store"})
    assert state["loggingConfiguration"] == LOGGING

    sfn.delete_state_machine(stateMachineArn=arn)
    until, gone = time.monotonic() + PATIENCE, None
    while gone is None and time.monotonic() < until:
        try:
            assert sfn.describe_state_machine(stateMachineArn=arn)["status"] == "DELETING"
        except ClientError as error:
            gone = error.response["Error"]["Code"]
    assert gone == "StateMachineDoesNotExist"
    again = sfn.create_state_machine(name="orders", definition=SECOND, roleArn=ROLE)
    assert again["stateMachineArn"] == arn


def test_an_alias_follows_a_version(sfn):
    arn = sfn.create_state_machine(name="m", definition=FIRST, roleArn=ROLE, publish=True)["stateMachineArn"]
    routes = [{"stateMachineVersionArn": f"{arn}:1", "weight": 100}]
    alias = sfn.create_state_machine_alias(name="live", description="d", routingConfiguration=routes)
    described = sfn.describe_state_machine_alias(stateMachineAliasArn=alias["stateMachineAliasArn"])
    assert (described["name"], described["description"], described["routingConfiguration"]) == (
        "live",
        "d",
        routes,
    )
    sfn.update_state_machine(stateMachineArn=arn, definition=SECOND, publish=True)
    shifted = [
        {"stateMachineVersionArn": f"{arn}:1", "weight": 70},
        {"stateMachineVersionArn": f"{arn}:2", "weight": 30},
    ]
    sfn.update_state_machine_alias(
        stateMachineAliasArn=alias["stateMachineAliasArn"], routingConfiguration=shifted
    )
    described = sfn.describe_state_machine_alias(stateMachineAliasArn=alias["stateMachineAliasArn"])
    assert described["routingConfiguration"] == shifted
    assert refused(sfn.delete_state_machine_version, stateMachineVersionArn=f"{arn}:1") == (
        "ConflictException",
        "Version to be deleted must not be referenced by an alias. Current list of aliases referencing this version: "
        "[live]",
    )
    sfn.delete_state_machine_alias(stateMachineAliasArn=alias["stateMachineAliasArn"])
    gone = refused(sfn.describe_state_machine_alias, stateMachineAliasArn=alias["stateMachineAliasArn"])
    assert gone[0] == "ResourceNotFound"
    sfn.delete_state_machine_version(stateMachineVersionArn=f"{arn}:1")


def test_an_activity_is_created_refreshed_and_deleted(sfn):
    arn = sfn.create_activity(name="work", tags=[{"key": "team", "value": "shop"}])["activityArn"]
    described = sfn.describe_activity(activityArn=arn)
    assert (described["name"], described["encryptionConfiguration"]) == ("work", {"type": "AWS_OWNED_KEY"})
    assert sfn.list_tags_for_resource(resourceArn=arn)["tags"] == [{"key": "team", "value": "shop"}]
    sfn.untag_resource(resourceArn=arn, tagKeys=["team"])
    assert sfn.list_tags_for_resource(resourceArn=arn)["tags"] == []
    sfn.delete_activity(activityArn=arn)
    assert refused(sfn.describe_activity, activityArn=arn)[0] == "ActivityDoesNotExist"
