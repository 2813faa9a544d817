"""What the commands that look at executions share: their options, and where an execution is read from."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from .exits import Exit, Refusal
from .options import Decorated

if TYPE_CHECKING:
    from detent.places import Places, Pointer
    from detent.recording import Recording
    from detent.runtime.records import Records
    from detent.schema.document import Document

T = TypeVar("T")

store_option = click.option(
    "--store",
    metavar="URL",
    help="Where executions are kept: sqlite:///path, or a plain path.  [default: sqlite:///.detent/detent.db]",
)
output_option = click.option(
    "--output",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Text for people, or one JSON value for programs.",
)
query_option = click.option(
    "--query",
    metavar="JSONPATH",
    help="Print what this path finds in the JSON output, one value per line (jsonpath-ng with its extensions).",
)
definition_option = click.option(
    "--definition",
    metavar="FILE",
    help="The definition's file: places are then told as FILE:LINE:COLUMN.",
)


def looking(command: Decorated) -> Decorated:
    """``--store``, ``--output`` and ``--query``."""
    for option in (query_option, output_option, store_option):
        command = option(command)
    return command


@asynccontextmanager
async def opened(store: str | None, *, new: bool = False) -> AsyncIterator[Records]:
    """The records of a store. Raises Refusal if there is none, unless a ``new`` one may be made."""
    from detent.runtime.compose import open_records
    from detent.runtime.find import DEFAULT_STORE, store_exists

    url = store or DEFAULT_STORE
    if not new and not store_exists(url):
        raise Refusal(f"there is no store at {url}", "name the store with --store")
    async with open_records(url) as records:
        yield records


def with_records(store: str | None, work: Callable[[Records], Awaitable[T]], *, new: bool = False) -> T:
    """What ``work`` answers, given the records of a store."""
    import asyncio

    async def run() -> T:
        async with opened(store, new=new) as records:
            return await work(records)

    return asyncio.run(run())


async def the_one(records: Records, text: str) -> str:
    """The id of the execution that a name or an ARN means. Raises NotFound, or Refusal where there are several."""
    found = await records.named(text)
    if len(found) > 1:
        names = "\n  ".join(label(one.record.id) for one in found)
        raise Refusal(f"{len(found)} executions are named {text!r}; choose one:\n  {names}")
    return found[0].record.id


def label(id: str) -> str:
    """``MACHINE:NAME``, which tells executions of several machines apart and can be typed."""
    from .words import printable

    return printable(":".join(id.split(":")[-2:]))


def recording_of(text: str, store: str | None) -> Recording:
    """The execution that a name, an ARN or the file of an export means. What is a file is read as one."""
    if is_file(text):
        return read_file(text)

    async def read(records: Records) -> Recording:
        return await records.read(await the_one(records, text))

    return with_records(store, read)


def is_file(text: str) -> bool:
    """Whether an argument means a file rather than an execution of the store."""
    try:
        return Path(text).is_file()
    except (OSError, ValueError):
        return False


def read_file(file: str) -> Recording:
    """An exported execution. Raises Refusal, RecordingError."""
    from detent.recording import RecordingError, read_recording

    try:
        text = Path(file).read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise Refusal(f"{file} cannot be read: {reason}") from None
    try:
        return read_recording(text)
    except RecordingError as error:
        raise Refusal(f"{file}: {error}", exit=Exit.INVALID) from None


@dataclass(frozen=True, slots=True)
class Where:
    """Tells places in a definition: in its file if that is known, otherwise as a JSON pointer."""

    places: Places
    document: Document | None = None

    def of(self, scope: str, state: str | None) -> str:
        """``FILE:LINE:COLUMN`` of a state, or its JSON pointer; ``/`` is the whole definition."""
        return self.at(self.places.pointer(scope, state))

    def at(self, pointer: Pointer) -> str:
        from detent.places import json_pointer

        position = self.document.position(pointer, key=True) if self.document is not None else None
        if self.document is None or position is None:
            return json_pointer(pointer) or "/"
        return f"{self.document.source}:{position.line}:{position.column}"


def where_in(recording: Recording, file: str | None, variables: Mapping[str, str]) -> Where:
    """The places of the definition an execution ran with; warns if ``file`` holds another one."""
    from detent.compile import digest_of
    from detent.places import Places

    from .exits import say
    from .sources import the_definition

    document = None if file is None else the_definition(file, variables)
    if document is not None and digest_of(document.value) != recording.facts.digest:
        say(
            f"{file} is not the definition that {label(recording.facts.id)} ran with: places may be off",
            kind="warning",
        )
        return Where(Places(document.value), document)
    return Where(Places(recording.definition), document)
