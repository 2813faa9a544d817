"""``detent serve``: publish definitions, run executions, answer on one port until told to end."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .ending import ends_in_order, until_told
from .exits import Exit, Refusal, say
from .keeping import Kept, keeping, retention_of
from .options import SETTINGS, allowances, functions_option, handlers_option, mock_option, variables

if TYPE_CHECKING:
    import asyncio

    from detent.runtime.handlers.registry import Registry
    from detent.schema.document import Document
    from detent.server.serving import Server
    from detent.server.settings import Settings

#: How often the files of the definitions are looked at, in seconds.
WATCH_SECONDS = 0.5
SUFFIXES = (".json", ".yaml", ".yml")


@click.command(context_settings=SETTINGS)
@click.argument("definitions", nargs=-1, metavar="[DEFINITION|DIR]...")
@handlers_option
@functions_option
@mock_option
@click.option(
    "--store",
    metavar="URL",
    help="Where machines and executions are kept: sqlite:///path, a plain path, postgresql://..., or memory:  "
    "[default: sqlite:///.detent/detent.db]",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8083, show_default=True, help="The port; 0 for any."
)
@click.option(
    "--allow-host",
    "host_names",
    metavar="NAME",
    multiple=True,
    help="A name, beside localhost, that clients call this server by. May be given more than once.",
)
@click.option(
    "--unsafe-no-auth", is_flag=True, help="Listen where others reach it although nobody needs a key."
)
@click.option(
    "--access-keys",
    type=click.Path(exists=True, dir_okay=False),
    metavar="FILE",
    help="Access keys of AWS clients, one on each line with its secret: what they ask must be signed with one.",
)
@click.option(
    "--state-logs",
    metavar="DIR",
    help="Where state machines log that ask for it, one file for each log group; - for stdout.  [default: nowhere]",
)
@click.option(
    "--log",
    "log_form",
    type=click.Choice(["text", "json"]),
    help="Log requests and what executions do to stderr, a line each, as text or JSON.  [default: warnings only]",
)
@click.option(
    "--rate-limit",
    type=click.FloatRange(1),
    metavar="N",
    help="Requests a second that one client may make.  [default: 1000; none on loopback without keys]",
)
@allowances
@keeping
@click.option("--watch", is_flag=True, help="Publish definitions again when their files change.")
@variables
@ends_in_order
def serve(
    definitions: tuple[str, ...],
    handlers: tuple[str, ...],
    functions: tuple[str, ...],
    mock: str | None,
    store: str | None,
    host: str,
    port: int,
    host_names: tuple[str, ...],
    unsafe_no_auth: bool,
    access_keys: str | None,
    state_logs: str | None,
    log_form: str | None,
    rate_limit: float | None,
    allow_exec: tuple[str, ...],
    file_root: tuple[str, ...],
    allow_private: bool,
    keep_age: list[Kept],
    keep_count: list[Kept],
    watch: bool,
    variables: Mapping[str, str],
) -> int:
    """Serve the AWS protocol and the REST API on one port, and run executions.

    Each DEFINITION is published under its name; of a DIR every state machine in it is. SIGTERM or Ctrl-C ends the
    server in order: requests under way are answered, tasks at work get ten seconds to end, and executions go on where
    the store is opened next. A second one ends it at once.
    """
    from detent.runtime.find import DEFAULT_STORE
    from detent.runtime.handlers.guards import Guards
    from detent.server.settings import Settings

    from .logs import log_everything
    from .memory import give_back_large_buffers
    from .session import give_way, mock_file, registry_of

    if log_form is not None:
        log_everything(log_form)
    mocks = mock_file(mock)
    guards = Guards(programs=frozenset(allow_exec), private=allow_private)
    registry = registry_of(handlers, guards, functions=functions)
    files = [file for argument in definitions for file in _files(argument)]
    documents = {file: _runnable(file, variables, registry) for file in files}
    settings = Settings(
        store=store or DEFAULT_STORE,
        host=host,
        port=port,
        host_names=frozenset(map(str.lower, host_names)),
        unsafe_no_auth=unsafe_no_auth,
        requests_per_second=rate_limit,
        access_keys=_access_keys(access_keys),
        state_logs=state_logs,
        mock=None if mocks is None else mocks.path,
        retention=retention_of(keep_age, keep_count),
        file_roots=tuple(map(Path, file_root)),
    )
    search = _search_attributes(files)
    give_way()
    give_back_large_buffers()
    return until_told(
        lambda told: _serve(told, settings, registry, documents, variables, search, watch),
        at_once="ending at once: tasks that are at work begin again with the next server",
    )


def _search_attributes(files: Sequence[str]) -> Mapping[str, Mapping[str, str]]:
    """The search attributes of machines that the configuration declares, by name."""
    from .configuration import configuration
    from .definition import machine_name

    found = configuration()
    for machine in found.search.keys() - set(map(machine_name, files)):
        say(f"{found.source}: search.{machine} names no machine that is served", kind="warning")
    return found.search


def _access_keys(path: str | None) -> Mapping[str, str]:
    from detent.server.aws.signing import read_access_keys

    if path is None:
        return {}
    try:
        keys = read_access_keys(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Refusal(f"{path} holds no access keys: {error}", "write KEY SECRET on each line") from None
    if not keys:
        raise Refusal(f"{path} holds no access keys", "write KEY SECRET on each line")
    return keys


async def _serve(
    told: asyncio.Event,
    settings: Settings,
    registry: Registry,
    documents: Mapping[str, Document],
    variables: Mapping[str, str],
    search: Mapping[str, Mapping[str, str]],
    watch: bool,
) -> int:
    import asyncio

    from detent.server.serving import open_server

    from .session import settle

    try:
        async with open_server(settings, registry) as server:
            for file, document in documents.items():
                await _publish(server, file, document, search)
            settle()
            _say_what_is_served(server, settings, documents)
            watching = (
                asyncio.create_task(_watch(server, documents, variables, search, registry)) if watch else None
            )
            await told.wait()
            if watching is not None:
                watching.cancel()
            click.echo("ending: requests under way are answered", err=True)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror or error
        raise Refusal(
            f"{settings.host}:{settings.port} cannot be listened on: {reason}",
            "choose another --port, or 0 for any",
        ) from None
    return Exit.SUCCEEDED


def _say_what_is_served(server: Server, settings: Settings, documents: Mapping[str, Document]) -> None:
    from .definition import machine_name

    for file in documents:
        click.echo(f"serving {machine_name(file)} from {file}")
    click.echo(f"""\
store     {settings.store}
AWS       {server.url}/
REST      {server.url}/v1
docs      {server.url}/docs

For AWS SDKs and the AWS CLI:
  export AWS_ENDPOINT_URL_SFN={server.url}
  export AWS_DISABLE_HOST_PREFIX_INJECTION=true
  export AWS_DEFAULT_REGION={settings.region} AWS_ACCESS_KEY_ID=any AWS_SECRET_ACCESS_KEY=any
""")


async def _publish(
    server: Server, file: str, document: Document, search: Mapping[str, Mapping[str, str]]
) -> None:
    from detent.server.definitions import kept

    from .definition import machine_name

    name = machine_name(file)
    await server.service.publish(name, kept(document), search=search.get(name))


async def _watch(
    server: Server,
    documents: Mapping[str, Document],
    variables: Mapping[str, str],
    search: Mapping[str, Mapping[str, str]],
    registry: Registry,
) -> None:
    """Publish what changes. What is not sound is named, and what was published before stays."""
    import asyncio

    known = {file: _state_of(file) for file in documents}
    while True:
        await asyncio.sleep(WATCH_SECONDS)
        for file, before in known.items():
            now = _state_of(file)
            if now == before:
                continue
            known[file] = now
            try:
                await _publish(server, file, _runnable(file, variables, registry), search)
            except Refusal as refusal:
                refusal.show()
            else:
                say(f"{file} is published again", kind="note")


def _state_of(file: str) -> tuple[int, int] | None:
    """What changes when a file is written; None while it is not there."""
    from .sources import split

    try:
        stat = Path(split(file)[0]).stat()
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_size


def _runnable(file: str, variables: Mapping[str, str], registry: Registry) -> Document:
    from .definition import refuse_unhandled, runnable

    document = runnable(file, variables)
    refuse_unhandled(document, registry)
    return document


def _files(argument: str) -> Sequence[str]:
    """The definition that an argument names, or those in a folder. Raises Refusal for a folder without any."""
    folder = Path(argument)
    if not folder.is_dir():
        return [argument]
    found = [
        str(path)
        for path in sorted(folder.rglob("*"))
        if path.suffix in SUFFIXES and path.is_file() and _is_definition(path)
    ]
    if not found:
        raise Refusal(f"there is no definition in {argument}", f"files end in {', '.join(SUFFIXES)}")
    return found


def _is_definition(path: Path) -> bool:
    """Whether a file in a folder is meant to be served: an object with States. What cannot be read is told."""
    from detent.schema.document import DocumentError, read_file

    try:
        value = read_file(path).value
    except DocumentError as error:
        say(f"{path} is left out: {error}", kind="warning")
        return False
    return isinstance(value, dict) and "States" in value
