"""Executions as operations find them: not those of a machine that was deleted."""

from __future__ import annotations

from detent.runtime.catalogue_entries import MachineEntry, Origin
from detent.store.base import ExecutionRecord, Log, NotFound

from .. import arns
from ..call import Call
from ..errors import no_execution


async def execution_of(call: Call, arn: arns.Arn) -> Log:
    """The record and the head of an execution, without its log. Raises ServiceError ExecutionDoesNotExist."""
    try:
        found = await call.store.load(arn.text, limit=0)
        if not belongs(found.record, await call.catalogue.machine(arn.machine)):
            raise no_execution(arn.text)
    except NotFound:
        raise no_execution(arn.text) from None
    return found


def belongs(record: ExecutionRecord, machine: MachineEntry) -> bool:
    """Whether an execution is of this machine, and not of an earlier one of its name that was deleted."""
    origin = Origin.read(record.origin)
    return origin is None or origin.machine_created_at == machine.created_at


async def started_from_outside(call: Call, record: ExecutionRecord) -> ExecutionRecord:
    """The execution of the same machine that a child of a Map Run descends from. Raises NotFound, StoreError."""
    while "/" in record.machine and record.parent is not None:
        above = record.parent.rpartition("#")[0] or record.parent
        record = (await call.store.load(above, limit=0)).record
    return record
