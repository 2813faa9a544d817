"""The shapes of what services answer: by the resource of a task.

The data lies in ``models/``, one file a service; a service that is not there, or an operation that is none of its
own, has no shape.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from ..core.resources import integration

_AWS_SDK = "aws-sdk:"
_TOKEN = ".waitForTaskToken"
_SYNC = (".sync", ".sync:2")

#: How the data calls the services that a resource names otherwise.
_SERVICES: Mapping[str, str] = {
    "states": "sfn",
    "events": "eventbridge",
    "elasticmapreduce": "emr",
    "emr-containers": "emrcontainers",
    "emr-serverless": "emrserverless",
    "bedrock": "bedrockruntime",
}

#: Jobs: whose answer the end of the job is.
_POLLED: Mapping[tuple[str, str], str] = {
    ("states", "startExecution"): "DescribeExecution",
    ("batch", "submitJob"): "DescribeJobs",
    ("glue", "startJobRun"): "GetJobRun",
    ("codebuild", "startBuild"): "BatchGetBuilds",
    ("codebuild", "startBuildBatch"): "BatchGetBuildBatches",
    ("athena", "startQueryExecution"): "GetQueryExecution",
    ("mediaconvert", "createJob"): "GetJob",
    ("databrew", "startJobRun"): "DescribeJobRun",
    ("emr-serverless", "startJobRun"): "GetJobRun",
    ("emr-containers", "startJobRun"): "DescribeJobRun",
}

#: Members that a result holds as a value although the answer holds them as bytes or as a text of JSON.
_PARSED: Mapping[str, frozenset[str]] = {
    "lambda:invoke": frozenset({"Payload"}),
    "bedrock:invokeModel": frozenset({"Body"}),
    "states:startExecution.sync:2": frozenset({"Input", "Output"}),
}


@dataclass(frozen=True, slots=True)
class Shape:
    """One shape. ``kind`` is structure, list, map, string, number, boolean or any."""

    _own: Mapping[str, Any]
    _shapes: Mapping[str, Any]
    _parsed: frozenset[str] = frozenset()

    @property
    def kind(self) -> str:
        kind: str = self._own["kind"]
        return kind

    @property
    def required(self) -> list[str]:
        """Members that an answer always has."""
        required: list[str] = self._own.get("required", [])
        return required

    @property
    def enum(self) -> list[str]:
        enum: list[str] = self._own.get("enum", [])
        return enum

    @property
    def least(self) -> float | None:
        """The smallest number, or the fewest characters."""
        return self._own.get("min")

    @property
    def most(self) -> float | None:
        return self._own.get("max")

    def member(self, name: str) -> Shape | None:
        """A member of a structure; None for one that the service does not know."""
        reference = self._own["members"].get(name)
        if reference is None:
            return None
        return self._named("any" if name in self._parsed else reference)

    def element(self) -> Shape:
        """What a list, or a map, holds."""
        return self._named(self._own["of"])

    def _named(self, reference: str) -> Shape:
        return Shape(self._shapes.get(reference, {"kind": reference}), self._shapes)


def answer_of(resource: str) -> Shape | None:
    """The shape of a task's result; None where it is free, or not known."""
    found = integration(resource)
    if found is None or found[1].endswith(_TOKEN):
        return None
    service, action = found
    call = action.partition(".")[0]
    operation: str | None = call[:1].upper() + call[1:]
    if action.endswith(_SYNC):
        operation = _POLLED.get((service, call))
    own = service.removeprefix(_AWS_SDK) if service.startswith(_AWS_SDK) else _SERVICES.get(service, service)
    model = _model(own)
    if model is None or operation not in model["operations"]:
        return None
    reference = model["operations"][operation]
    return Shape(model["shapes"][reference], model["shapes"], _PARSED.get(f"{service}:{action}", frozenset()))


@cache
def _model(service: str) -> Mapping[str, Any] | None:
    file = files(__package__) / "models" / f"{service}.json"
    if not service.isalnum() or not file.is_file():
        return None
    model: Mapping[str, Any] = json.loads(file.read_text())
    return model
