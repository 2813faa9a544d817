"""Aliases: names that lead to one version, or share executions out between two (api, section 6)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from detent.core.values import JSON
from detent.runtime.catalogue_changes import ALIASES_MAX
from detent.runtime.catalogue_entries import Alias, Route
from detent.runtime.catalogue_errors import AliasExists, MachineDeleting
from detent.runtime.errors import TooMany
from detent.store.base import NotFound

from .. import arns
from ..call import Call, seconds
from ..errors import ServiceError, machine_deleting, no_machine, validation
from ..pages import size


async def create_state_machine_alias(call: Call) -> JSON:
    params = call.params
    targets, routes = _routes(params["routingConfiguration"])
    machine = targets[0].machine
    try:
        entry = await call.catalogue.create_alias(
            machine, params["name"], params.get("description", ""), routes
        )
    except NotFound:
        raise no_such_thing() from None
    except MachineDeleting:
        raise machine_deleting(machine) from None
    except AliasExists:
        raise ServiceError(
            "ConflictException",
            "Failed to create alias because an alias with the same name and a different routing configuration "
            "already exists.",
        ) from None
    except TooMany:
        raise ServiceError(
            "ServiceQuotaExceededException",
            f"A state machine may have {ALIASES_MAX} aliases; delete some first.",
        ) from None
    alias = entry.alias(params["name"])
    assert alias is not None
    return {"stateMachineAliasArn": f"{machine}:{alias.name}", "creationDate": seconds(alias.created_at)}


def _routes(given: Sequence[Mapping[str, Any]]) -> tuple[list[arns.Arn], list[Route]]:
    """The versions that a routing configuration names, and the routes to them. Raises ServiceError."""
    targets = [arns.machine(item["stateMachineVersionArn"]) for item in given]
    received = _list(target.text for target in targets)
    if any(target.version is None for target in targets) or len({target.machine for target in targets}) > 1:
        raise _invalid(f"Routing configuration must contain state machine version ARNs. Received: {received}")
    if len({target.text for target in targets}) < len(targets):
        raise _invalid(
            f"Routing configuration must contain distinct state machine version ARNs. Received: {received}"
        )
    weights = [item["weight"] for item in given]
    if sum(weights) != 100:
        raise _invalid(f"Sum of routing configuration weights must equal 100. Received: {_list(weights)}")
    return targets, [
        Route(target.version or 0, weight) for target, weight in zip(targets, weights, strict=True)
    ]


def _invalid(message: str) -> ServiceError:
    return validation(message, "INVALID_ROUTING_CONFIGURATION")


def _list(items: Iterable[Any]) -> str:
    return f"[{', '.join(map(str, items))}]"


def _alias_arn(text: str) -> arns.Arn:
    """The ARN of an alias. Raises ServiceError."""
    arn = arns.machine(text)
    if arn.qualifier is None or arn.version is not None:
        raise validation(f"{text} is not the ARN of an alias of a state machine")
    return arn


def no_such_thing() -> ServiceError:
    return ServiceError("ResourceNotFound", "Request references a resource that does not exist.")


async def update_state_machine_alias(call: Call) -> JSON:
    params = call.params
    arn = _alias_arn(params["stateMachineAliasArn"])
    if "description" not in params and "routingConfiguration" not in params:
        raise validation(
            "Either the description or the routing configuration must be specified",
            "MISSING_REQUIRED_PARAMETER",
        )
    routes = None
    if "routingConfiguration" in params:
        targets, routes = _routes(params["routingConfiguration"])
        if targets[0].machine != arn.machine:
            received = _list(target.text for target in targets)
            raise _invalid(
                f"Routing configuration must contain state machine version ARNs. Received: {received}"
            )
    try:
        entry = await call.catalogue.update_alias(
            arn.machine, arn.qualifier or "", params.get("description"), routes
        )
    except NotFound:
        raise no_such_thing() from None
    except MachineDeleting:
        raise machine_deleting(arn.machine) from None
    alias = entry.alias(arn.qualifier or "")
    assert alias is not None
    return {"updateDate": seconds(alias.updated_at)}


async def describe_state_machine_alias(call: Call) -> JSON:
    arn = _alias_arn(call.params["stateMachineAliasArn"])
    try:
        alias = (await call.catalogue.machine(arn.machine)).alias(arn.qualifier or "")
    except NotFound:
        alias = None
    if alias is None:
        raise no_such_thing()
    shown = {
        "stateMachineAliasArn": arn.text,
        "name": alias.name,
        "routingConfiguration": [
            {"stateMachineVersionArn": f"{arn.machine}:{route.version}", "weight": route.weight}
            for route in alias.routes
        ],
        "creationDate": seconds(alias.created_at),
        "updateDate": seconds(alias.updated_at),
    }
    return {**shown, "description": alias.description} if alias.description else shown


async def delete_state_machine_alias(call: Call) -> JSON:
    arn = _alias_arn(call.params["stateMachineAliasArn"])
    with suppress(NotFound, MachineDeleting):
        await call.catalogue.delete_alias(arn.machine, arn.qualifier or "")
    return {}


async def list_state_machine_aliases(call: Call) -> JSON:
    arn = arns.machine(call.params["stateMachineArn"])
    after = await call.cursor() or 0
    try:
        entry = await call.catalogue.machine(arn.machine)
    except NotFound:
        raise no_machine(arn.text) from None
    if arn.qualifier is not None and (arn.version is None or entry.version(arn.version) is None):
        raise no_such_thing()
    found: Sequence[Alias] = entry.aliases if arn.version is None else entry.aliases_of(arn.version)
    page = found[after : after + size(call.params)]
    items = [
        {
            "stateMachineAliasArn": f"{arn.machine}:{alias.name}",
            "creationDate": seconds(alias.created_at),
        }
        for alias in page
    ]
    end = after + len(page)
    return await call.page("stateMachineAliases", items, end if end < len(found) else None)
