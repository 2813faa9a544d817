"""Resources of tasks, readers and writers; what an Express machine may not use."""

from __future__ import annotations

from typing import Any

import pytest

from detent.schema.validate import validate_value

from .cases import PASS_END, Case, errors, machine, one


def resource(text: str) -> dict[str, Any]:
    return one(Type="Task", Resource=text)


def distributed(**fields: Any) -> dict[str, Any]:
    config = {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}
    inner = {"ProcessorConfig": config, "StartAt": "I", "States": {"I": PASS_END}}
    return machine(M={"Type": "Map", "ItemProcessor": inner, "End": True, **fields})


ARN = "arn:aws:states:::"

CASES = [
    Case(
        code="bad-resource",
        definition=resource("<the ARN goes here>"),
        pointer="/States/S/Resource",
        message="Resource '<the ARN goes here>' of state 'S' (Task) is neither an ARN nor a name",
        hint="put the ARN of the function or the service call here",
    ),
    Case(
        code="bad-resource",
        definition=resource("arn:aws:lambda:us-east-1:123456789012:function:charge:"),
        pointer="/States/S/Resource",
        message="'' is no alias or version of a Lambda function, in Resource of state 'S' (Task)",
        hint="the ARN ends with the function's name, or with :ALIAS, :VERSION or :$LATEST after it",
    ),
    Case(
        code="bad-resource",
        definition=resource(ARN + "dynamodb:getItems"),
        pointer="/States/S/Resource",
        message="'dynamodb' has no action 'getItems', in Resource of state 'S' (Task)",
        hint="did you mean 'getItem'?",
    ),
    Case(
        code="bad-resource",
        definition=resource(ARN + "sns:publish.sync"),
        pointer="/States/S/Resource",
        message="'sns:publish' cannot be called with '.sync', in Resource of state 'S' (Task)",
        hint="patterns it has: .waitForTaskToken",
    ),
    Case(
        code="bad-resource",
        definition=resource(ARN + "lamda:invoke"),
        pointer="/States/S/Resource",
        message="'lamda' in Resource of state 'S' (Task) is no service with an integration of its own",
        hint="did you mean 'lambda'?",
    ),
    Case(
        code="unknown-resource",
        definition=resource("arn:aws:s3:::bucket"),
        pointer="/States/S/Resource",
        message="Resource 'arn:aws:s3:::bucket' of state 'S' (Task) is of a kind that a Task cannot call",
        hint="a Task calls Lambda functions, activities and arn:PARTITION:states:::SERVICE:ACTION",
        severity="warning",
    ),
    Case(
        code="unknown-resource",
        definition=resource("charge"),
        pointer="/States/S/Resource",
        message="Resource 'charge' of state 'S' (Task) is no ARN, and of no scheme that detent runs itself",
        hint="write task:NAME for a handler of your own",
        severity="warning",
    ),
    Case(
        code="unknown-resource",
        definition=distributed(ItemReader={"Resource": ARN + "s3:putObject", "Parameters": {}}),
        pointer="/States/M/ItemReader/Resource",
        message="Resource 'arn:aws:states:::s3:putObject' of ItemReader of state 'M' (Map) is not a call it can make",
        hint="arn:PARTITION:states:::s3:getObject or arn:PARTITION:states:::s3:listObjectsV2",
        severity="warning",
    ),
    Case(
        code="unknown-resource",
        definition=distributed(ResultWriter={"Resource": "bucket", "Parameters": {}}),
        pointer="/States/M/ResultWriter/Resource",
        message="Resource 'bucket' of ResultWriter of state 'M' (Map) is not a call it can make",
        hint="arn:PARTITION:states:::s3:putObject",
    ),
    Case(
        code="not-in-express",
        definition=resource(ARN + "sqs:sendMessage.waitForTaskToken"),
        machine_type="EXPRESS",
        pointer="/States/S/Resource",
        message="State 'S' (Task) uses the '.waitForTaskToken' integration, which an EXPRESS machine cannot do",
        hint="make it a STANDARD machine, or call without waiting",
    ),
    Case(
        code="not-in-express",
        definition=distributed(),
        machine_type="EXPRESS",
        pointer="/States/M/ItemProcessor/ProcessorConfig/Mode",
        message="ItemProcessor of state 'M' (Map) is DISTRIBUTED, which an EXPRESS machine cannot do",
        hint="make it a STANDARD machine, or call without waiting",
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_it_is_found(case: Case) -> None:
    case.check()


@pytest.mark.parametrize(
    "text",
    [
        "task:charge",
        "signal:approved",
        "exec:python -c 'print(1)'",
        "https://example.com/charge?x={y}",
        "arn:aws:lambda:us-east-1:123456789012:function:charge:$LATEST",
        "arn:aws-cn:states:cn-north-1:123456789012:activity:charge",
        ARN + "states:startExecution.sync:2",
        ARN + "aws-sdk:s3:getObject",
        "arn:aws:states:us-east-1:123456789012:aws-sdk:s3:getObject.waitForTaskToken",
        "${Anything}",
        "arn:${Partition}:states:::sns:publish.${Pattern}",
    ],
)
def test_a_resource_may_be(text: str) -> None:
    assert validate_value(resource(text)) == []


@pytest.mark.parametrize(
    "text",
    [
        ARN + "states:startExecution.sync:2",
        ARN + "batch:submitJob.sync",
        "arn:aws:states:us-east-1:123456789012:activity:charge",
    ],
)
def test_an_express_machine_only_asks_and_goes_on(text: str) -> None:
    assert errors(resource(text)) == []
    assert errors(resource(text), "EXPRESS") == ["not-in-express"]


def test_items_of_a_distributed_map_may_run_as_express() -> None:
    inner = {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "EXPRESS"},
        "StartAt": "I",
        "States": {"I": {"Type": "Task", "Resource": ARN + "batch:submitJob.sync", "End": True}},
    }
    assert errors(machine(M={"Type": "Map", "ItemProcessor": inner, "End": True})) == ["not-in-express"]
