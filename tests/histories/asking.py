"""The recordings, and the requests among them: to TestState and ValidateStateMachineDefinition.

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

from botocore.exceptions import ParamValidationError  # type: ignore[import-untyped]
from botocore.loaders import Loader  # type: ignore[import-untyped]
from botocore.model import ServiceModel  # type: ignore[import-untyped]
from botocore.validate import ParamValidator  # type: ignore[import-untyped]

from detent.runtime.trials import run_trial
from detent.schema.service import validate_definition
from detent.teststate import Refused

from .comparing import Difference, first_difference, masks_of, plain
from .functions import Functions

DATA = Path(__file__).parent / "data"
PLACE = "arn:aws:states:us-east-1:111111111111"
#: The members of a request that are texts of JSON.
_TEXTS = ("definition", "input", "variables", "context")


def recorded(kind: str, folder: Path = DATA) -> Iterator[dict[str, Any]]:
    """Every recording of a kind that a folder holds."""
    for path in sorted(folder.glob("**/*.json")):
        vectors = json.loads(path.read_text()).get("vectors", [])
        yield from (vector for vector in vectors if vector["kind"] == kind)


def answer(vector: dict[str, Any]) -> dict[str, Any]:
    """What we answer: the response, or the error."""
    request = _written(vector["request"])
    if vector["kind"] == "validate_definition":
        return {"response": validate_definition(request)}
    try:
        _as_a_client(request)
        return {"response": asyncio.run(run_trial(request, Functions(vector).resolve, place=PLACE))}
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


def difference(vector: dict[str, Any]) -> Difference | None:
    """The first place where our answer is not the recorded one: path, recorded, ours."""
    masks = masks_of(vector)
    return first_difference(vector["expected"], plain(answer(vector)), masks)


def _written(request: dict[str, Any]) -> dict[str, Any]:
    written: dict[str, Any] = {
        name: json.dumps(value) if name in _TEXTS and not isinstance(value, str) else value
        for name, value in request.items()
    }
    for name, member in (("mock", "result"), ("stateConfiguration", "mapItemReaderData")):
        inner = written.get(name, {})
        if member in inner and not isinstance(inner[member], str):
            written[name] = {**inner, member: json.dumps(inner[member])}
    return written
