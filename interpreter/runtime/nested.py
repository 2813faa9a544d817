"""Nested executions: what ``states:startExecution`` starts, finds again, and ends (resources, section 4).

The id of a child follows from the task that starts it. So an attempt that is run again finds the child it
started before, an engine that resumes the parent finds the child to resume, and a parent that waits no
longer knows whom to stop. Child and parent tell each other of their ends by letters (:mod:`.letters`); what the
child's end then means is decided in the core.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any, Protocol
from uuid import NAMESPACE_OID, uuid5

from ..core.errors import RUNTIME, DetentError
from ..core.events import TaskSucceeded
from ..core.evolve import fold
from ..core.execution import Pending
from ..core.limits import ExecutionType, profile_for
from ..core.resources import integration, starts_execution
from ..core.values import JSON, Payload, encode
from ..store.base import ExecutionRecord, NotFound, Store, StoreUnavailable
from .catalogue import Catalogue
from .catalogue_errors import MachineDeleting
from .clock import Clock
from .dispatch import Resolve
from .errors import ExecutionExists
from .handlers.base import Beat, Handler, TaskCall, TaskError, task_key
from .handlers.metadata import refused, request_id, sdk_metadata
from .handlers.payloads import parse
from .names import Names, is_name
from .patience import Patience
from .recall import recall_decisions

#: Parents whose state is kept in mind.
PARENTS_MAX = 64
#: Marks a child whose end nobody waits for.
_DETACHED = ":detached"


@dataclass(frozen=True, slots=True)
class Parent:
    """The task that started an execution, by its own execution and pending; ``waits`` for the end."""

    execution: str
    pending: int
    waits: bool

    def __str__(self) -> str:
        """What stands in :attr:`ExecutionRecord.parent`."""
        return f"{self.execution}#{self.pending}{'' if self.waits else _DETACHED}"

    @classmethod
    def read(cls, text: str | None) -> Parent | None:
        """The task that a record's parent names; None if it names none."""
        execution, mark, rest = (text or "").rpartition("#")
        number = rest.removesuffix(_DETACHED)
        if not (mark and number.isascii() and number.isdigit()):
            return None
        return cls(execution, int(number), number == rest)


def child_of(execution: str, pending: Pending) -> str | None:
    """The id of the execution that a task starts and waits for; None if it does not do both, or cannot."""
    if pending.mode != "sync" or pending.arguments is None or not starts_execution(pending.resource or ""):
        return None
    try:
        return _Wanted.read(pending.arguments.value, task_key(execution, pending.id)).id
    except _Refused:
        return None


class Parents:
    """Whether the tasks that started executions still wait for them, as their logs say.

    A parent that stops waiting while its child is being started has nobody yet to tell. So it is asked when a
    child is made live. What was found stays true for a child that was there: a parent that stops waiting
    later sends a letter.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        #: By execution: the last event looked at, what waited then, and what had succeeded.
        self._known: dict[str, tuple[int, set[int], set[int]]] = {}

    async def have_given_up(self, record: ExecutionRecord) -> bool:
        """Whether an execution was started for a task that failed or ended without it. Raises StoreUnavailable."""
        parent = Parent.read(record.parent)
        if parent is None or not parent.waits:
            return False
        known = self._known.get(parent.execution)
        if known is None or known[0] < parent.pending:
            try:
                known = await self._look(parent.execution)
            except NotFound:
                return False
            if len(self._known) >= PARENTS_MAX:
                self._known.clear()
            self._known[parent.execution] = known
        _, waiting, succeeded = known
        return parent.pending not in waiting and parent.pending not in succeeded

    async def _look(self, execution: str) -> tuple[int, set[int], set[int]]:
        steps = await recall_decisions(self._store, execution)
        events = [event for step in steps for event in step.events]
        state = fold(events)
        return (
            state.seq,
            set(state.pending),
            {event.pending for event in events if isinstance(event, TaskSucceeded)},
        )


class _Refused(Exception):
    """The call is refused: the service's code of the error, and its message."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What a task asks for."""

    names: Names
    name: str
    input: Payload
    spelling: Payload | None
    #: The task's key, from which names and ids follow that nobody gave.
    key: str

    @property
    def id(self) -> str:
        return self.names.execution_arn(self.name)

    @property
    def express_id(self) -> str:
        return self.names.express_arn(self.name, _unique(self.key))

    @classmethod
    def read(cls, arguments: JSON, key: str) -> _Wanted:
        """Read a task's arguments; without a Name the child is named by the task's key. Raises _Refused."""
        fields: Mapping[str, Any] = arguments if isinstance(arguments, Mapping) else {}
        arn = fields.get("StateMachineArn")
        names = Names.of(arn) if isinstance(arn, str) else None
        if names is None:
            raise _Refused("InvalidArn", f"Invalid Arn: 'Invalid ARN prefix: {arn}'")
        name = fields.get("Name")
        if name is None:
            name = _unique(key)
        if not isinstance(name, str) or not is_name(name):
            raise _Refused("InvalidName", f"Invalid Name: '{name}'")
        return cls(names, name, *_input(fields.get("Input")), key)


def _unique(key: str) -> str:
    return str(uuid5(NAMESPACE_OID, key))


def _input(given: JSON) -> tuple[Payload, Payload | None]:
    """The child's input and, where it was given as text, how it is spelled."""
    if not isinstance(given, str):
        return Payload({} if given is None else given), None
    try:
        value = Payload(parse(given.encode("utf-8", "surrogatepass")))
    except ValueError as error:
        raise _Refused("InvalidExecutionInput", f"Invalid State Machine Execution Input: '{error}'") from None
    return value, None if value.text == given.encode("utf-8", "surrogatepass") else Payload(given)


class Start(Protocol):
    """Starts an execution; durable when it returns. Raises ExecutionExists, StoreUnavailable."""

    async def __call__(
        self, record: ExecutionRecord, input: Payload, *, role: str, spelling: Payload | None
    ) -> object: ...


class StartExecution:
    """The handler of ``states:startExecution`` in all its patterns.

    ``profile_of`` gives the limit profile of a running execution, ``stop`` ends one.
    """

    slots = None

    def __init__(
        self,
        store: Store,
        catalogue: Catalogue,
        clock: Clock,
        start: Start,
        patience: Patience,
        *,
        profile_of: Callable[[str], str],
        stop: Callable[[str], None],
    ) -> None:
        self._store = store
        self._catalogue = catalogue
        self._clock = clock
        self._start = start
        self._patience = patience
        self._profile_of = profile_of
        self._stop = stop

    def beside(self, resolve: Resolve) -> Resolve:
        """Find handlers as before, and this one where nobody else starts executions."""

        def find(resource: str) -> Handler | None:
            return resolve(resource) or (self if starts_execution(resource) else None)

        return find

    async def run(self, task: TaskCall, beat: Beat) -> JSON:
        """Start the child, or find it if this attempt has started it before; what the service answers to that."""
        waits = (integration(task.resource) or ("", ""))[1].endswith((".sync", ".sync:2"))
        try:
            wanted = _Wanted.read(task.arguments, task.key)
            record, role = await self._record(wanted, task, waits)
            started_at = await self._begin(record, role, wanted, waits)
        except _Refused as error:
            cause = refused("AWSStepFunctions", error.code, error.message, request_id(task))
            raise TaskError(f"StepFunctions.{error.code}Exception", cause) from None
        except StoreUnavailable:
            # The engine is closing. Whoever resumes the parent runs the attempt again.
            return await asyncio.get_running_loop().create_future()
        except DetentError as error:
            raise TaskError(RUNTIME, f"The machine cannot be started: {error}") from error
        return _answer(record.id, started_at, task)

    async def _record(self, wanted: _Wanted, task: TaskCall, waits: bool) -> tuple[ExecutionRecord, str]:
        """What is to be started, and under which role."""
        try:
            target = await self._patience.insist(lambda: self._catalogue.target(wanted.names.asked_arn))
        except NotFound:
            target = None
        except MachineDeleting:
            arn = wanted.names.machine_arn
            raise _Refused("StateMachineDeleting", f"State Machine Deleting: '{arn}'") from None
        type: ExecutionType = "STANDARD" if target is None else target.machine.type
        if type == "EXPRESS" and waits:
            raise _Refused(
                "StateMachineTypeNotSupported",
                "This operation is not supported by this type of state machine",
            )
        record = ExecutionRecord(
            wanted.id if type == "STANDARD" else wanted.express_id,
            wanted.name,
            wanted.names.machine_arn,
            await self._published(wanted) if target is None else target.revision.draft.digest,
            profile_for(self._profile_of(task.execution), type),
            self._clock.now(),
            str(Parent(task.execution, task.pending, waits)),
        )
        if target is None:
            return record, wanted.names.role_arn
        return target.put_into(record), target.revision.draft.role

    async def _published(self, wanted: _Wanted) -> str:
        """The digest of a machine that was published for a run of its file, and never catalogued."""
        names = wanted.names
        try:
            if names.qualifier is None and not await self._patience.insist(
                lambda: self._catalogue.was_deleted(names.machine_arn)
            ):
                machine = await self._patience.insist(lambda: self._store.machine_named(names.machine_arn))
                return machine.digest
        except NotFound:
            pass
        raise _Refused("StateMachineDoesNotExist", f"State Machine Does Not Exist: '{names.asked_arn}'")

    async def _begin(self, record: ExecutionRecord, role: str, wanted: _Wanted, waits: bool) -> int:
        """Start the child; the instant at which it was started, now or by an earlier run of the attempt."""
        try:
            await self._patience.insist(
                lambda: self._start(record, wanted.input, role=role, spelling=wanted.spelling)
            )
        except ExecutionExists:
            return await self._begun_before(record)
        except asyncio.CancelledError:
            if waits and not self._patience.ended:
                self._stop(record.id)  # nobody waits any more for what is just beginning
            raise
        return record.started_at

    async def _begun_before(self, record: ExecutionRecord) -> int:
        try:
            known = (await self._patience.insist(lambda: self._store.load(record.id, limit=0))).record
        except NotFound:
            known = None
        if known is None or known.parent != record.parent:
            raise _Refused("ExecutionAlreadyExists", f"Execution Already Exists: '{record.id}'")
        return known.started_at


def _answer(id: str, started_at: int, task: TaskCall) -> JSON:
    """What the service answers to StartExecution; the date in milliseconds."""
    identity = request_id(task)
    headers = {
        "x-amzn-RequestId": identity,
        "connection": "keep-alive",
        "Content-Length": str(len(encode({"executionArn": id, "startDate": started_at / 1000}))),
        "Date": format_datetime(datetime.fromtimestamp(started_at // 1000, UTC), usegmt=True),
        "Content-Type": "application/x-amz-json-1.0",
    }
    return {"ExecutionArn": id, **sdk_metadata(headers, identity), "StartDate": started_at}
