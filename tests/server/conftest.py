"""Real servers on free ports: in a thread of this process, or as the installed program."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from detent.runtime.handlers.registry import Registry
from detent.server.serving import Server, open_server
from detent.server.settings import Settings

PROGRAM = str(Path(sys.executable).parent / "detent")

Handlers = dict[str, Callable[..., Any]]


@dataclass
class Running:
    """A server in a thread of its own: tests may block while they talk to it."""

    server: Server
    loop: asyncio.AbstractEventLoop
    end: Callable[[], None]

    @property
    def url(self) -> str:
        return self.server.url

    def call(self, coroutine: Any) -> Any:
        """What a coroutine answers that belongs to the server's loop."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(60)


StartServer = Callable[..., Running]


@contextmanager
def running_server(settings: Settings, handlers: Handlers) -> Iterator[Running]:
    loop = asyncio.new_event_loop()
    ending = asyncio.Event()
    begun: list[Server | BaseException] = []
    ready = threading.Event()

    async def serve() -> None:
        registry = Registry()
        for name, function in handlers.items():
            registry.add(name, function)
        try:
            async with open_server(settings, registry) as server:
                begun.append(server)
                ready.set()
                await ending.wait()
        except BaseException as error:
            begun.append(error)
            raise
        finally:
            ready.set()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    ready.wait()

    def end() -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(ending.set)
            thread.join()
            loop.close()

    try:
        if isinstance(begun[0], BaseException):
            raise begun[0]
        yield Running(begun[0], loop, end)
    finally:
        end()


@pytest.fixture
def start_server() -> Iterator[StartServer]:
    """Starts servers in this process: ``start_server(store=..., handlers={...})``, other words being settings."""
    with ExitStack() as stack:

        def start(handlers: Handlers | None = None, **settings: Any) -> Running:
            wanted = replace(Settings(port=0, drain_seconds=1.0), **settings)
            return stack.enter_context(running_server(wanted, handlers or {}))

        yield start


@pytest.fixture
def server(start_server: StartServer) -> Running:
    """One server over a store in memory."""
    return start_server()


@dataclass
class Program:
    """``detent serve`` as a process. ``said`` is what it has printed so far."""

    process: subprocess.Popen[str]
    url: str
    said: list[str] = field(default_factory=list)

    def end(self, number: int = signal.SIGTERM) -> int:
        """Send a signal and wait for the end; the exit code."""
        self.process.send_signal(number)
        for line in self.process.stdout or ():
            self.said.append(line)
        return self.process.wait()


Serve = Callable[..., Program]


@pytest.fixture(scope="module")
def serving_program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
    """Starts ``detent serve`` with some arguments, on a free port, for all tests of a module."""
    folder = tmp_path_factory.mktemp("serving")
    with ExitStack() as stack:
        yield lambda *arguments, **words: stack.enter_context(
            _program(arguments, **{"folder": folder, **words})
        )


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Starts ``detent serve`` with some arguments, on a free port, in a folder of its own."""
    with ExitStack() as stack:
        yield lambda *arguments, **words: stack.enter_context(
            _program(arguments, **{"folder": tmp_path, **words})
        )


@contextmanager
def _program(
    arguments: tuple[str, ...], folder: Path, environment: dict[str, str] | None = None
) -> Iterator[Program]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("DETENT_")}
    with subprocess.Popen(
        [PROGRAM, "serve", "--port", "0", *arguments],
        cwd=folder,
        env=clean | {"PYTHONUNBUFFERED": "1"} | (environment or {}),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        program = Program(process, "")
        try:
            for line in process.stdout or ():
                program.said.append(line)
                if found := re.match(r"AWS +(http://\S+)/$", line):
                    program.url = found[1].replace("0.0.0.0", "127.0.0.1")
                if line.startswith("  export AWS_DEFAULT_REGION"):
                    break
            assert program.url, f"the server did not start:\n{''.join(program.said)}"
            yield program
        finally:
            process.kill()


@pytest.fixture
def boto() -> Callable[..., Any]:
    """A client of boto3 for a running server, as anybody makes one."""

    def client(
        server: Running,
        *,
        access_key: str = "any",
        secret: str = "any",
        region: str = "us-east-1",
        **settings: Any,
    ) -> Any:
        config = Config(
            inject_host_prefix=False,
            retries={"max_attempts": 0},
            read_timeout=120,
            proxies={},
            **settings,
        )
        return boto3.client(
            "stepfunctions",
            endpoint_url=server.url,
            region_name=region,
            aws_access_key_id=access_key,
            aws_secret_access_key=secret,
            config=config,
        )

    return client
