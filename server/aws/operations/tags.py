"""Tags of state machines and activities (api, section 13)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from detent.core.values import JSON
from detent.runtime.catalogue_changes import drop_tags, merge_tags
from detent.runtime.catalogue_errors import MachineDeleting
from detent.runtime.errors import TooMany
from detent.store.base import NotFound

from .. import arns, configuration
from ..call import Call
from ..errors import machine_deleting, no_resource

Change = Callable[[Mapping[str, str]], Mapping[str, str]]


async def tag_resource(call: Call) -> JSON:
    new = configuration.tags(call.params["tags"])
    await _change(call, lambda tags: merge_tags(tags, new))
    return {}


async def untag_resource(call: Call) -> JSON:
    await _change(call, lambda tags: drop_tags(tags, call.params["tagKeys"]))
    return {}


async def list_tags_for_resource(call: Call) -> JSON:
    arn = _resource(call)
    try:
        if arn.kind == "activity":
            tags = (await call.catalogue.activity(arn.text)).tags
        else:
            tags = (await call.catalogue.machine(arn.text)).tags
    except NotFound:
        raise no_resource(arn.text) from None
    return {"tags": configuration.shown_tags(tags)}


def _resource(call: Call) -> arns.Arn:
    """What can have tags. Raises ServiceError: versions and aliases cannot."""
    arn = arns.read(call.params["resourceArn"], "stateMachine", "activity")
    if arn.qualifier is not None:
        raise no_resource(arn.text)
    return arn


async def _change(call: Call, change: Change) -> None:
    arn = _resource(call)
    try:
        if arn.kind == "activity":
            await call.catalogue.tag_activity(arn.text, change)
        else:
            await call.catalogue.tag_machine(arn.text, change)
    except NotFound:
        raise no_resource(arn.text) from None
    except MachineDeleting:
        raise machine_deleting(arn.text) from None
    except TooMany:
        raise configuration.too_many_tags(arn.text) from None
