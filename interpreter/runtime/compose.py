"""The composition root: the one place that knows store, handlers, compiler and engine together."""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path

from ..compile import compile_definition, compile_text, digest_of
from ..core.limits import DETENT
from ..core.machine import Machine
from ..core.values import JSON, Payload, encode
from ..mocking import MockError
from ..query.jsonpath import Engine as PathEngine
from ..store.base import ExecutionRecord, MachineRecord, Store, StoreError
from ..store.sqlite_backup import back_up as back_up_file
from ..store.url import open_store, parse_store_url
from .answers import Answers
from .clock import Clock, StoreClock, SystemClock
from .dispatch import Resolve
from .engine import ALONE, Engine
from .handlers.registry import Registry
from .items.storages import Storages
from .machines import Machines
from .member import Member
from .mocks import TEST_CASE, MockFile
from .names import Names
from .records import Records
from .worker import Duties

__all__ = [
    "RELEASE",
    "Names",
    "back_up",
    "compile_machine",
    "is_in_memory",
    "is_shared",
    "open_answers",
    "open_engine",
    "open_records",
    "open_worker",
    "start_execution",
]

#: Objects after which Python looks for cycles among the newest ones while an engine is open, and by default.
COLLECT_AFTER = 20_000
_COLLECT_BY_DEFAULT = 2_000

#: What stands in the log for who wrote it.
RELEASE = version("detent")


@asynccontextmanager
async def open_engine(
    store: Store | str,
    resolve: Resolve,
    *,
    paths: PathEngine = "detent",
    clock: Clock | None = None,
    task_limit: int = 1000,
    takes_over: bool = False,
    mocks: MockFile | None = None,
    storages: Storages | None = None,
    member: Member = ALONE,
) -> AsyncIterator[Engine]:
    """An engine that runs, over a store or the store a URL names; closed on the way out.

    ``resolve`` finds handlers, ``paths`` evaluates JSONPath beyond references. ``storages`` is where
    distributed Maps may read and write; by default no file of this machine, and no private web server. Raises
    StoreError.
    """
    if isinstance(store, str):
        store = open_store(store)
    machines = Machines(store, lambda text, digest: compile_text(text, digest, engine=paths))
    engine = Engine(
        store,
        machines,
        resolve,
        release=RELEASE,
        clock=clock,
        task_limit=task_limit,
        takes_over=takes_over,
        mocks=mocks,
        storages=storages,
        member=member,
    )
    await engine.open()
    _collect_less_often()
    try:
        yield engine
    finally:
        await engine.close()


@asynccontextmanager
async def open_worker(
    url: str,
    registry: Registry,
    duties: Duties,
    *,
    paths: PathEngine = "detent",
    task_limit: int = 1000,
    kind: str = "worker",
    mocks: MockFile | None = None,
    storages: Storages | None = None,
) -> AsyncIterator[Engine]:
    """An engine that takes part in the fleet of a store; closed on the way out. Raises StoreError, WorkerError.

    In a store that allows one engine it is the one; what nobody handles waits there as well.
    """
    shared = is_shared(url)
    beside = (lambda: open_store(url)) if shared else None
    member = duties.member(registry, kind=kind, release=RELEASE, beside=beside)
    async with open_engine(
        url,
        registry.handler,
        paths=paths,
        clock=StoreClock() if shared else SystemClock(),
        task_limit=task_limit,
        takes_over=True,
        mocks=mocks,
        storages=storages,
        member=member,
    ) as engine:
        yield engine


def back_up(url: str, target: Path) -> int:
    """Copy the SQLite store of a URL to a new file while it is in use; its size in bytes. Raises StoreError."""
    path = parse_store_url(url).path
    if path is None:
        raise StoreError(
            "only a SQLite store is copied so; a Postgres database is copied by pg_dump --schema=detent"
        )
    return back_up_file(path, target)


def is_shared(url: str) -> bool:
    """Whether any number of engines may use the store of a URL at once. Raises StoreUrlError."""
    return parse_store_url(url).address is not None


def is_in_memory(url: str) -> bool:
    """Whether the store of a URL is gone with its process. Raises StoreUrlError."""
    return parse_store_url(url).kind == "memory"


def _collect_less_often() -> None:
    """Let Python look for cycles less often than after every 700 new objects, unless somebody chose otherwise.

    What an engine makes has no cycles and lives for one round; a fifth of its time went into looking for some.
    """
    if gc.get_threshold()[0] <= _COLLECT_BY_DEFAULT:
        gc.set_threshold(COLLECT_AFTER, *gc.get_threshold()[1:])


@asynccontextmanager
async def open_answers(url: str) -> AsyncIterator[Answers]:
    """Answers to tasks of the store a URL names, beside an engine that may be at work on it. Raises StoreError."""
    store = open_store(url)
    await store.open(engine=False)
    try:
        yield Answers(store, SystemClock())
    finally:
        await store.close()


@asynccontextmanager
async def open_records(url: str) -> AsyncIterator[Records]:
    """What is recorded in the store a URL names, beside an engine that may be at work on it. Raises StoreError."""
    store = open_store(url)
    await store.open(engine=False)
    try:
        yield Records(
            store,
            lambda: open_store(url),
            compile_text,
            release=RELEASE,
            arn_of=lambda name: Names(name).machine_arn,
        )
    finally:
        await store.close()


def compile_machine(definition: JSON, *, paths: PathEngine = "detent") -> Machine:
    """A sound definition as a machine. Raises CompileError."""
    return compile_definition(definition, engine=paths)


def check_test_case(engine: Engine, machine: str, test_case: str) -> None:
    """Raise MockError unless the engine has mocks, and they have the test case for a machine of that name."""
    if engine.mocks is None:
        raise MockError(f"there is no mock configuration, and so no test case {test_case!r}: name a file")
    engine.mocks.check(machine, test_case)


async def start_execution(
    engine: Engine,
    definition: JSON,
    names: Names,
    name: str,
    input: JSON,
    *,
    test_case: str | None = None,
    clock: Clock | None = None,
) -> ExecutionRecord:
    """Publish a sound definition and start an execution of it; durable when this returns.

    ``test_case`` names the case of the engine's mock configuration whose answers its tasks get.
    Raises CompileError, ExecutionExists, MockError, StoreUnavailable.
    """
    if test_case is not None:
        check_test_case(engine, names.machine, test_case)
    now = (clock or SystemClock()).now()
    digest = digest_of(definition)
    await engine.machines.publish(MachineRecord(digest, names.machine_arn, encode(definition), now))
    record = ExecutionRecord(
        names.execution_arn(name),
        name,
        names.machine_arn,
        digest,
        DETENT.profile,
        now,
        origin=None if test_case is None else encode({TEST_CASE: test_case}).decode(),
    )
    await engine.start(record, Payload(input), role=names.role_arn)
    return record
