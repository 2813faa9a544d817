"""What one target refuses: the service what only detent runs, and the other way round. Judged for ``--target`` only."""

from __future__ import annotations

from collections.abc import Iterator

from detent.core.resources import integration, starts_execution

from ..diagnostics import Severity
from ..findings import sentence, show
from ..validate_resources import OWN_SCHEMES
from ..validate_variables import is_distributed
from .rule import Found, Subject, rule


@rule(
    "not-on-aws",
    Severity.ERROR,
    "Something that detent runs and the service refuses, where the target is aws.",
)
def not_on_aws(subject: Subject) -> Iterator[Found]:
    if subject.target != "aws":
        return
    for state in subject.outline.states:
        resource = state.value.get("Resource")
        if state.type == "Task" and isinstance(resource, str) and resource.partition(":")[0] in OWN_SCHEMES:
            yield Found(
                state.at("Resource"),
                f"Resource {show(resource)} of {state.label} is known to detent only",
                "use the ARN of a function, an activity or a service",
            )
        if state.value.get("Type") == "Success":
            yield Found(
                state.at("Type"),
                f"{sentence(state.label)} has the type Success, which the service calls Succeed",
                "write Succeed",
            )


@rule(
    "not-on-detent",
    Severity.WARNING,
    "Something that detent cannot run by itself, where the target is detent.",
)
def not_on_detent(subject: Subject) -> Iterator[Found]:
    if subject.target != "detent":
        return
    for state in subject.states("Task"):
        resource = state.value.get("Resource")
        if not isinstance(resource, str) or starts_execution(resource):
            continue
        called = integration(resource)
        if called is not None and called[0] != "lambda":
            yield Found(
                state.at("Resource"),
                f"{show(':'.join(called))} in {state.label} needs the service behind it",
                "detent runs functions, programs, HTTP calls, activities and executions: task:NAME, lambda:invoke, "
                "exec:, http(s)://, an activity's ARN, states:startExecution",
            )
    for scope in subject.outline.scopes:
        if scope.kind == "itemProcessor" and is_distributed(scope):
            yield Found(
                scope.pointer,
                f"{sentence(scope.label)} is DISTRIBUTED",
                "Mode INLINE runs everywhere",
                on_key=True,
            )
