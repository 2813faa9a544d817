"""One state of a machine tried by itself, with mocks in place of the world."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from detent.core.values import JSON, decode, encode
from detent.runtime.trials import run_trial
from detent.teststate import Refused as TrialRefused

from ..refusals import Refused
from .definitions import sound
from .operation import Call, Shape, operation
from .shapes import MACHINES, Json, machine_of, revision_of


class Try(Shape):
    """One state to try, with what stands for the world.

    The members are those of the service's TestState, with JSON values in place of texts of JSON.
    """

    state: (
        Annotated[str, Meta(max_length=80, description="The state; the first one if none is named.")] | None
    ) = None
    definition: Annotated[Json, Meta(description="Try this definition instead.")] = None
    input: Json = msgspec.field(default_factory=dict)
    mock: Annotated[
        Json,
        Meta(description='What the task answers: `{"result": ...}` or `{"error": "E", "cause": "why"}`.'),
    ] = None
    variables: Annotated[dict[str, Json] | None, Meta(description="The variables that are assigned.")] = None
    context: Annotated[dict[str, Json] | None, Meta(description="The context object.")] = None
    inspection_level: Literal["INFO", "DEBUG", "TRACE"] = "INFO"


class Tried(Shape):
    """How it went."""

    status: Literal["SUCCEEDED", "FAILED", "RETRIABLE", "CAUGHT_ERROR"]
    output: Json = None
    error: str | None = None
    cause: str | None = None
    next_state: str | None = None
    inspection: Annotated[Json, Meta(description="What went in and out of each field.")] = None


@operation("POST", "/v1/machines/{machine}/test", tag=MACHINES, body_optional=True)
async def try_state(call: Call, body: Try) -> Tried:
    """Try one state, with mocks in place of the world

    A Task without a mock is done by its handler.
    """
    entry = await machine_of(call)
    text = (await revision_of(call, entry)).draft.definition if body.definition is None else None
    if text is None:
        text = (await sound(call, body.definition, entry.type)).text
    definition = decode(text.encode("utf-8", "surrogatepass"))
    state = body.state or definition["StartAt"]
    request: dict[str, JSON] = {
        "definition": encode(definition).decode(),
        "stateName": state,
        "input": encode(body.input).decode(),
        "inspectionLevel": body.inspection_level,
    }
    if body.mock is not None:
        request["mock"] = _mock(body.mock)
    else:  # the service wants one where it is to do the task
        request["roleArn"] = call.service.names(entry.name).role_arn
    for name, value in (("variables", body.variables), ("context", body.context)):
        if value is not None:
            request[name] = encode(value).decode()
    place = entry.arn.partition(":stateMachine:")[0]
    try:
        answer = await run_trial(
            request, call.service.handlers.handler, place=place, helpers=call.service.desk.helpers
        )
    except TrialRefused as refused:
        raise Refused(400, "cannot-be-tried", refused.message) from None
    output = answer.get("output")
    return Tried(
        status=answer["status"],
        output=None if output is None else decode(output.encode()),
        error=answer.get("error"),
        cause=answer.get("cause"),
        next_state=answer.get("nextState"),
        inspection=answer.get("inspectionData"),
    )


def _mock(given: JSON) -> JSON:
    """A mock as TestState has it. Raises Refused."""
    match given:
        case {"result": result, **rest} if not rest:
            return {"result": encode(result).decode()}
        case {"error": str(error), **rest} if rest.keys() <= {"cause"} and isinstance(
            rest.get("cause", ""), str
        ):
            return {"errorOutput": {"error": error, **rest}}
    raise Refused(400, "invalid-body", 'a mock is {"result": ...} or {"error": "...", "cause": "..."}')


OPERATIONS = (try_state,)
