"""A server that dies and comes back on the same port, and clients that only know its port."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

#: How large the tests are: ``TORTURE=10`` makes ten times as many executions, kills and timers.
SIZE = int(os.environ.get("TORTURE", "1"))
PROGRAM = str(Path(sys.executable).with_name("detent"))
EFFECTS = str(Path(__file__).with_name("effects.py"))
#: Far more than anything takes, in seconds.
PATIENCE = 600 * max(1, SIZE // 5)


@dataclass(frozen=True)
class Effect:
    """One run of one attempt of a task. ``at`` is in seconds since the epoch."""

    key: str
    execution: str
    state: str
    process: int
    at: float


class World:
    """A folder with a store and the effects of all tasks, and at most one server, always on the same port."""

    def __init__(self, folder: Path, *options: str, store: str | None = None) -> None:
        self.folder = folder
        self.store = store or f"sqlite:///{folder / 'detent.db'}"
        self.options = options
        self.environment: dict[str, str] = {}
        #: What stands before the command, to give the process other surroundings.
        self.before: Sequence[str] = ()
        #: Whether a server that ends by itself is started again, as a supervisor would.
        self.supervised = False
        self.port, self.claim = own_port()
        self.process: subprocess.Popen[bytes] | None = None
        self.effects_file = folder / "effects"
        self.effects_file.touch()

    def start(self) -> float:
        """Start the server and wait until it is ready; how long that took, in seconds."""
        begun = time.monotonic()
        self.spawn()
        self.until_ready()
        return time.monotonic() - begun

    def spawn(self) -> None:
        """Start the server."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith("DETENT_")}
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [
                    *self.before,
                    *(PROGRAM, "serve", "--port", str(self.port), "--store", self.store),
                    *("--handlers", EFFECTS, *self.options),
                ],
                cwd=self.folder,
                env=clean | {"EFFECTS": str(self.effects_file)} | self.environment,
                stdout=log,
                stderr=log,
            )

    def until_ready(self) -> None:
        """Wait until the server says that it can work. AssertionError if it ends before."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            assert self.is_running, f"the server has ended:\n{self.log()[-4000:]}"
            try:
                if self.ask("GET", "/readyz").status == 200:
                    return
            except OSError:
                pass
            time.sleep(0.02)
        raise AssertionError(f"the server is not ready:\n{self.log()[-4000:]}")

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def kill(self) -> None:
        """SIGKILL."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def end(self) -> int:
        """SIGTERM; the exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait()

    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")

    def effects(self) -> list[Effect]:
        """Every run of every task, in order."""
        words = (line.split() for line in self.effects_file.read_text().splitlines())
        return [Effect(w[0], w[1], w[2], int(w[3]), int(w[4]) / 1e9) for w in words]

    def memory(self) -> int:
        """Resident memory of the server, in bytes."""
        assert self.process is not None
        pages = Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")

    # Over HTTP

    def ask(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Answer:
        """One request, one answer. Raises OSError if there is none; AssertionError for a malformed one."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=300)
        sent = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        try:
            connection.request(method, path, sent, {"Content-Type": "application/json"} | (headers or {}))
            response = connection.getresponse()
            return Answer(response.status, dict(response.getheaders()), response.read())
        except http.client.HTTPException as error:
            raise ConnectionError(repr(error)) from error
        finally:
            connection.close()

    def sfn(self, operation: str, /, **arguments: Any) -> Answer:
        """An operation of the AWS protocol."""
        return self.ask("POST", "/", arguments, {"X-Amz-Target": f"AWSStepFunctions.{operation}"})

    def insist(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> Answer:
        """An answer that is none of a server in trouble, asked for again until there is one."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            try:
                answer = self.ask(method, path, body, headers)
            except OSError:
                if self.supervised and not self.is_running:
                    self.spawn()
            else:
                if answer.status < 500:
                    return answer
                answer.must_be_well_formed()
            time.sleep(0.02)
        raise AssertionError(f"{method} {path} is not answered:\n{self.log()[-4000:]}")

    def machine(self, name: str, definition: Any) -> None:
        """Create a state machine."""
        answer = self.insist("POST", "/v1/machines", {"name": name, "definition": definition})
        assert answer.status in (201, 409), answer

    def begin(self, machine: str, name: str, input: Any = None) -> bool:
        """Start an execution by name; whether that was acknowledged. Asked again it is the same execution."""
        body = {"machine": machine, "name": name, "input": {} if input is None else input}
        try:
            answer = self.ask("POST", "/v1/executions", body)
        except OSError:
            return False
        answer.must_be_well_formed()
        return answer.status in (202, 409)

    def executions(self, status: str | None = None) -> dict[str, dict[str, Any]]:
        """All executions, by name."""
        found: dict[str, dict[str, Any]] = {}
        cursor, only = "", "" if status is None else f"&status={status}"
        while True:
            page = self.insist("GET", f"/v1/executions?limit=1000{only}{cursor}").json
            found |= {one["name"]: one for one in page["executions"]}
            if page["next"] is None:
                return found
            cursor = f"&cursor={page['next']}"

    def until_ended(self) -> dict[str, dict[str, Any]]:
        """Wait until nothing runs any more; all executions by name."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            found = self.insist("GET", "/v1/executions?limit=1&status=RUNNING").json["executions"]
            if not found:
                return self.executions()
            time.sleep(0.1)
        raise AssertionError(
            f"still running: {sorted(self.executions('RUNNING'))[:20]}\n{self.log()[-4000:]}"
        )

    def history(self, execution: str) -> list[dict[str, Any]]:
        """All events of an execution, by its ARN."""
        found: list[dict[str, Any]] = []
        cursor = ""
        while True:
            path = f"/v1/executions/{execution}/history?limit=1000{cursor}"
            page = self.insist("GET", path).json
            found += page["events"]
            if page["next"] is None:
                return found
            cursor = f"&cursor={page['next']}"


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    def must_be_well_formed(self) -> None:
        """An answer of a server that cannot do it now says so, and when to ask again."""
        told = self.json
        assert isinstance(told, dict), self
        if self.status >= 500:
            assert self.status == 503, self
            assert int(self.headers["Retry-After"]) > 0, self


def own_port() -> tuple[int, socket.socket]:
    """A port for a server that comes and goes, and what keeps it from the other processes of the tests.

    It is none that the system gives to clients: while there is no server, one of them could be given it, even one that
    looks for the server, which would then talk to itself.
    """
    for port in Random().sample(range(12_000, 32_000), 10_000):
        # Nobody else uses the port of that number for datagrams.
        claim = socket.socket(type=socket.SOCK_DGRAM)
        with suppress(OSError), socket.socket() as tried:
            claim.bind(("127.0.0.1", port))
            tried.bind(("127.0.0.1", port))
            return port, claim
        claim.close()
    raise AssertionError("no port is free")


@contextmanager
def world(folder: Path, *options: str, store: str | None = None) -> Iterator[World]:
    """A world whose server, if any, is killed in the end."""
    made = World(folder, *options, store=store)
    try:
        yield made
    finally:
        made.kill()
        made.claim.close()


@contextmanager
def workers_beside(under: World, count: int, *, lease: int) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Workers on the store of a world, which do the same tasks; each has said that it is at work."""
    command = [
        PROGRAM,
        "worker",
        "--store",
        under.store,
        "--handlers",
        EFFECTS,
        "--lease-seconds",
        str(lease),
    ]
    environment = os.environ | {"EFFECTS": str(under.effects_file)}
    logs = [under.folder / f"worker-{number}" for number in range(count)]
    started = []
    try:
        for path in logs:
            with path.open("wb") as log:
                started.append(subprocess.Popen(command, cwd=under.folder, env=environment, stderr=log))
        until = time.monotonic() + PATIENCE
        while not all("is at work" in path.read_text() for path in logs):
            assert time.monotonic() < until
            assert all(worker.poll() is None for worker in started)
            time.sleep(0.02)
        yield started
    finally:
        for worker in started:
            worker.kill()
            worker.wait()


def say(figures: str) -> None:
    """Tell what was measured, to whoever runs the tests with ``-s``."""
    sys.stdout.write(f"\n{figures}\n")
