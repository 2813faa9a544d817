"""Which handler does a resource, and what is said where nobody does."""

from __future__ import annotations

import re
from typing import Any

import pytest

from detent.runtime.handlers.errors import HandlersError
from detent.runtime.handlers.registry import Registry

INVOKE = "arn:aws:states:::lambda:invoke"
ARN = "arn:aws:lambda:us-east-1:123456789012:function:"


def charge(order: Any) -> Any:
    return order


def refund(order: Any) -> Any:
    return order


@pytest.fixture
def shop(registry: Registry) -> Registry:
    registry.add("charge", charge)
    return registry


def test_one_name_for_two_functions_names_both_places(shop: Registry) -> None:
    with pytest.raises(HandlersError) as caught:
        shop.add("charge", refund)
    places = [f"{__file__}:{function.__code__.co_firstlineno}" for function in (charge, refund)]
    assert f"two handlers are called 'charge': {places[0]} and {places[1]}" in str(caught.value)


def test_the_names_are_listed(shop: Registry) -> None:
    shop.add("archive", refund)
    assert shop.names == ["archive", "charge"]


@pytest.mark.parametrize(
    "resource", ["task:charge", ARN + "charge", ARN + "charge:live", INVOKE, INVOKE + ".waitForTaskToken"]
)
def test_what_is_handled_is_not_refused(shop: Registry, resource: str) -> None:
    assert shop.refusal(resource) is None
    assert shop.resolve(resource) is not None


@pytest.mark.parametrize(
    ("resource", "reason"),
    [
        ("task:chrage", "no handler is called 'chrage': did you mean 'charge'?"),
        ("task:ship", "no handler is called 'ship': mark a function with @detent.task(\"ship\")"),
        ("task:", "no handler is called ''"),
        ("arn:aws:states:::sqs:sendMessage", "where the environment names an endpoint"),
        ("arn:aws:states:::aws-sdk:s3:getObject", "where the environment names an endpoint"),
        ("arn:aws:states:::sqs:sendMessage.waitForTaskToken", "where the environment names an endpoint"),
        ("arn:aws:states:::ecs:runTask.sync", "the integration ecs:runTask.sync is not handled yet"),
        ("carrier pigeon", "this is no resource that is handled"),
        ("", "this is no resource that is handled"),
    ],
)
def test_what_nobody_handles_has_its_reason(shop: Registry, resource: str, reason: str) -> None:
    assert reason in (shop.refusal(resource) or "")
    assert shop.resolve(resource) is None
    with pytest.raises(HandlersError, match=re.escape(reason)):
        shop.handler(resource)


@pytest.mark.parametrize(
    "resource",
    [
        "arn:aws:states:us-east-1:123456789012:activity:review",
        "arn:aws:states:::states:startExecution",
        "arn:aws:states:::states:startExecution.sync",
        "arn:aws:states:::states:startExecution.sync:2",
        "arn:aws:states:::states:startExecution.waitForTaskToken",
    ],
)
def test_what_the_engine_sees_to_itself_is_not_refused(shop: Registry, resource: str) -> None:
    assert shop.refusal(resource) is None
    assert shop.resolve(resource) is shop.handler(resource) is None


def test_a_missing_function_is_found_before_the_start_where_its_name_is_known(shop: Registry) -> None:
    missing = "no Lambda function is called 'chrage': did you mean 'charge'?"
    assert shop.refusal(ARN + "chrage") == missing
    assert shop.refusal(INVOKE, {"FunctionName": ARN + "chrage:live"}) == missing
    assert shop.refusal(INVOKE, {"FunctionName": "charge"}) is None
    assert shop.refusal(INVOKE, None) is None
