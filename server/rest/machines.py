"""State machines: create, find, change, copy, delete."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Literal
from urllib.parse import quote

import msgspec
from msgspec import Meta

from detent.core.values import decode
from detent.runtime.catalogue_entries import Draft, MachineEntry

from ..definitions import Definition
from ..refusals import Refused
from .definitions import DefinitionIn, Finding, sound
from .operation import Call, Nothing, Reply, Shape, operation
from .shapes import (
    MACHINES,
    Instant,
    Json,
    Name,
    Page,
    SearchAttributes,
    cursor_of,
    instant,
    machine_of,
    machines_of,
    place_of,
    revision_of,
)

Tags = dict[Annotated[str, Meta(max_length=128)], Annotated[str, Meta(max_length=256)]]
_ETAG = {"ETag": "Stands for the definition: for `If-Match` when it is replaced."}
_CREATED = {**_ETAG, "Location": "Where the machine is found."}
_IF_MATCH = {"If-Match": "The ETag of the definition that is to be replaced; another one there is a 412."}


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


@operation(
    "POST",
    "/v1/machines",
    tag=MACHINES,
    status=201,
    also={200: "It is there already, with this definition"},
    gives=_CREATED,
    keyed=True,
)
async def create_machine(call: Call, body: CreateMachine) -> Reply[Machine]:
    """Create a state machine

    A definition that cannot be run is answered 400 with everything that was found in it.
    """
    names = call.service.names(body.name)
    found = await sound(call, body.definition, body.type)
    draft = Draft(found.text, found.digest, names.role_arn)
    entry, is_new = await call.engine.catalogue.ensure_machine(
        names.machine_arn, body.type, draft, tags=body.tags, search=body.search_attributes
    )
    return await _created(call, entry, 201 if is_new else 200, found)


@operation("GET", "/v1/machines", tag=MACHINES)
async def list_machines(call: Call, query: Page) -> MachineList:
    """List state machines, the oldest first"""
    after = int(place_of(query.cursor) or 0)
    page = await call.engine.catalogue.machines(machines_of(call), after=after, limit=query.limit)
    return MachineList(machines=[_summary(entry) for entry in page.entries], next=cursor_of(page.after))


@operation("GET", "/v1/machines/{machine}", tag=MACHINES, gives=_ETAG)
async def get_machine(call: Call) -> Reply[Machine]:
    """Look at a state machine

    Its ETag stands for the definition.
    """
    return await _answer(call, await machine_of(call))


@operation(
    "PUT",
    "/v1/machines/{machine}",
    tag=MACHINES,
    headers=_IF_MATCH,
    gives=_ETAG,
    keyed=True,
    also={412: "It has another definition by now"},
)
async def update_machine(call: Call, body: UpdateMachine) -> Reply[Machine]:
    """Give a state machine another definition, or other search attributes

    Executions that run keep theirs.
    """
    known = await machine_of(call)
    found = None if body.definition is msgspec.UNSET else await sound(call, body.definition, known.type)
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


@operation("DELETE", "/v1/machines/{machine}", tag=MACHINES, status=202, keyed=True)
async def delete_machine(call: Call) -> Reply[Nothing]:
    """Delete a state machine: its executions are ended and forgotten, then it is gone"""
    known = await machine_of(call)
    await call.engine.catalogue.delete_machine(known.arn)
    await call.engine.removal.finish(known.arn)
    return Reply(Nothing())


@operation("POST", "/v1/machines/{machine}/clone", tag=MACHINES, status=201, gives=_CREATED, keyed=True)
async def clone_machine(call: Call, body: CloneMachine) -> Reply[Machine]:
    """Create a machine with the definition of another one"""
    known = await machine_of(call)
    names = call.service.names(body.name)
    draft = replace((await revision_of(call, known)).draft, role=names.role_arn)
    entry = await call.engine.catalogue.create_machine(
        names.machine_arn, known.type, draft, tags=known.tags, search=known.search
    )
    return await _created(call, entry, 201)


async def _answer(
    call: Call, entry: MachineEntry, status: int | None = None, found: Definition | None = None
) -> Reply[Machine]:
    revision = await revision_of(call, entry)
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
        findings=[Finding(**each) for each in (found.findings if found is not None else ())],
    )
    return Reply(machine, status, {"ETag": _etag(draft)})


async def _created(
    call: Call, entry: MachineEntry, status: int, found: Definition | None = None
) -> Reply[Machine]:
    reply = await _answer(call, entry, status, found)
    return replace(reply, headers={**reply.headers, "Location": f"/v1/machines/{quote(entry.name)}"})


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


def _etag(draft: Draft) -> str:
    return f'"{draft.digest}"'


def _tags(header: str) -> list[str]:
    return [each.strip() for each in header.split(",")]


OPERATIONS = (create_machine, list_machines, get_machine, update_machine, delete_machine, clone_machine)
