"""A service that is down and people who are paged: stand-ins, by name asleep, busy or awake."""

import asyncio
import os
from typing import Any

import detent

Document = dict[str, Any]

#: How long the work takes compared to a real demo; 0 for none.
PACE = float(os.environ.get("DEMO_PACE", "1"))


@detent.task("restart-service")
async def restart_service(document: Document) -> Document:
    await asyncio.sleep(0.4 * PACE)
    match document["alarm"]["service"]:
        case "web":
            return {"by": "a restart"}
        case "database":
            raise detent.TaskError("DataAtRisk", "the disk is full: a restart could lose data")
        case name:
            raise detent.TaskError("StillDown", f"{name} does not come up")


@detent.task("page")
async def page(call: Document) -> Document:
    person = call["who"]
    if person.get("asleep"):
        await asyncio.sleep(60)
    await asyncio.sleep(0.5 * PACE)
    if person.get("busy"):
        raise detent.TaskError("Declined", f"{person['name']} is at another incident")
    return {"by": person["name"]}
