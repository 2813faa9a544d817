"""``detent resume``: go on with what was interrupted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import click

from .exits import Exit, Refusal, say
from .options import SETTINGS, running
from .outcome import OutputFormat
from .remote import chosen, server_option

if TYPE_CHECKING:
    from detent.core.values import JSON
    from detent.runtime.engine import Engine
    from detent.runtime.find import Found
    from detent.runtime.handlers.registry import Registry
    from detent.runtime.mocks import MockFile
    from detent.runtime.records import Records, Steered
    from detent.runtime.steering import Given

    from .session import Session


@click.command(context_settings=SETTINGS)
@click.argument("execution", required=False)
@click.option(
    "--value",
    metavar="JSON",
    help="For a paused EXECUTION: the result of the state that waits, as JSON, @FILE, or - for stdin.",
)
@click.option("--state", metavar="NAME", help="Which state the value is for, where several wait.")
@server_option
@running
def resume(
    execution: str | None,
    value: str | None,
    state: str | None,
    server: str | None,
    handlers: tuple[str, ...],
    functions: tuple[str, ...],
    mock: str | None,
    store: str | None,
    output: OutputFormat,
    log: bool,
    paths: Literal["detent", "jsonpath-ng"],
) -> int:
    """Go on with what was interrupted or paused: EXECUTION, a name or an ARN, or every interrupted execution.

    Output and exit code are those of `run`; of several executions the first that did not succeed decides.
    An execution with a task that nobody handles is named and left as it is (exit code 2). A paused one is left, too,
    unless it is named. If another process runs it, that one goes on with it, and this ends at once with code 0; so it
    is with --server.
    """
    from detent.runtime.find import DEFAULT_STORE, store_exists

    from .run import follow, resume_command
    from .session import Settings, mock_file, registry_of
    from .steer import resume_at
    from .view import view_for

    if (remote := chosen(server, store)) is not None:
        if execution is None:
            raise Refusal("a server goes on by itself with what was interrupted", "name a paused EXECUTION")
        resume_at(remote, execution, _given(execution, value, state), output)
        return Exit.SUCCEEDED
    url = store or DEFAULT_STORE
    if not store_exists(url):
        raise Refusal(f"there is nothing to resume: no store at {url}", "name the store with --store")
    given = _given(execution, value, state)
    if execution is not None and _went_on_elsewhere(execution, given, url, output):
        return Exit.SUCCEEDED
    registry = registry_of(handlers, functions=functions)
    mocks = mock_file(mock)
    errand = Errand(execution, registry, mocks, given)
    again = resume_command(execution, store, handlers, paths, mock, functions)
    code = follow(Settings(url, registry, paths, mocks), errand.begin, view_for(log), output, again)
    for name, reasons in errand.left.items():
        say(f"{name} was left as it is: {'; '.join(reasons)}")
    for name in errand.paused:
        say(f"{name} is paused: `detent resume {name}` goes on with it", kind="note")
    if errand.nothing:
        click.echo("detent: nothing to resume: no execution was interrupted", err=True)
    return code or (Exit.USAGE if errand.left else Exit.SUCCEEDED)


def _given(execution: str | None, value: str | None, state: str | None) -> Given | None:
    from detent.runtime.steering import Given

    from .input import read_value

    if value is None:
        if state is not None:
            raise Refusal("--state says which state a value is for, and there is none", "add --value JSON")
        return None
    if execution is None:
        raise Refusal("--value is for one execution", "name it: detent resume EXECUTION --value JSON")
    return Given(read_value(value), state)


def _went_on_elsewhere(execution: str, given: Given | None, store: str, output: OutputFormat) -> bool:
    """Whether the execution was paused in another process, which has been told to go on with it."""
    from detent.runtime.errors import NotPaused

    from .reading import label, the_one, with_records
    from .steer import tell

    async def work(records: Records) -> Steered | None:
        id = await the_one(records, execution)
        found = [one for one in await records.named(execution) if one.record.id == id]
        if given is not None and found[0].head.ended_at is None and not found[0].head.paused:
            raise NotPaused(f"the execution {found[0].record.name} is not paused")
        if not found[0].head.paused or not await records.at_work(found):
            return None
        return await records.resume(id, given)

    steered = with_records(store, work)
    if steered is None:
        return False
    told = "goes on" if steered.arrived else "will go on: the wish is stored"
    tell(steered, output, f"{label(steered.state.id)} {told}, in the process that runs it")
    return True


@dataclass(slots=True)
class Errand:
    """What is asked for, and what could not be gone on with: names, and why. ``redrive`` what has ended first."""

    execution: str | None
    registry: Registry
    mocks: MockFile | None
    given: Given | None = None
    paused: list[str] = field(default_factory=list)
    redrive: bool = False
    left: dict[str, list[str]] = field(default_factory=dict)
    nothing: bool = False

    async def begin(self, session: Session) -> Sequence[str]:
        """Go on with what was asked for; the ids of the executions to wait for. Raises Refusal."""
        chosen = await self._chosen(session.engine)
        self.nothing = not chosen
        return [found.record.id for found in chosen if await self._go_on(session, found)]

    async def _chosen(self, engine: Engine) -> list[Found]:
        from detent.runtime.find import interrupted, named

        if self.execution is None:
            found = await interrupted(engine.store)
            self.paused = [one.record.name for one in found if one.head.paused]
            return [one for one in found if not one.head.paused]
        found = await named(engine.store, self.execution)
        if not found:
            raise Refusal(f"there is no execution {self.execution!r} in this store")
        if len(found) > 1:
            ids = "\n  ".join(one.record.id for one in found)
            raise Refusal(f"{len(found)} executions are named {self.execution!r}; choose one:\n  {ids}")
        return found

    async def _go_on(self, session: Session, found: Found) -> bool:
        from detent.core.values import decode
        from detent.runtime.mocks import test_case_of
        from detent.runtime.recall import recall_decisions

        from .definition import unhandled
        from .progress import Progress

        engine, record = session.engine, found.record
        if found.head.ended_at is None or self.redrive:
            definition: JSON = decode((await engine.store.machine(record.digest)).definition)
            case = test_case_of(record)
            if case is not None and self.mocks is None:
                self.left[record.name] = [
                    f"it runs the test case {case!r}: name its configuration with --mock"
                ]
                return False
            missing = list(unhandled(definition, self.registry)) if case is None else []
            if missing:
                self.left[record.name] = [
                    f"nobody handles {resource!r} of the state {state!r} ({reason})"
                    for _, state, resource, reason in missing
                ]
                return False
        progress = Progress(await engine.machines.get(record.digest))
        progress.fold(await recall_decisions(engine.store, record.id))
        session.watch(record.id, progress)
        if self.redrive:
            await engine.redrive(record.id)
        if not await _is_ours(engine, record.id):
            self.left[record.name] = ["somebody else works on it"]
            return False
        if found.head.paused:
            await engine.steering.resume(record.id, self.given)
        return True


async def _is_ours(engine: Engine, execution: str) -> bool:
    """Take an execution up; whether it runs here, or has ended. It may end between two looks: hence the second."""
    for _ in range(2):
        state = await engine.resume(execution)
        if state.ended_at is not None or execution in engine.running():
            return True
    return False
