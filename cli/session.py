"""Run executions to their end, or to the first Ctrl-C: the doing behind ``run`` and ``resume``.

Opens the engine, hands everything that becomes durable to a view, and closes in order. What is run and
how it is shown come from outside.
"""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Literal, NoReturn

from detent.core.codec import Step
from detent.core.execution import Execution
from detent.runtime.compose import open_engine
from detent.runtime.engine import Engine
from detent.runtime.find import store_from_anywhere
from detent.runtime.handlers.errors import HandlersError
from detent.runtime.handlers.guards import EVERYTHING, Guards
from detent.runtime.handlers.loading import load_function, load_handlers
from detent.runtime.handlers.registry import Registry
from detent.runtime.items.storages import Storages
from detent.runtime.mocks import MockFile
from detent.schema.document import DocumentError, read_file

from .exits import Exit, say
from .progress import Progress
from .view import View

#: One Ctrl-C may arrive twice, from the terminal and from whoever started the program: that is no second one.
SAME_INTERRUPT_SECONDS = 0.3
#: How long a thread that computes (a handler, or what reads a large request) keeps the interpreter from the event loop
#: and the store, in seconds. They give it away at every system call, so that Python's own 5 ms would add up.
SWITCH_SECONDS = 0.001

#: Where the store is named in the environment.
STORE_VARIABLE = "DETENT_STORE"

#: The numbers of the streams every process is started with.
STDOUT, STDERR = 1, 2
#: Ends the process at once, also while what a handler knows under this name is another function.
end_process = os._exit


@dataclass(frozen=True, slots=True)
class Settings:
    """What to run with."""

    store: str
    registry: Registry
    paths: Literal["detent", "jsonpath-ng"]
    mocks: MockFile | None = None


def give_way() -> None:
    """Have threads that compute in this process give way to whoever answers others: for programs that serve many."""
    sys.setswitchinterval(SWITCH_SECONDS)


def settle() -> None:
    """Have Python look no more for garbage in what is there now: a program that serves has it to its end, and others
    wait while it looks."""
    gc.collect()
    gc.freeze()


def mock_file(path: str | None) -> MockFile | None:
    """The mock configuration that was named, or the environment's, as other tools call it; None without one."""
    path = path or os.environ.get("SFN_MOCK_CONFIG")
    return None if not path else MockFile(path)


class Interrupted(Exception):
    """Somebody pressed Ctrl-C before all executions had ended."""


class Session:
    """An open engine and the executions that are watched on it."""

    def __init__(self, engine: Engine, view: View) -> None:
        self.engine = engine
        self._view = view
        self._watched: dict[str, Progress] = {}
        engine.observe(self._observe)

    def watch(self, execution: str, progress: Progress) -> None:
        """Follow an execution from its next step on."""
        self._watched[execution] = progress
        self._view.watch(progress)

    def refresh(self) -> None:
        """Let the view follow the time."""
        with self._viewing():
            self._view.refresh(time.time_ns() // 1_000_000)

    def _observe(self, execution: Execution, steps: Sequence[Step]) -> None:
        if execution.run is not None:
            for progress in self._watched.values():
                if progress.count(execution.id, execution.run):
                    with self._viewing():
                        self._view.changed(progress, [])
            return
        found = self._watched.get(execution.id)
        if found is not None:
            changes = found.fold(steps)
            with self._viewing():
                self._view.changed(found, changes)

    @contextmanager
    def _viewing(self) -> Iterator[None]:
        """Where nobody can look any more, executions go on unseen."""
        try:
            yield
        except OSError:
            self._view = View()


#: Begins what is to be run; answers the executions to wait for.
Begin = Callable[[Session], Awaitable[Sequence[str]]]


def registry_of(
    specs: Sequence[str], guards: Guards = EVERYTHING, *, functions: Sequence[str] = ()
) -> Registry:
    """The handlers that modules and files define, and the functions that map files name. Raises HandlersError."""
    registry = Registry(guards=guards)
    for spec in specs:
        for name, function in load_handlers(spec).items():
            registry.add(name, function)
    for file in functions:
        for name, place in _map_of(file).items():
            registry.add(name, load_function(place, Path(file).parent))
    return registry


def _map_of(file: str) -> Mapping[str, str]:
    """Names of functions, and where each is. Raises HandlersError."""
    try:
        value = read_file(file).value
    except DocumentError as error:
        raise HandlersError(f"the map of functions cannot be read: {error}") from error
    if not isinstance(value, dict) or not all(isinstance(place, str) for place in value.values()):
        raise HandlersError(
            f"{file} is no map of functions: write NAME: module:function, or NAME: file.py:function, for each"
        )
    return value


async def drive(settings: Settings, begin: Begin, view: View) -> list[Execution]:
    """Begin, wait until all have ended, and answer how. Raises Interrupted, DetentError."""
    interrupted = asyncio.Event()
    with (
        _interrupts(interrupted, view),
        _stdout_for_results(),
        redirect_stdout(sys.stderr),
        _store_for_programs(settings.store),
    ):
        try:
            with view:
                async with open_engine(
                    settings.store,
                    settings.registry.handler,
                    paths=settings.paths,
                    mocks=settings.mocks,
                    storages=Storages(None, EVERYTHING),  # one's own file may use all there is
                ) as engine:
                    session = Session(engine, view)
                    executions = await begin(session)
                    return await _results(session, executions, interrupted, view.interval)
        finally:
            await settings.registry.close()


@contextmanager
def _store_for_programs(url: str) -> Iterator[None]:
    """Programs that tasks start find the store: `detent signal` among them reaches the execution that asks."""
    before = os.environ.get(STORE_VARIABLE)
    os.environ[STORE_VARIABLE] = store_from_anywhere(url)
    try:
        yield
    finally:
        if before is None:
            del os.environ[STORE_VARIABLE]
        else:
            os.environ[STORE_VARIABLE] = before


@contextmanager
def _stdout_for_results() -> Iterator[None]:
    """What handlers print, and programs that they start, goes where progress goes: to stderr."""
    try:
        kept = os.dup(STDOUT)
    except OSError:  # closed: nothing can be printed there
        yield
        return
    try:
        with suppress(OSError):
            os.dup2(STDERR, STDOUT)
        yield
    finally:
        os.dup2(kept, STDOUT)
        os.close(kept)


async def _results(
    session: Session, executions: Sequence[str], interrupted: asyncio.Event, interval: float | None
) -> list[Execution]:
    everything = asyncio.gather(*map(session.engine.result, executions))
    stop = asyncio.ensure_future(interrupted.wait())
    ticks = asyncio.ensure_future(_ticks(session, interval))
    try:
        first: set[asyncio.Future[object]] = {everything, stop}  # type: ignore[arg-type]
        await asyncio.wait(first, return_when=asyncio.FIRST_COMPLETED)
        if not everything.done():
            raise Interrupted
        return everything.result()
    finally:
        for task in (everything, stop, ticks):
            task.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await task


async def _ticks(session: Session, interval: float | None) -> None:
    while interval is not None:
        session.refresh()
        await asyncio.sleep(interval)


@contextmanager
def handlers_end_aloud(view: View, again: str) -> Iterator[None]:
    """A handler that ends the whole process with ``os._exit`` has the last word no longer: how to go on is said."""
    process = os.getpid()

    def told(status: int) -> NoReturn:
        if os.getpid() == process:  # a child that a handler forked may end as it likes
            caller = sys._getframe(1).f_code
            view.restore()
            say(
                f"the handler {caller.co_name} in {caller.co_filename} ended the process with os._exit({status})",
                f"to resume: {again}",
            )
            status = Exit.INTERRUPTED
        end_process(status)

    os._exit = told
    try:
        yield
    finally:
        os._exit = end_process


@contextmanager
def _interrupts(interrupted: asyncio.Event, view: View) -> Iterator[None]:
    """The first Ctrl-C asks for an orderly end, the second one ends the process."""
    loop = asyncio.get_running_loop()
    first = 0.0

    def note(number: int, frame: FrameType | None) -> None:
        nonlocal first
        if interrupted.is_set():
            if time.monotonic() - first > SAME_INTERRUPT_SECONDS:
                view.restore()
                end_process(Exit.INTERRUPTED)
            return
        first = time.monotonic()
        interrupted.set()
        # The loop may be asleep: wake it.
        loop.call_soon_threadsafe(lambda: None)

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        # Once interrupted the process is about to end, and a second Ctrl-C still means at once.
        if not interrupted.is_set():
            for number, handler in before.items():
                signal.signal(number, handler)
