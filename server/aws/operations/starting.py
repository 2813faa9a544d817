"""Executions begin: StartExecution and StartSyncExecution (api, section 7)."""

from __future__ import annotations

from typing import NamedTuple
from uuid import uuid4

from detent.core.limits import AWS, profile_for
from detent.core.values import JSON, Payload
from detent.mocking import MockError
from detent.runtime.catalogue_entries import Target
from detent.runtime.catalogue_errors import MachineDeleting
from detent.runtime.compose import check_test_case
from detent.runtime.errors import ExecutionExists, NotExpress
from detent.runtime.handlers.payloads import parse
from detent.runtime.names import Names
from detent.runtime.starting import start_or_existing
from detent.schema.jackson import complaint
from detent.store.base import ExecutionRecord, NotFound

from .. import arns
from ..call import Call, seconds
from ..errors import ServiceError, machine_deleting, no_machine, unsupported_type, validation
from .executions import data, told


async def start_execution(call: Call) -> JSON:
    target, arn, test_case, input, spelling = await _asked(call)
    record = _record(call, arn, target, test_case)
    try:
        record, _ = await start_or_existing(
            call.engine, record, input, role=target.revision.draft.role, spelling=spelling
        )
    except ExecutionExists:
        raise ServiceError("ExecutionAlreadyExists", f"Execution Already Exists: '{record.id}'") from None
    except NotExpress as error:
        raise validation(str(error)) from None
    return {"executionArn": record.id, "startDate": seconds(record.started_at)}


class _Asked(NamedTuple):
    """What a start asks for."""

    target: Target
    arn: arns.Arn
    test_case: str | None
    input: Payload
    spelling: Payload | None


async def _asked(call: Call) -> _Asked:
    """What is to be started, with what. Raises ServiceError.

    Behind ``#`` in the ARN stands the test case whose mocked answers the tasks get (mocking, section 2).
    """
    text, mark, test_case = call.params["stateMachineArn"].partition("#")
    arn = arns.machine(text)
    if "name" in call.params:
        arns.check_name(call.params["name"])
    input, spelling = read_input(call.params.get("input", "{}"))
    target = await target_of(call, arn)
    if mark:
        try:
            check_test_case(call.engine, arn.name, test_case)
        except MockError as error:
            raise validation(str(error)) from None
    return _Asked(target, arn, test_case if mark else None, input, spelling)


def read_input(text: str) -> tuple[Payload, Payload | None]:
    """The input of an execution and, where that is another text, how it is spelled. Raises ServiceError."""
    if not text.strip():
        raise _invalid_input("Invalid execution input.")
    given = text.encode("utf-8", "surrogatepass")
    try:
        value = Payload(parse(given))
    except ValueError as error:
        found = complaint(text)
        raise _invalid_input(str(error) if found is None else found.message) from None
    return value, None if value.text == given else Payload(text)


def _invalid_input(why: str) -> ServiceError:
    return ServiceError("InvalidExecutionInput", f"Invalid State Machine Execution Input: '{why}'")


async def target_of(call: Call, arn: arns.Arn) -> Target:
    """What is to be started. Raises ServiceError."""
    if "/" in arn.name:
        raise validation(
            f"{arn.text} is the ARN of the Map state of a machine", "API_DOES_NOT_SUPPORT_LABELED_ARNS"
        )
    try:
        return await call.catalogue.target(arn.text)
    except NotFound:
        raise no_machine(arn.text) from None
    except MachineDeleting:
        raise machine_deleting(arn.machine) from None


def _record(
    call: Call, arn: arns.Arn, target: Target, test_case: str | None, *, synchronous: bool = False
) -> ExecutionRecord:
    """What is to be started: an execution of type EXPRESS is another one with each call."""
    _, partition, _, region, account = arn.prefix.split(":")
    names = Names(arn.name, region, account, partition)
    name = call.params.get("name") or str(uuid4())
    type = target.machine.type
    record = ExecutionRecord(
        names.execution_arn(name) if type == "STANDARD" else names.express_arn(name, str(uuid4())),
        name,
        names.machine_arn,
        target.revision.draft.digest,
        profile_for(AWS.profile, type, synchronous=synchronous),
        call.now,
    )
    return target.put_into(record, trace_header=call.params.get("traceHeader"), test_case=test_case)


async def start_sync_execution(call: Call) -> JSON:
    target, arn, test_case, input, spelling = await _asked(call)
    if target.machine.type != "EXPRESS":
        raise unsupported_type()
    record = _record(call, arn, target, test_case, synchronous=True)
    result = await call.engine.run_express(record, input, role=target.revision.draft.role, spelling=spelling)
    answer = {
        **told(record, result.execution),
        **data(call, result.execution),
        "billingDetails": {
            "billedDurationInMilliseconds": result.billed_milliseconds,
            "billedMemoryUsedInMB": result.billed_megabytes,
        },
    }
    # The service says so of a synchronous execution that failed, too.
    answer.setdefault("outputDetails", answer["inputDetails"])
    return answer
