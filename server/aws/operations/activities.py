"""Activities and the tasks that workers take from them (api, section 10)."""

from __future__ import annotations

import asyncio

from detent.core.values import JSON, encode
from detent.runtime.activities import Offered
from detent.runtime.catalogue_errors import ActivityExists
from detent.store.base import NotFound

from .. import arns, configuration
from ..call import Call, Delivery, seconds
from ..errors import ServiceError, no_activity
from ..pages import size

#: How long a worker is kept waiting for a task, in seconds: the service takes 60, and some clients no longer.
POLL_SECONDS = 55.0
#: How often is looked whether the worker is still there, in seconds.
LOOK_SECONDS = 1.0


async def create_activity(call: Call) -> JSON:
    params = call.params
    arns.check_name(params["name"])
    arn = f"{call.prefix}:activity:{params['name']}"
    encryption = configuration.encryption(params.get("encryptionConfiguration"))
    tags = configuration.tags(params.get("tags", ()))
    try:
        entry = await call.catalogue.create_activity(arn, encryption=encryption, tags=tags)
    except ActivityExists:
        raise ServiceError("ActivityAlreadyExists", f"Activity Already Exists: '{arn}'") from None
    return {"activityArn": arn, "creationDate": seconds(entry.created_at)}


async def describe_activity(call: Call) -> JSON:
    arn = arns.read(call.params["activityArn"], "activity")
    try:
        entry = await call.catalogue.activity(arn.text)
    except NotFound:
        raise no_activity(arn.text) from None
    return {
        "activityArn": arn.text,
        "name": entry.name,
        "creationDate": seconds(entry.created_at),
        "encryptionConfiguration": entry.encryption or configuration.OWNED_KEY,
    }


async def delete_activity(call: Call) -> JSON:
    await call.catalogue.delete_activity(arns.read(call.params["activityArn"], "activity").text)
    return {}


async def list_activities(call: Call) -> JSON:
    after = await call.cursor() or 0
    page = await call.catalogue.activities(f"{call.prefix}:activity", after=after, limit=size(call.params))
    items = [
        {"activityArn": entry.arn, "name": entry.name, "creationDate": seconds(entry.created_at)}
        for entry in page.entries
    ]
    return await call.page("activities", items, page.after)


async def get_activity_task(call: Call) -> JSON | Delivery:
    arn = arns.read(call.params["activityArn"], "activity")
    try:
        await call.catalogue.activity(arn.text)
    except NotFound:
        raise no_activity(arn.text) from None
    offered = await _wait(call, arn.text)
    if offered is None:
        return {}
    activities, worker = call.engine.activities, call.params.get("workerName")
    return Delivery(
        {"taskToken": offered.token, "input": encode(offered.input).decode()},
        written=lambda: activities.begin(offered, worker),
        lost=lambda: activities.put_back(offered),
    )


async def _wait(call: Call, arn: str) -> Offered | None:
    """A task, as soon as there is one; None once the time is over, or nobody waits for the answer any more."""
    until = asyncio.get_running_loop().time() + POLL_SECONDS
    while (left := until - asyncio.get_running_loop().time()) > 0 and call.is_wanted():
        offered = await call.engine.activities.take(arn, min(left, LOOK_SECONDS))
        if offered is not None:
            return offered
    return None
