"""What ``verify`` and ``replay`` share: which recordings are judged, and how many were found wanting."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import TYPE_CHECKING

import click

from .exits import Exit, Refusal
from .options import Decorated
from .reading import is_file, opened, read_file, the_one

if TYPE_CHECKING:
    from detent.recording import Recording

#: Executions that are listed at once.
PAGE = 200


def chosen(command: Decorated) -> Decorated:
    """``EXECUTION|FILE...``, or ``--machine`` or ``--all`` in their place."""
    for option in (
        click.option("--all", "every", is_flag=True, help="Every execution in the store."),
        click.option("--machine", metavar="NAME", help="Every execution of a machine, by name or ARN."),
        click.argument("executions", nargs=-1, metavar="[EXECUTION|FILE]..."),
    ):
        command = option(command)
    return command


def judge(
    executions: tuple[str, ...],
    machine: str | None,
    every: bool,
    store: str | None,
    one: Callable[[Recording], None],
) -> int:
    """Call ``one`` with each recording that was asked for; how many there were. Raises Refusal, NotFound."""
    if bool(executions) + (machine is not None) + every != 1:
        raise Refusal("say which executions", "name them, or give --machine NAME or --all")
    import asyncio

    async def all_of_them() -> int:
        count = 0
        async with aclosing(_recordings(executions, machine, store)) as recordings:
            async for recording in recordings:
                one(recording)
                count += 1
        return count

    return asyncio.run(all_of_them())


async def _recordings(
    executions: tuple[str, ...], machine: str | None, store: str | None
) -> AsyncGenerator[Recording, None]:
    if executions and all(map(is_file, executions)):
        for text in executions:
            yield read_file(text)
        return
    async with opened(store) as records:
        for text in executions:
            yield read_file(text) if is_file(text) else await records.read(await the_one(records, text))
        if executions:
            return
        cursor = None
        while page := await records.search(machine=machine, cursor=cursor, limit=PAGE):
            for found in page:
                yield await records.read(found.record.id)
            cursor = page[-1].cursor


def verdict(count: int, wanting: int, said: Callable[[int], str]) -> int:
    """The last line, and the exit code: 1 if anything was found."""
    if not count:
        click.echo("detent: no executions", err=True)
    if count > 1:
        click.echo(f"{count:,} executions, {said(wanting)}")
    return Exit.INVALID if wanting else Exit.SUCCEEDED
