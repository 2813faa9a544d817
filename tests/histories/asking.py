"""Requests that were recorded with the service's answers: TestState and ValidateStateMachineDefinition.

The recordings hold texts that are JSON objects parsed, one level; requests are given back their texts, and answers
are brought to the same form.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from botocore.exceptions import ParamValidationError
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.validate import ParamValidator

from detent.runtime.handlers.registry import Registry
from detent.runtime.trials import run_trial
from detent.schema.service import validate_definition
from detent.teststate import Refused

from .functions import functions_of
from .recordings import DATA, Masks, _plain, first_difference

PLACE = "arn:aws:states:us-east-1:111111111111"
#: The members of a request that are texts of JSON.
_TEXTS = ("definition", "input", "variables", "context")


def asked(kind: str, folder: Path = DATA) -> Iterator[dict[str, Any]]:
    """Every recorded request of a kind."""
    for path in sorted((folder / kind).glob("*.json")):
        yield from json.loads(path.read_text())["vectors"]


def answer(vector: dict[str, Any]) -> dict[str, Any]:
    """What we answer: the response, or the error."""
    request = _written(vector["request"])
    if vector["kind"] == "validate_definition":
        return {"response": validate_definition(request)}
    functions = functions_of(vector)
    try:
        _as_a_client(request)
        return {"response": asyncio.run(_tried(request, functions))}
    except ParamValidationError as error:
        # The client refuses it, and says so in the answer's place.
        return {"response": {"exception_typename": type(error).__name__, "exception_value": str(error)}}
    except Refused as refusal:
        return {"error": {"code": refusal.code, "message": refusal.message}}


def _as_a_client(request: dict[str, Any]) -> None:
    """Check the request as boto3 does before it sends one. Raises ParamValidationError."""
    shape = _model().operation_model("TestState").input_shape
    report = ParamValidator().validate(request, shape)
    if report.has_errors():
        raise ParamValidationError(report=report.generate_report())


@cache
def _model() -> ServiceModel:
    return ServiceModel(Loader().load_service_model("stepfunctions", "service-2"))


async def _tried(request: dict[str, Any], functions: Registry) -> dict[str, Any]:
    try:
        return await run_trial(request, functions.resolve, place=PLACE)
    finally:
        await functions.close()


def difference(vector: dict[str, Any]) -> tuple[str, Any, Any] | None:
    """The first place where our answer is not the recorded one: path, recorded, ours."""
    masks = Masks(list(vector.get("placeholders", {})))
    return first_difference(vector["expected"], _plain(answer(vector)), masks)


def _written(request: dict[str, Any]) -> dict[str, Any]:
    written = {
        name: json.dumps(value) if name in _TEXTS and not isinstance(value, str) else value
        for name, value in request.items()
    }
    for name, member in (("mock", "result"), ("stateConfiguration", "mapItemReaderData")):
        inner = written.get(name, {})
        if member in inner and not isinstance(inner[member], str):
            written[name] = {**inner, member: json.dumps(inner[member])}
    return written
