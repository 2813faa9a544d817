"""Versions of state machines (api, section 6)."""

from __future__ import annotations

from contextlib import suppress

from detent.core.values import JSON
from detent.runtime.catalogue_entries import Version
from detent.runtime.catalogue_errors import MachineDeleting, RevisionStale, VersionInUse
from detent.runtime.errors import TooMany
from detent.store.base import NotFound

from .. import arns
from ..call import Call, seconds
from ..errors import ServiceError, machine_deleting, no_machine, validation
from ..pages import size
from .machines import too_many_versions


async def publish_state_machine_version(call: Call) -> JSON:
    params = call.params
    arn = arns.machine(params["stateMachineArn"])
    try:
        version = await call.catalogue.publish_version(
            arn.text, revision=params.get("revisionId"), description=params.get("description", "")
        )
    except NotFound:
        raise no_machine(arn.text) from None
    except MachineDeleting:
        raise machine_deleting(arn.text) from None
    except TooMany:
        raise too_many_versions() from None
    except RevisionStale as stale:
        raise ServiceError(
            "ConflictException",
            f"Failed to publish the State Machine version for revision {stale.wanted}. "
            f"The current State Machine revision is {stale.current}.",
        ) from None
    return {
        "creationDate": seconds(version.created_at),
        "stateMachineVersionArn": f"{arn.text}:{version.number}",
    }


async def delete_state_machine_version(call: Call) -> JSON:
    arn = arns.machine(call.params["stateMachineVersionArn"])
    if arn.version is None:
        raise validation(f"{arn.text} is not the ARN of a version of a state machine")
    with suppress(NotFound, MachineDeleting):
        try:
            await call.catalogue.delete_version(arn.machine, arn.version)
        except VersionInUse as used:
            raise ServiceError(
                "ConflictException",
                "Version to be deleted must not be referenced by an alias. "
                f"Current list of aliases referencing this version: [{', '.join(used.aliases)}]",
            ) from None
    return {}


async def list_state_machine_versions(call: Call) -> JSON:
    arn = arns.machine(call.params["stateMachineArn"])
    before = await call.cursor()
    versions: tuple[Version, ...] = ()
    with suppress(NotFound):  # the operation has no error for it
        versions = (await call.catalogue.machine(arn.text)).versions
    found = [version for version in reversed(versions) if before is None or version.number < before]
    page = found[: size(call.params)]
    items = [
        {
            "stateMachineVersionArn": f"{arn.text}:{version.number}",
            "creationDate": seconds(version.created_at),
        }
        for version in page
    ]
    return await call.page("stateMachineVersions", items, page[-1].number if len(found) > len(page) else None)
