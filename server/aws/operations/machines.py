"""State machines: create, update, describe, delete, list (api, section 5)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from detent.compile import CompileError
from detent.core.values import JSON, decode
from detent.runtime.catalogue_changes import VERSIONS_MAX
from detent.runtime.catalogue_entries import (
    INITIAL,
    Draft,
    MachineEntry,
    Origin,
    Revision,
    Type,
    Version,
)
from detent.runtime.catalogue_errors import MachineDeleting, MachineExists
from detent.runtime.errors import TooMany
from detent.runtime.helpers import Ended
from detent.store.base import NotFound

from ...apart import admit
from .. import arns, configuration
from ..call import Call, seconds
from ..errors import (
    ServiceError,
    machine_deleting,
    no_execution,
    no_machine,
    uncompiled,
    unjudged,
    validation,
)
from ..pages import size
from ..references import variable_references
from .found import execution_of, started_from_outside


async def create_state_machine(call: Call) -> JSON:
    params = call.params
    arns.check_name(params["name"])
    arns.check_role(params["roleArn"])
    publish = _publish(params)
    type: Type = params.get("type", "STANDARD")
    draft = Draft(
        params["definition"],
        await _digest(call, params["definition"], type),
        params["roleArn"],
        configuration.logging(params.get("loggingConfiguration")),
        configuration.tracing(params.get("tracingConfiguration")),
        configuration.encryption(params.get("encryptionConfiguration")),
    )
    arn = f"{call.prefix}:stateMachine:{params['name']}"
    tags = configuration.tags(params.get("tags", ()))
    try:
        entry = await call.catalogue.create_machine(arn, type, draft, tags=tags, publish=publish)
    except MachineExists:
        raise ServiceError("StateMachineAlreadyExists", f"State Machine Already Exists: '{arn}'") from None
    except MachineDeleting:
        raise machine_deleting(arn) from None
    except CompileError as error:
        raise uncompiled(error) from None
    answer: dict[str, JSON] = {"stateMachineArn": arn, "creationDate": seconds(entry.created_at)}
    if publish is not None:
        answer["stateMachineVersionArn"] = f"{arn}:1"
    return answer


async def update_state_machine(call: Call) -> JSON:
    params = call.params
    arn = arns.machine(params["stateMachineArn"])
    if arn.qualifier is not None or "/" in arn.name:
        raise no_machine(arn.text)
    if not params.keys() & _CHANGES.keys():
        raise ServiceError(
            "MissingRequiredParameter",
            "Either the definition, the role ARN, the LoggingConfiguration, or the TracingConfiguration "
            "must be specified",
        )
    publish = _publish(params)
    try:
        entry = await call.catalogue.machine(arn.text)
        changes = await _changes(call, entry.type)
        entry, revision = await call.catalogue.update_machine(
            arn.text, lambda draft: replace(draft, **changes), publish=publish
        )
    except NotFound:
        raise no_machine(arn.text) from None
    except MachineDeleting:
        raise machine_deleting(arn.text) from None
    except TooMany:
        raise too_many_versions() from None
    except CompileError as error:
        raise uncompiled(error) from None
    answer: dict[str, JSON] = {"updateDate": seconds(revision.updated_at)} | _revision_id(revision.id)
    version = entry.version_of(revision.id)
    if publish is not None and version is not None:
        answer["stateMachineVersionArn"] = f"{arn.text}:{version.number}"
    return answer


_CHANGES = {
    "definition": "definition",
    "roleArn": "role",
    "loggingConfiguration": "logging",
    "tracingConfiguration": "tracing",
    "encryptionConfiguration": "encryption",
}


async def _changes(call: Call, type: Type) -> dict[str, Any]:
    """What an update changes about a draft. Raises ServiceError."""
    params = call.params
    changes: dict[str, Any] = {}
    if "roleArn" in params:
        arns.check_role(params["roleArn"])
        changes["role"] = params["roleArn"]
    if "definition" in params:
        changes["definition"] = params["definition"]
        changes["digest"] = await _digest(call, params["definition"], type)
    if "loggingConfiguration" in params:
        changes["logging"] = configuration.logging(params["loggingConfiguration"])
    if "tracingConfiguration" in params:
        changes["tracing"] = configuration.tracing(params["tracingConfiguration"])
    if "encryptionConfiguration" in params:
        changes["encryption"] = configuration.encryption(params["encryptionConfiguration"])
    return changes


def _publish(params: Any) -> str | None:
    """The description of the version to publish; None if none is to be. Raises ServiceError."""
    if params.get("publish"):
        description: str = params.get("versionDescription", "")
        return description
    if "versionDescription" in params:
        raise validation("Version description can only be set when publish is true")
    return None


async def _digest(call: Call, definition: str, type: Type) -> str:
    """The digest of a sound definition. Raises ServiceError InvalidDefinition."""
    try:
        told = await call.service.desk.apart(admit, {"definition": definition, "type": type})
    except Ended as ended:
        raise unjudged(ended) from None
    if "message" in told:
        raise ServiceError("InvalidDefinition", told["message"])
    digest: str = told["digest"]
    return digest


def too_many_versions() -> ServiceError:
    return ServiceError(
        "ServiceQuotaExceededException",
        f"A state machine may have {VERSIONS_MAX} versions; delete some first.",
    )


def _revision_id(id: str) -> dict[str, JSON]:
    """The first revision has no id that is shown."""
    return {} if id == INITIAL else {"revisionId": id}


async def describe_state_machine(call: Call) -> JSON:
    arn = arns.machine(call.params["stateMachineArn"])
    name, slash, label = arn.name.partition("/")
    try:
        entry = await call.catalogue.machine(arn.machine)
        version = _version(entry, arn)
        revision = await call.catalogue.revision(
            entry, entry.revision if version is None else version.revision
        )
    except NotFound:
        raise no_machine(arn.text) from None
    if slash and label not in _labels(decode(revision.draft.definition.encode("utf-8", "surrogatepass"))):
        raise no_machine(arn.text)
    answer: dict[str, JSON] = {
        "stateMachineArn": arn.text,
        "name": name,
        "status": entry.status,
        "type": entry.type,
        "creationDate": seconds(entry.created_at if version is None else version.created_at),
        **_shown(call, revision),
    }
    if slash:
        answer["label"] = label
    if version is not None and version.description:
        answer["description"] = version.description
    return answer


def _version(entry: MachineEntry, arn: arns.Arn) -> Version | None:
    if arn.qualifier is None:
        return None
    version = None if arn.version is None else entry.version(arn.version)
    if version is None:
        raise NotFound(f"there is no {arn.text}")
    return version


def _labels(definition: JSON) -> set[str]:
    """The labels of the Map states anywhere in a definition."""
    if isinstance(definition, list):
        return set().union(*map(_labels, definition))
    if not isinstance(definition, dict):
        return set()
    inner = set().union(*map(_labels, definition.values()))
    label = definition.get("Label")
    return {label, *inner} if isinstance(label, str) and definition.get("Type") == "Map" else inner


def _shown(call: Call, revision: Revision) -> dict[str, JSON]:
    """What a description shows of a revision."""
    draft = revision.draft
    shown: dict[str, JSON] = {
        "definition": draft.definition,
        "roleArn": draft.role,
        "loggingConfiguration": draft.logging or configuration.LOGGING_OFF,
        "tracingConfiguration": draft.tracing or configuration.TRACING_OFF,
        "encryptionConfiguration": draft.encryption or configuration.OWNED_KEY,
        **_revision_id(revision.id),
    }
    if call.params.get("includedData") == "METADATA_ONLY":
        shown["definition"] = ""
        return shown
    references = variable_references(draft.definition)
    if references:
        shown["variableReferences"] = references
    return shown


async def describe_state_machine_for_execution(call: Call) -> JSON:
    arn = arns.execution(call.params["executionArn"])
    record = (await execution_of(call, arn)).record
    origin = Origin.read((await started_from_outside(call, record)).origin)
    try:
        entry = await call.catalogue.machine(arn.machine)
        revision = await call.catalogue.revision(entry, INITIAL if origin is None else origin.revision)
    except NotFound:
        raise no_execution(arn.text) from None
    name, slash, label = arn.name.partition("/")
    machine = f"{arn.machine}{slash}{label}"
    answer: dict[str, JSON] = {
        "stateMachineArn": machine,
        "name": name,
        "updateDate": seconds(revision.updated_at),
        **_shown(call, revision),
    }
    if slash:
        answer["label"] = label
    if ":mapRun:" in (record.parent or ""):
        answer["mapRunArn"] = record.parent
    return answer


async def delete_state_machine(call: Call) -> JSON:
    arn = arns.machine(call.params["stateMachineArn"])
    if arn.qualifier is not None or "/" in arn.name:
        raise validation(
            f"{arn.text} is not the ARN of a state machine: name it without version, alias or label"
        )
    if await call.catalogue.delete_machine(arn.text):
        await call.engine.removal.finish(arn.text)
    return {}


async def list_state_machines(call: Call) -> JSON:
    after = await call.cursor() or 0
    page = await call.catalogue.machines(f"{call.prefix}:stateMachine", after=after, limit=size(call.params))
    items = [
        {
            "stateMachineArn": entry.arn,
            "name": entry.name,
            "type": entry.type,
            "creationDate": seconds(entry.created_at),
        }
        for entry in page.entries
    ]
    return await call.page("stateMachines", items, page.after)
