"""A database service: a stand-in that needs one look per hundred gigabytes."""

import asyncio
import os
from typing import Any

import detent

Document = dict[str, Any]

#: How long the work takes compared to a real demo; 0 for none.
PACE = float(os.environ.get("DEMO_PACE", "1"))


@detent.task("start-restore")
async def start_restore(order: Document) -> Document:
    await asyncio.sleep(0.3 * PACE)
    # The first wait is short, so that the demo is: a real one begins with a minute.
    return {"restore": order["name"], "first_pause": 0}


@detent.task("look-at-restore")
async def look(request: Document, context: detent.TaskContext) -> Document:
    await asyncio.sleep(0.2 * PACE)
    if request["look"] == 1 and context.attempt == 1:
        raise detent.TaskError("Throttled", "rate exceeded")
    if request["look"] * 100 < request["size_gb"]:
        return {"status": "creating"}
    return {"status": "available", "address": f"{request['restore']}.db.example:5432"}


@detent.task("remove-restore")
async def remove(request: Document) -> None:
    await asyncio.sleep(0.2 * PACE)
