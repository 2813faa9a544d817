"""Airlines, hotels and a car hire: stand-ins whose prices follow from their names."""

import asyncio
import os
from typing import Any

import detent

#: How long the work takes compared to a real demo; 0 for none.
PACE = float(os.environ.get("DEMO_PACE", "1"))


@detent.task("ask")
async def ask(request: dict[str, Any], context: detent.TaskContext) -> dict[str, Any]:
    who = request["who"]
    await asyncio.sleep(0.15 * len(who) * PACE)
    if "Closed" in who:
        raise detent.TaskError("NoAnswer", f"{who} does not answer")
    if "Busy" in who and context.attempt == 1:
        raise detent.TaskError("Busy", f"{who} asks to try again")
    return {"who": who, "for": request["for"], "price": 20 * len(who) + 9}
