"""Resources of tasks, and what an Express machine may not use (resources, sections 1 and 2; api, section 9).

An error only where the service is known to refuse. An ARN it may have learned since, or a scheme that some
other runner understands, is a warning.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from .diagnostics import Pointer
from .document import has_holes, is_unknown
from .findings import Findings, sentence, show
from .outline import Outline, Part, Scope, State
from .validate_variables import is_distributed, processor_config


@dataclass(frozen=True, slots=True)
class Integration:
    """What a service offers; ``actions`` is empty where the list is long and grows."""

    actions: tuple[str, ...]
    patterns: frozenset[str]


SYNC, SYNC_2, TOKEN = ".sync", ".sync:2", ".waitForTaskToken"


def _offers(*patterns: str, actions: tuple[str, ...] = ()) -> Integration:
    return Integration(actions, frozenset(patterns))


#: The optimised integrations (resources, section 2).
INTEGRATIONS: Mapping[str, Integration] = {
    "apigateway": _offers(TOKEN, actions=("invoke",)),
    "athena": _offers(SYNC),
    "batch": _offers(SYNC, actions=("submitJob",)),
    "bedrock": _offers(SYNC, TOKEN),
    "codebuild": _offers(SYNC),
    "databrew": _offers(SYNC),
    "dynamodb": _offers(actions=("getItem", "putItem", "updateItem", "deleteItem")),
    "ecs": _offers(SYNC, TOKEN, actions=("runTask",)),
    "eks": _offers(SYNC, TOKEN),
    "elasticmapreduce": _offers(SYNC),
    "emr-containers": _offers(SYNC),
    "emr-serverless": _offers(SYNC),
    "events": _offers(TOKEN, actions=("putEvents",)),
    "glue": _offers(SYNC),
    "http": _offers(actions=("invoke",)),
    "lambda": _offers(TOKEN, actions=("invoke",)),
    "mediaconvert": _offers(SYNC),
    "sagemaker": _offers(SYNC),
    "sns": _offers(TOKEN, actions=("publish",)),
    "sqs": _offers(TOKEN, actions=("sendMessage",)),
    "states": _offers(SYNC, SYNC_2, TOKEN, actions=("startExecution",)),
}

#: Schemes that detent's own handlers take.
OWN_SCHEMES = frozenset({"task", "signal", "exec", "http", "https"})

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_NOT_IN_A_URI = re.compile(r"[\s<>|\\^`\"]|^\{")
_LAMBDA = re.compile(r"arn:[^:]+:lambda:[^:]*:[^:]*:function:[^:]+(:(?P<qualifier>[^:]*))?")
_QUALIFIER = re.compile(r"\$LATEST|[A-Za-z0-9_.-]+")
_ACTIVITY = re.compile(r"arn:[^:]+:states:[^:]*:[^:]*:activity:.+")
_INTEGRATION = re.compile(r"arn:[^:]+:states:[^:]*:[^:]*:(?P<call>[^.]+)(?P<pattern>\..*)?")

#: What ItemReader and ResultWriter may call.
_READERS = ("s3:getObject", "s3:listObjectsV2")
_WRITERS = ("s3:putObject",)
#: Places that detent reads from, and writes to, by themselves.
_READ_FROM = ("file:", "http:", "https:")
_WRITTEN_TO = ("file:",)


def check_resources(outline: Outline, findings: Findings, *, express: bool) -> None:
    for state in outline.states:
        limited = express or _runs_as_express(state.scope)
        resource = state.value.get("Resource")
        if state.type == "Task" and isinstance(resource, str) and not has_holes(resource):
            _check_resource(state, resource, findings)
            if limited:
                _check_express(state, resource, findings)
        for part in state.parts("itemReader"):
            _check_storage(part, _READERS, _READ_FROM, findings)
        for part in state.parts("resultWriter"):
            _check_storage(part, _WRITERS, _WRITTEN_TO, findings)
    for scope in outline.scopes:
        _check_processor(scope, findings, express=express)


def _check_resource(state: State, resource: str, findings: Findings) -> None:
    place = state.at("Resource")
    scheme = _SCHEME.match(resource)
    if scheme is not None and scheme[1] in OWN_SCHEMES:
        if resource == "signal:":
            findings.error(
                "bad-resource", place, f"Resource of {state.label} names no signal", hint="signal:NAME"
            )
        return
    if _NOT_IN_A_URI.search(resource):
        findings.error(
            "bad-resource",
            place,
            f"Resource {show(resource)} of {state.label} is neither an ARN nor a name",
            hint="put the ARN of the function or the service call here",
        )
    elif resource.startswith("arn:"):
        _check_arn(state, resource, findings)
    else:
        findings.warning(
            "unknown-resource",
            place,
            f"Resource {show(resource)} of {state.label} is no ARN, and of no scheme that detent runs itself",
            hint="write task:NAME for a handler of your own",
        )


def _check_arn(state: State, arn: str, findings: Findings) -> None:
    place = state.at("Resource")
    function = _LAMBDA.fullmatch(arn)
    if function is not None:
        qualifier = function["qualifier"]
        if qualifier is not None and not _QUALIFIER.fullmatch(qualifier):
            findings.error(
                "bad-resource",
                place,
                f"{show(qualifier)} is no alias or version of a Lambda function, in Resource of {state.label}",
                hint="the ARN ends with the function's name, or with :ALIAS, :VERSION or :$LATEST after it",
            )
        return
    if _ACTIVITY.fullmatch(arn):
        return
    integration = _INTEGRATION.fullmatch(arn)
    if integration is None:
        findings.warning(
            "unknown-resource",
            place,
            f"Resource {show(arn)} of {state.label} is of a kind that a Task cannot call",
            hint="a Task calls Lambda functions, activities and arn:PARTITION:states:::SERVICE:ACTION",
        )
        return
    service, _, action = integration["call"].rpartition(":")
    _check_integration(state, service, action, integration["pattern"] or "", findings)


def _check_integration(state: State, service: str, action: str, pattern: str, findings: Findings) -> None:
    place, resource = state.at("Resource"), str(state.value["Resource"])
    if service.startswith("aws-sdk:"):
        offer: Integration | None = _offers(TOKEN)
    else:
        offer = INTEGRATIONS.get(service)
    if offer is None:
        meant = findings.similar(service, INTEGRATIONS)
        findings.error(
            "bad-resource",
            place,
            f"{show(service or action)} in Resource of {state.label} is no service with an integration of its own",
            hint=f"did you mean '{meant}'?" if meant else "aws-sdk:SERVICE:ACTION reaches the others",
            meant=resource.replace(f":{service}:", f":{meant}:") if meant else None,
        )
        return
    if offer.actions and action not in offer.actions:
        meant = findings.similar(action, offer.actions)
        findings.error(
            "bad-resource",
            place,
            f"{show(service)} has no action {show(action)}, in Resource of {state.label}",
            hint=f"did you mean '{meant}'?" if meant else f"it has {', '.join(offer.actions)}",
            meant=resource.replace(f":{service}:{action}", f":{service}:{meant}") if meant else None,
        )
    if pattern and pattern not in offer.patterns:
        offered = ", ".join(sorted(offer.patterns)) or "none"
        findings.error(
            "bad-resource",
            place,
            f"{show(f'{service}:{action}')} cannot be called with {show(pattern)}, in Resource of {state.label}",
            hint=f"patterns it has: {offered}",
        )


def _check_storage(part: Part, calls: tuple[str, ...], own: tuple[str, ...], findings: Findings) -> None:
    resource = part.value.get("Resource")
    if not isinstance(resource, str) or is_unknown(resource) or resource.endswith(calls):
        return
    if resource.startswith(own):
        return
    say = findings.warning if _SCHEME.match(resource) else findings.error
    say(
        "unknown-resource",
        part.at("Resource"),
        f"Resource {show(resource)} of {part.label} is not a call it can make",
        hint=" or ".join(f"arn:PARTITION:states:::{call}" for call in calls),
    )


# Express: request and response only, nothing that outlives the call


def _runs_as_express(scope: Scope) -> bool:
    """Whether a distributed Map around the scope runs its items as Express executions."""
    here: Scope | None = scope
    while here is not None:
        if is_distributed(here):
            return processor_config(here).get("ExecutionType") == "EXPRESS"
        here = here.owner.scope if here.owner else None
    return False


def _check_express(state: State, resource: str, findings: Findings) -> None:
    if _ACTIVITY.fullmatch(resource):
        what = "an activity"
    elif resource.startswith("arn:") and resource.endswith((SYNC, SYNC_2)):
        what = "the '.sync' integration"
    elif resource.startswith("arn:") and resource.endswith(TOKEN):
        what = "the '.waitForTaskToken' integration"
    elif resource.startswith("signal:"):
        what = "a named signal"
    else:
        return
    _refuse_express(state.at("Resource"), f"{sentence(state.label)} uses {what}", findings)


def _check_processor(scope: Scope, findings: Findings, *, express: bool) -> None:
    if scope.kind != "itemProcessor" or processor_config(scope).get("Mode") != "DISTRIBUTED":
        return
    if "ExecutionType" not in processor_config(scope):
        findings.error(
            "missing-field",
            scope.at("ProcessorConfig"),
            f"ProcessorConfig of {scope.label} has no ExecutionType",
            hint="a DISTRIBUTED Map runs its items as STANDARD or EXPRESS executions",
            on_key=True,
        )
    inside = scope.owner is not None and _runs_as_express(scope.owner.scope)
    if express or inside:
        _refuse_express(
            scope.at("ProcessorConfig", "Mode"), f"{sentence(scope.label)} is DISTRIBUTED", findings
        )


def _refuse_express(pointer: Pointer, subject: str, findings: Findings) -> None:
    findings.error(
        "not-in-express",
        pointer,
        f"{subject}, which an EXPRESS machine cannot do",
        hint="make it a STANDARD machine, or call without waiting",
    )
