"""``detent worker`` and ``detent workers``: take part in a fleet, and see who does."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from .ending import ends_in_order, until_told
from .exits import EXIT_OF_CODE, Exit, Refusal
from .keeping import Kept, keeping, retention_of
from .options import SETTINGS, allowances, jsonpath_option
from .outcome import OutputFormat
from .reading import output_option, store_option

if TYPE_CHECKING:
    import asyncio

    from detent.runtime.handlers.registry import Registry
    from detent.runtime.items.storages import Storages
    from detent.runtime.worker import Duties

#: Seconds that tasks are given to end after SIGTERM, unless said otherwise.
GRACE_SECONDS = 30.0


@click.command(context_settings=SETTINGS)
@click.option(
    "--handlers",
    metavar="MODULE",
    multiple=True,
    help="Where the @detent.task functions are: a Python file, a folder with a handlers.py, or a module. "
    "May be given more than once.",
)
@click.option(
    "--store",
    metavar="URL",
    required=True,
    help="The store that the fleet shares: postgresql://user:password@host/database.",
)
@click.option(
    "--only",
    metavar="RESOURCE|machine:NAME",
    multiple=True,
    help="Do tasks of this resource only (* stands for any characters), or take executions of this machine only. "
    "May be given more than once.",
)
@click.option(
    "--limit",
    "limits",
    metavar="RESOURCE=NUMBER",
    multiple=True,
    help="Run at most so many tasks of a resource at once, in the whole fleet: tell every worker the same. "
    "May be given more than once.",
)
@click.option(
    "--tasks",
    "task_limit",
    type=click.IntRange(1),
    default=1000,
    show_default=True,
    help="Tasks at once, here.",
)
@click.option(
    "--lease-seconds",
    type=click.FloatRange(1, 3600),
    default=15.0,
    show_default=True,
    help="How soon others take over what this worker held if it dies.",
)
@click.option(
    "--grace-seconds",
    type=click.FloatRange(0),
    default=GRACE_SECONDS,
    show_default=True,
    help="How long tasks may go on after SIGTERM or Ctrl-C; those that have not ended then begin again elsewhere.",
)
@allowances
@keeping
@jsonpath_option
@ends_in_order
def worker(
    handlers: tuple[str, ...],
    store: str,
    only: tuple[str, ...],
    limits: tuple[str, ...],
    task_limit: int,
    lease_seconds: float,
    grace_seconds: float,
    allow_exec: tuple[str, ...],
    file_root: tuple[str, ...],
    allow_private: bool,
    keep_age: list[Kept],
    keep_count: list[Kept],
    paths: Literal["detent", "jsonpath-ng"],
) -> int:
    """Take part in a fleet: run the executions of a store together with any number of other workers.

    A task whose resource this worker does not handle is left to one that does; what nobody handles waits, and
    `detent workers` names it. The first SIGTERM or Ctrl-C ends the worker in order: nothing more is begun, tasks
    at work may end, everything else is handed over. A second one ends it at once.
    """
    from detent.runtime.compose import is_in_memory
    from detent.runtime.handlers.guards import Guards
    from detent.runtime.items.storages import Storages
    from detent.runtime.worker import Duties, WorkerError, read_limits

    from .memory import give_back_large_buffers
    from .session import give_way, registry_of

    if is_in_memory(store):
        raise Refusal(
            "a store in memory belongs to one process, and nobody could give this worker anything to do",
            "name the store that the fleet shares: postgresql://user@host/database",
        )
    guards = Guards(programs=frozenset(allow_exec), private=allow_private)
    registry = registry_of(handlers, guards)
    try:
        duties = Duties(only, read_limits(limits), lease_seconds, retention_of(keep_age, keep_count))
        duties.offers(registry)
    except WorkerError as error:
        raise Refusal(str(error), exit=EXIT_OF_CODE.get(error.code, Exit.USAGE)) from None
    storages = Storages(map(Path, file_root), guards)
    give_way()
    give_back_large_buffers()
    return until_told(
        lambda told: _work(told, store, registry, duties, storages, task_limit, grace_seconds, paths),
        at_once="detent: ending at once: others take over what is at work here",
    )


async def _work(
    told: asyncio.Event,
    store: str,
    registry: Registry,
    duties: Duties,
    storages: Storages,
    task_limit: int,
    grace_seconds: float,
    paths: Literal["detent", "jsonpath-ng"],
) -> int:
    from detent.runtime.compose import open_worker

    try:
        opening = open_worker(store, registry, duties, paths=paths, task_limit=task_limit, storages=storages)
        async with opening as engine:
            click.echo(f"detent: worker {engine.owner} is at work", err=True)
            await told.wait()
            click.echo("detent: ending: tasks at work may end, the rest is handed over", err=True)
            await engine.drain(grace_seconds)
    finally:
        await registry.close()
    return Exit.SUCCEEDED


@click.command(context_settings=SETTINGS)
@output_option
@store_option
def workers(store: str | None, output: OutputFormat) -> int:
    """List who works on a store, what each does, and what waits for somebody who does it.

    The exit code is 1 if something waits that nobody does.
    """
    from .reading import with_records
    from .words import age

    fleet = with_records(store, lambda records: records.fleet())
    if output == "json":
        from .paper import print_json

        print_json(fleet.document())
    else:
        for one in fleet.workers:
            click.echo(f"{one.owner}  {one.kind} {one.process} on {one.host}: {one.duties}")
        for want in fleet.waiting:
            done = "" if want.offered else ", and NOBODY does it"
            click.echo(
                f"{want.executions} waiting for {want.resource}, for {age(fleet.now - want.since)}{done}"
            )
        if not fleet.workers:
            click.echo("detent: nobody works on this store", err=True)
    return Exit.SUCCEEDED if all(want.offered for want in fleet.waiting) else Exit.INVALID
