"""Devices that behave by their number: the same one always needs the same number of attempts."""

import asyncio
import os
from typing import Any

import detent

PACE = float(os.environ.get("DEMO_PACE", "1"))


@detent.task("update-device")
async def update_device(request: dict[str, Any], context: detent.TaskContext) -> dict[str, Any]:
    await asyncio.sleep(0.2 * PACE)
    number = request["number"]
    if number % 10 == 7:
        raise detent.TaskError("DeviceLost", f"device {number} has not been heard of for a week")
    if context.attempt <= number % 3:
        raise detent.TaskError("DeviceBusy", f"device {number} is busy")
    return {"number": number, "updated": True, "firmware": request["firmware"]}
