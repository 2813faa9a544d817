"""Map Runs: the executions of a distributed Map, together (api, section 12)."""

from __future__ import annotations

from detent.core.values import JSON

from .. import arns
from ..call import Call
from ..errors import no_resource
from .found import execution_of


async def list_map_runs(call: Call) -> JSON:
    arn = arns.execution(call.params["executionArn"])
    await call.cursor()
    await execution_of(call, arn)
    return await call.page("mapRuns", [], None)


async def describe_map_run(call: Call) -> JSON:
    raise no_resource(arns.read(call.params["mapRunArn"], "mapRun").text)


async def update_map_run(call: Call) -> JSON:
    raise no_resource(arns.read(call.params["mapRunArn"], "mapRun").text)
