"""A calendar and a text message gateway: stand-ins in which a day lasts a second."""

import asyncio
import os
from datetime import UTC, datetime, timedelta
from typing import Any

import detent

Document = dict[str, Any]

#: How long the work takes compared to a real demo; 0 for none.
PACE = float(os.environ.get("DEMO_PACE", "1"))
DAY = timedelta(seconds=PACE)


@detent.task("plan-reminders")
def plan_reminders(document: Document) -> Document:
    appointment = datetime.now(UTC) + document["in_days"] * DAY
    first = appointment - document["first_days_before"] * DAY
    return {"first": instant(first), "second": instant(appointment - DAY / 4)}


@detent.task("remind")
async def remind(message: Document, context: detent.TaskContext) -> str:
    """Answers what the patient replies."""
    await asyncio.sleep(0.3 * PACE)
    if context.attempt == 1:
        raise detent.TaskError("GatewayBusy", "too many messages")
    reply: str = message["patient"]["replies"]
    return reply


@detent.task("free-the-time")
async def free_the_time(document: Document) -> None:
    await asyncio.sleep(0.2 * PACE)


def instant(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
