"""State machines: create, change, publish, deploy, try out, draw."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Annotated, Literal

import msgspec
from aiohttp import web
from msgspec import Meta

from detent.core.values import JSON, decode, encode
from detent.runtime.catalogue_entries import Draft, MachineEntry, Revision, Route, Type, Version
from detent.runtime.trials import run_trial
from detent.schema.graph import Chart, chart
from detent.schema.graph.dot import to_dot
from detent.schema.graph.mermaid import to_mermaid
from detent.schema.graph.svg import to_svg
from detent.store.base import NotFound
from detent.teststate import Refused as TrialRefused

from ..definitions import Definition, described, judged
from ..refusals import Refused
from . import words
from .operation import Call, Nothing, Reply, Shape, operation
from .shapes import (
    Instant,
    Json,
    Name,
    Page,
    SearchAttributes,
    cursor_of,
    instant,
    machines_of,
    names_of,
    place_of,
)

TAG = "machines"
#: The alias that a deployment moves unless another is named.
LIVE = "live"

Tags = dict[Annotated[str, Meta(max_length=128)], Annotated[str, Meta(max_length=256)]]
DefinitionIn = Annotated[Json, Meta(description="A definition: an object, or a text in JSON or YAML.")]
_IF_MATCH = {"If-Match": "The ETag of the definition that is to be replaced; another one there is a 412."}


class Finding(Shape):
    """What was found in a definition."""

    code: str
    severity: Literal["error", "warning", "info"]
    message: str
    pointer: Annotated[str, Meta(description="The place as a JSON pointer.")]
    line: int | None
    column: int | None
    hint: str | None


class MachineSummary(Shape):
    """A state machine, without its definition."""

    name: str
    arn: str
    type: Literal["STANDARD", "EXPRESS"]
    status: Literal["ACTIVE", "DELETING"]
    created_at: Instant
    revision: str


class Machine(MachineSummary):
    """A state machine with its current definition."""

    definition: Json
    digest: Annotated[str, Meta(description="The digest of the definition.")]
    updated_at: Instant
    tags: dict[str, str]
    search_attributes: Annotated[
        dict[str, str],
        Meta(description="Names by which executions are found, with the paths to their values."),
    ]
    aliases: dict[str, dict[str, int]]
    findings: Annotated[list[Finding], Meta(description="Warnings about the definition.")]


class MachineList(Shape):
    """A page of machines, the oldest first."""

    machines: list[MachineSummary]
    next: str | None


class CreateMachine(Shape):
    """A new machine."""

    name: Name
    definition: DefinitionIn
    type: Literal["STANDARD", "EXPRESS"] = "STANDARD"
    tags: Annotated[Tags, Meta(max_length=50)] = msgspec.field(default_factory=dict)
    search_attributes: SearchAttributes | None = None


class UpdateMachine(Shape):
    """Another definition, other search attributes, or both; what is left out stays."""

    definition: DefinitionIn = msgspec.field(default=msgspec.UNSET)
    search_attributes: SearchAttributes | None = None


class CloneMachine(Shape):
    """What the copy is called."""

    name: Name


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


class Try(Shape):
    """One state to try, with what stands for the world.

    The members are those of the service's TestState, with JSON values in place of texts of JSON.
    """

    state: (
        Annotated[str, Meta(max_length=80, description="The state; the first one if none is named.")] | None
    ) = None
    definition: Annotated[Json, Meta(description="Try this definition instead.")] = None
    input: Json = msgspec.field(default_factory=dict)
    mock: Annotated[
        Json,
        Meta(description='What the task answers: `{"result": ...}` or `{"error": "E", "cause": "why"}`.'),
    ] = None
    variables: Annotated[dict[str, Json] | None, Meta(description="The variables that are assigned.")] = None
    context: Annotated[dict[str, Json] | None, Meta(description="The context object.")] = None
    inspection_level: Literal["INFO", "DEBUG", "TRACE"] = "INFO"


class Tried(Shape):
    """How it went."""

    status: Literal["SUCCEEDED", "FAILED", "RETRIABLE", "CAUGHT_ERROR"]
    output: Json = None
    error: str | None = None
    cause: str | None = None
    next_state: str | None = None
    inspection: Annotated[Json, Meta(description="What went in and out of each field.")] = None


class Validate(Shape):
    """A definition to judge."""

    definition: DefinitionIn
    type: Literal["STANDARD", "EXPRESS"] = "STANDARD"


class Judgement(Shape):
    """Whether a definition can be run, and what was found."""

    valid: bool
    findings: list[Finding]


class Picture(Shape):
    """How to draw."""

    format: Literal["svg", "mermaid", "dot"] = "svg"


@operation(
    "POST",
    "/v1/machines",
    tag=TAG,
    status=201,
    also={200: "It is there already, with this definition"},
    keyed=True,
)
async def create_machine(call: Call, body: CreateMachine) -> Reply[Machine]:
    """Create a state machine

    A definition that cannot be run is answered 400 with everything that was found in it.
    """
    names = call.service.names(body.name)
    found = await _sound(call, body.definition, body.type)
    draft = Draft(found.text, found.digest, names.role_arn)
    before = call.now
    entry = await call.engine.catalogue.create_machine(
        names.machine_arn, body.type, draft, tags=body.tags, search=body.search_attributes
    )
    return await _answer(call, entry, 201 if entry.created_at >= before else 200, found)


@operation("GET", "/v1/machines", tag=TAG)
async def list_machines(call: Call, query: Page) -> MachineList:
    """List state machines, the oldest first"""
    after = int(place_of(query.cursor) or 0)
    page = await call.engine.catalogue.machines(machines_of(call), after=after, limit=query.limit)
    return MachineList(machines=[_summary(entry) for entry in page.entries], next=cursor_of(page.after))


@operation("POST", "/v1/machines/validate", tag=TAG)
async def validate_definition(call: Call, body: Validate) -> Judgement:
    """Judge a definition without keeping it"""
    try:
        definition = await _sound(call, body.definition, body.type)
        found = [described(each) for each in definition.findings]
        valid = True
    except Refused as refused:
        found, valid = refused.more["diagnostics"], False
    return Judgement(valid=valid, findings=[Finding(**each) for each in found])


@operation("GET", "/v1/machines/{machine}", tag=TAG)
async def get_machine(call: Call) -> Reply[Machine]:
    """Look at a state machine

    Its ETag stands for the definition.
    """
    return await _answer(call, await _entry(call))


@operation(
    "PUT",
    "/v1/machines/{machine}",
    tag=TAG,
    headers=_IF_MATCH,
    keyed=True,
    also={412: "It has another definition by now"},
)
async def update_machine(call: Call, body: UpdateMachine) -> Reply[Machine]:
    """Give a state machine another definition, or other search attributes

    Executions that run keep theirs.
    """
    known = await _entry(call)
    found = None if body.definition is msgspec.UNSET else await _sound(call, body.definition, known.type)
    if found is None and body.search_attributes is None:
        raise Refused(400, "invalid-body", "nothing is changed: give a definition, searchAttributes, or both")
    wanted = call.header("If-Match")

    def change(draft: Draft) -> Draft:
        if found is not None and draft.digest == found.digest:
            return replace(draft, definition=found.text)  # it was replaced already, and the answer lost
        if wanted is not None and wanted != "*" and _etag(draft) not in _tags(wanted):
            raise Refused(412, "definition-changed", "the machine has another definition by now: look again")
        return draft if found is None else replace(draft, definition=found.text, digest=found.digest)

    entry, _ = await call.engine.catalogue.update_machine(known.arn, change, search=body.search_attributes)
    return await _answer(call, entry, 200, found)


@operation("DELETE", "/v1/machines/{machine}", tag=TAG, status=202, keyed=True)
async def delete_machine(call: Call) -> Reply[Nothing]:
    """Delete a state machine: its executions are ended and forgotten, then it is gone"""
    known = await _entry(call)
    await call.engine.catalogue.delete_machine(known.arn)
    await call.engine.removal.finish(known.arn)
    return Reply(Nothing())


@operation("POST", "/v1/machines/{machine}/clone", tag=TAG, status=201, keyed=True)
async def clone_machine(call: Call, body: CloneMachine) -> Reply[Machine]:
    """Create a machine with the definition of another one"""
    known = await _entry(call)
    names = call.service.names(body.name)
    draft = replace((await _revision(call, known)).draft, role=names.role_arn)
    entry = await call.engine.catalogue.create_machine(
        names.machine_arn, known.type, draft, tags=known.tags, search=known.search
    )
    return await _answer(call, entry, 201)


@operation("GET", "/v1/machines/{machine}/versions", tag=TAG)
async def list_versions(call: Call) -> VersionList:
    """List the versions of a machine, the newest first"""
    entry = await _entry(call)
    return VersionList(versions=[_version(entry, version) for version in reversed(entry.versions)])


@operation("POST", "/v1/machines/{machine}/versions", tag=TAG, status=201, keyed=True, body_optional=True)
async def publish_version(call: Call, body: PublishVersion) -> MachineVersion:
    """Publish the current definition as a version

    The same definition again is the same version.
    """
    arn = (await _entry(call)).arn
    version = await call.engine.catalogue.publish_version(arn, description=body.description)
    return _version(await call.engine.catalogue.machine(arn), version)


@operation("POST", "/v1/machines/{machine}/deploy", tag=TAG, keyed=True)
async def deploy_version(call: Call, body: Deploy) -> Deployment:
    """Let an alias lead to a version, at once or for a share of the executions"""
    entry = await _entry(call)
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


@operation("DELETE", "/v1/machines/{machine}/versions/{version}", tag=TAG, status=204, keyed=True)
async def delete_version(call: Call) -> None:
    """Forget a version that no alias leads to"""
    entry = await _entry(call)
    await call.engine.catalogue.delete_version(entry.arn, _number(call))


@operation(
    "POST",
    "/v1/machines/{machine}/versions/{version}/deprecate",
    tag=TAG,
    keyed=True,
    body_optional=True,
)
async def deprecate_version(call: Call, body: Deprecate) -> MachineVersion:
    """Have a version start nothing any more, or take that back

    Executions that run go on with it. One that an alias leads to cannot be deprecated.
    """
    number = _number(call)
    entry = await call.engine.catalogue.deprecate_version(
        (await _entry(call)).arn, number, deprecated=body.deprecated
    )
    version = entry.version(number)
    assert version is not None
    return _version(entry, version)


@operation("POST", "/v1/machines/{machine}/test", tag=TAG, body_optional=True)
async def try_state(call: Call, body: Try) -> Tried:
    """Try one state, with mocks in place of the world

    A Task without a mock is done by its handler.
    """
    entry = await _entry(call)
    text = (await _revision(call, entry)).draft.definition if body.definition is None else None
    if text is None:
        definition = (await _sound(call, body.definition, entry.type)).value
    else:
        definition = decode(text.encode())
    state = body.state or definition["StartAt"]
    request: dict[str, JSON] = {
        "definition": encode(definition).decode(),
        "stateName": state,
        "input": encode(body.input).decode(),
        "inspectionLevel": body.inspection_level,
    }
    if body.mock is not None:
        request["mock"] = _mock(body.mock)
    else:  # the service wants one where it is to do the task
        request["roleArn"] = call.service.names(entry.name).role_arn
    for name, value in (("variables", body.variables), ("context", body.context)):
        if value is not None:
            request[name] = encode(value).decode()
    place = entry.arn.partition(":stateMachine:")[0]
    try:
        answer = await run_trial(request, call.service.handlers.handler, place=place)
    except TrialRefused as refused:
        raise Refused(400, "cannot-be-tried", refused.message) from None
    output = answer.get("output")
    return Tried(
        status=answer["status"],
        output=None if output is None else decode(output.encode()),
        error=answer.get("error"),
        cause=answer.get("cause"),
        next_state=answer.get("nextState"),
        inspection=answer.get("inspectionData"),
    )


def _mock(given: JSON) -> JSON:
    """A mock as TestState has it. Raises Refused."""
    match given:
        case {"result": result, **rest} if not rest:
            return {"result": encode(result).decode()}
        case {"error": str(error), **rest} if rest.keys() <= {"cause"} and isinstance(
            rest.get("cause", ""), str
        ):
            return {"errorOutput": {"error": error, **rest}}
    raise Refused(400, "invalid-body", 'a mock is {"result": ...} or {"error": "...", "cause": "..."}')


@operation(
    "GET",
    "/v1/machines/{machine}/graph",
    tag=TAG,
    media=("image/svg+xml", "text/vnd.mermaid", "text/vnd.graphviz"),
)
async def get_graph(call: Call, query: Picture) -> None:
    """The picture of a definition"""
    entry = await _entry(call)
    text = (await _revision(call, entry)).draft.definition
    media, draw = _PICTURES[query.format]
    drawn = await call.service.desk.do(len(text), lambda: draw(chart(decode(text.encode())), entry.name))
    return _text(drawn, media)  # type: ignore[return-value]  # as it is


_PICTURES: Mapping[str, tuple[str, Callable[[Chart, str], str]]] = {
    "svg": ("image/svg+xml", to_svg),
    "mermaid": ("text/vnd.mermaid", lambda drawing, name: to_mermaid(drawing)),
    "dot": ("text/vnd.graphviz", lambda drawing, name: to_dot(drawing)),
}


def _text(text: str, media: str) -> web.Response:
    headers = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}
    return web.Response(text=text, content_type=media, headers=headers)


async def _sound(call: Call, given: JSON, type: Type) -> Definition:
    size = len(await call.exchange.body())
    return await judged(call.service.desk, size, given, type)


async def _entry(call: Call) -> MachineEntry:
    return await call.engine.catalogue.machine(names_of(call, call.params["machine"]).machine_arn)


async def _revision(call: Call, entry: MachineEntry) -> Revision:
    return await call.engine.catalogue.revision(entry, entry.revision)


def _number(call: Call) -> int:
    text = call.params["version"]
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise NotFound(f"there is no version {text[:40]!r}")
    return int(text)


async def _answer(
    call: Call, entry: MachineEntry, status: int | None = None, found: Definition | None = None
) -> Reply[Machine]:
    revision = await _revision(call, entry)
    draft = revision.draft
    machine = Machine(
        **_common(entry),
        definition=decode(draft.definition.encode("utf-8", "surrogatepass")),
        digest=draft.digest,
        updated_at=instant(revision.updated_at),
        tags=dict(entry.tags),
        search_attributes=dict(entry.search),
        aliases={
            alias.name: {str(route.version): route.weight for route in alias.routes}
            for alias in entry.aliases
        },
        findings=[Finding(**described(each)) for each in (found.findings if found is not None else ())],
    )
    headers = {"ETag": _etag(draft)}
    if status == 201:
        headers["Location"] = f"/v1/machines/{entry.name}"
    return Reply(machine, status, headers)


def _summary(entry: MachineEntry) -> MachineSummary:
    return MachineSummary(**_common(entry))


def _common(entry: MachineEntry) -> dict[str, Json]:
    return {
        "name": entry.name,
        "arn": entry.arn,
        "type": entry.type,
        "status": entry.status,
        "created_at": instant(entry.created_at),
        "revision": entry.revision,
    }


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


def _etag(draft: Draft) -> str:
    return f'"{draft.digest}"'


def _tags(header: str) -> list[str]:
    return [each.strip() for each in header.split(",")]


OPERATIONS = (
    create_machine,
    list_machines,
    validate_definition,
    get_machine,
    update_machine,
    delete_machine,
    clone_machine,
    list_versions,
    publish_version,
    delete_version,
    deprecate_version,
    deploy_version,
    try_state,
    get_graph,
)
