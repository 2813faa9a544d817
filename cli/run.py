"""``detent run``: one execution of a definition file, from its start to its end."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Literal

import click

from .exits import Exit, Refusal, say
from .options import SETTINGS, running, variables
from .outcome import OutputFormat, exit_of, show

if TYPE_CHECKING:
    from .session import Begin, Session, Settings
    from .view import View


@click.command(context_settings=SETTINGS)
@click.argument("file", metavar="FILE")
@click.option(
    "--input",
    metavar="JSON|@FILE|-",
    help="The input: JSON, @FILE for a file's content, or - for stdin, which is not read otherwise.  [default: {}]",
)
@click.option("--test-case", metavar="NAME", help="The test case of the mock configuration to run.")
@click.option("--name", help="The execution's name.  [default: made from the time]")
@running
@variables
def run(
    file: str,
    input: str | None,
    test_case: str | None,
    name: str | None,
    handlers: tuple[str, ...],
    functions: tuple[str, ...],
    mock: str | None,
    store: str | None,
    output: OutputFormat,
    log: bool,
    paths: Literal["detent", "jsonpath-ng"],
    variables: Mapping[str, str],
) -> int:
    """Run a definition, in YAML or JSON, and print its output.

    The output goes to stdout, everything else to stderr. The exit code is 0 if the execution succeeded,
    1 if the definition cannot be run, 2 for wrong usage, 3 if the execution failed, 4 if it timed out,
    5 if it was aborted, 130 if it was interrupted; then the message says how to resume it.
    """
    from detent.runtime.compose import Names, compile_machine, start_execution
    from detent.runtime.errors import ExecutionExists
    from detent.runtime.find import DEFAULT_STORE

    from . import definition
    from .input import read_input
    from .progress import Progress
    from .session import Settings, mock_file, registry_of
    from .view import view_for

    name = definition.checked_name(name) if name is not None else fresh_name()
    document = definition.runnable(file, variables)
    machine = compile_machine(document.value, paths=paths)
    registry = registry_of(handlers, functions=functions)
    names = Names(definition.machine_name(file))
    mocks = mock_file(mock)
    mocked = definition.mocked_states(mocks, names.machine, test_case, asked_for=mock is not None)
    if test_case is None:  # otherwise the tasks that the case never reaches need nobody
        definition.refuse_unhandled(document, registry)
    value = read_input(input)
    settings = Settings(store or DEFAULT_STORE, registry, paths, mocks)
    again = resume_command(name, store, handlers, paths, mock, functions)
    for wait in definition.waits_outside(document.value, mocked, name):
        say(f"{wait}; somebody outside gives it", kind="note")

    async def begin(session: Session) -> Sequence[str]:
        arn = names.execution_arn(name)
        session.watch(arn, Progress(machine, name, names.machine))
        try:
            await start_execution(session.engine, document.value, names, name, value, test_case=test_case)
        except ExecutionExists:
            raise await _taken(session, arn, name, again) from None
        return [arn]

    return follow(settings, begin, view_for(log), output, again)


async def _taken(session: Session, arn: str, name: str, again: str) -> Refusal:
    from detent.core.execution import RUNNING
    from detent.runtime.find import named

    message = f"there is an execution named {name!r} already"
    found = await named(session.engine.store, arn)
    if found and found[0].head.status == RUNNING:
        return Refusal(f"{message}; it was interrupted", f"to go on with it: {again}")
    return Refusal(message, "choose another --name, or leave it out")


def follow(settings: Settings, begin: Begin, view: View, output: OutputFormat, again: str) -> int:
    """Drive executions to their end and show how each ended; the exit code of the first that did not succeed."""
    import asyncio

    from .session import Interrupted, drive, handlers_end_aloud

    try:
        with handlers_end_aloud(view, again):
            executions = asyncio.run(drive(settings, begin, view))
    except Interrupted:
        return _interrupted(settings.store, again)
    for execution in executions:
        show(execution, output, one_of_many=len(executions) > 1)
    return next(filter(None, map(exit_of, executions)), Exit.SUCCEEDED)


def _interrupted(store: str, again: str) -> Exit:
    if store.startswith("memory:"):
        click.echo("detent: interrupted; nothing was kept, for the store was memory:", err=True)
    else:
        click.echo(f"detent: interrupted; to resume: {again}", err=True)
    return Exit.INTERRUPTED


def resume_command(
    execution: str | None,
    store: str | None,
    handlers: Sequence[str],
    paths: str,
    mock: str | None = None,
    functions: Sequence[str] = (),
) -> str:
    """The command line that goes on with an execution, or with all."""
    import shlex

    words = ["detent", "resume", *filter(None, [execution])]
    for spec in handlers:
        words += ["--handlers", spec]
    for file in functions:
        words += ["--functions", file]
    if mock is not None:
        words += ["--mock", mock]
    if store is not None:
        words += ["--store", store]
    if paths != "detent":
        words += ["--jsonpath", paths]
    return shlex.join(words)


def fresh_name() -> str:
    """A name nobody has used: the time to the second, which sorts, and four random letters."""
    return f"{datetime.now().astimezone():%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
