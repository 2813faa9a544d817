"""Versions of state machines, and the aliases that lead to them."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from detent.runtime.catalogue_entries import MachineEntry, Route, Version
from detent.store.base import NotFound

from ..refusals import Refused
from . import words
from .operation import Call, Shape, operation
from .shapes import MACHINES, Instant, instant, machine_of

#: The alias that a deployment moves unless another is named.
LIVE = "live"


class MachineVersion(Shape):
    """A definition that was published to stay."""

    version: int
    arn: str
    revision: str
    description: str
    created_at: Instant
    aliases: Annotated[list[str], Meta(description="The aliases that lead to it.")]
    deprecated_at: Annotated[Instant | None, Meta(description="Since when it starts nothing any more.")]


class VersionList(Shape):
    """All versions, the newest first."""

    versions: list[MachineVersion]


class PublishVersion(Shape):
    """What is said of the version."""

    description: Annotated[str, Meta(max_length=256)] = ""


class Deprecate(Shape):
    """Whether the version is deprecated from now on."""

    deprecated: bool = True


class Deploy(Shape):
    """Which version an alias leads to from now on."""

    version: Annotated[int, Meta(ge=1, le=10**9)]
    alias: Annotated[str, Meta(pattern=words.ALIAS)] = LIVE
    percent: Annotated[
        int, Meta(ge=1, le=100, description="Its share of the executions; the version before keeps the rest.")
    ] = 100


class Deployment(Shape):
    """Where an alias leads."""

    alias: str
    arn: str
    versions: Annotated[dict[str, int], Meta(description="Versions with their shares, in per cent.")]


@operation("GET", "/v1/machines/{machine}/versions", tag=MACHINES)
async def list_versions(call: Call) -> VersionList:
    """List the versions of a machine, the newest first"""
    entry = await machine_of(call)
    return VersionList(versions=[_version(entry, version) for version in reversed(entry.versions)])


@operation(
    "POST", "/v1/machines/{machine}/versions", tag=MACHINES, status=201, keyed=True, body_optional=True
)
async def publish_version(call: Call, body: PublishVersion) -> MachineVersion:
    """Publish the current definition as a version

    The same definition again is the same version.
    """
    arn = (await machine_of(call)).arn
    version = await call.engine.catalogue.publish_version(arn, description=body.description)
    return _version(await call.engine.catalogue.machine(arn), version)


@operation("DELETE", "/v1/machines/{machine}/versions/{version}", tag=MACHINES, status=204, keyed=True)
async def delete_version(call: Call) -> None:
    """Forget a version that no alias leads to"""
    entry = await machine_of(call)
    await call.engine.catalogue.delete_version(entry.arn, _number(call))


@operation(
    "POST",
    "/v1/machines/{machine}/versions/{version}/deprecate",
    tag=MACHINES,
    keyed=True,
    body_optional=True,
)
async def deprecate_version(call: Call, body: Deprecate) -> MachineVersion:
    """Have a version start nothing any more, or take that back

    Executions that run go on with it. One that an alias leads to cannot be deprecated.
    """
    number = _number(call)
    entry = await call.engine.catalogue.deprecate_version(
        (await machine_of(call)).arn, number, deprecated=body.deprecated
    )
    version = entry.version(number)
    assert version is not None
    return _version(entry, version)


@operation("POST", "/v1/machines/{machine}/deploy", tag=MACHINES, keyed=True)
async def deploy_version(call: Call, body: Deploy) -> Deployment:
    """Let an alias lead to a version, at once or for a share of the executions"""
    entry = await machine_of(call)
    if entry.version(body.version) is None:
        raise Refused(404, "not-found", f"there is no version {body.version} of {entry.name}")
    alias = entry.alias(body.alias)
    routes = _routes(entry, body)
    if alias is None:
        entry = await call.engine.catalogue.create_alias(entry.arn, body.alias, "", routes)
    elif list(alias.routes) != routes:
        entry = await call.engine.catalogue.update_alias(entry.arn, body.alias, None, routes)
    return Deployment(
        alias=body.alias,
        arn=f"{entry.arn}:{body.alias}",
        versions={str(route.version): route.weight for route in routes},
    )


def _routes(entry: MachineEntry, body: Deploy) -> list[Route]:
    new = Route(body.version, body.percent)
    if body.percent == 100:
        return [new]
    alias = entry.alias(body.alias)
    before = [route for route in alias.routes if route.version != body.version] if alias is not None else []
    if not before:
        raise Refused(409, "nothing-to-share", "the alias leads to no other version: deploy all of it")
    most = max(before, key=lambda route: route.weight)
    return [new, Route(most.version, 100 - body.percent)]


def _number(call: Call) -> int:
    text = call.params["version"]
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise NotFound(f"there is no version {text[:40]!r}")
    return int(text)


def _version(entry: MachineEntry, version: Version) -> MachineVersion:
    return MachineVersion(
        version=version.number,
        arn=f"{entry.arn}:{version.number}",
        revision=version.revision,
        description=version.description,
        created_at=instant(version.created_at),
        aliases=[alias.name for alias in entry.aliases_of(version.number)],
        deprecated_at=None if version.deprecated_at is None else instant(version.deprecated_at),
    )


OPERATIONS = (list_versions, publish_version, delete_version, deprecate_version, deploy_version)
