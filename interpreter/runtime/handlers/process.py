"""Tasks that start a program: ``exec:ARGV``.

There is no shell: the text is split into words as a shell would, and nothing else. The program reads the
arguments as JSON on stdin; what it writes to stdout is the result, parsed where it is JSON, text where it
is not, null where it is empty. It leads a process group of its own, and the group ends with it or with
the task.
"""

from __future__ import annotations

import asyncio
import os
import shlex
import shutil
import signal
from collections.abc import Mapping
from contextlib import suppress
from typing import cast

from ...core.errors import DATA_LIMIT_EXCEEDED
from ...core.values import JSON, encode
from .base import Beat, TaskCall, TaskError
from .connections import CONNECTION_PREFIX
from .errors import HandlersError
from .payloads import RESULT_BYTES_MAX, cut, parse_or_text

EXEC = "exec:"
#: Bytes kept of the end of stderr.
_STDERR_BYTES = 8 * 1024
_STDERR = 2
#: Seconds after the end of a process in which its pipes are still read. They hold no more than one read.
_DRAIN_SECONDS = 0.5
#: Seconds between asking a process to end and ending it.
GRACE_SECONDS = 5.0
#: Seconds in which a process that was ended is waited for: the system needs a moment.
_REAPING_SECONDS = 1.0


def argv_of(resource: str) -> list[str]:
    """The words of an ``exec:`` resource. Raises HandlersError if there are none, or they cannot be told apart."""
    try:
        words = shlex.split(resource.removeprefix(EXEC))
    except ValueError as error:
        raise HandlersError(f"{resource!r} cannot be split into words: {error}") from None
    if not words or not words[0]:
        raise HandlersError(f"{resource!r} names no program: write exec:PROGRAM ARGUMENT...")
    return words


def is_missing(program: str, environment: Mapping[str, str]) -> bool:
    """Whether no such program is found: in the working directory if it has a slash, else on the PATH."""
    return shutil.which(program, path=environment.get("PATH")) is None


class ProcessHandler:
    """Runs one command. ``environment`` is the process's, less the connections' secrets."""

    slots = None

    def __init__(
        self, argv: list[str], environment: Mapping[str, str], *, grace_seconds: float = GRACE_SECONDS
    ) -> None:
        self._argv = argv
        self._environment = {
            name: value for name, value in environment.items() if not name.startswith(CONNECTION_PREFIX)
        }
        self._grace_seconds = grace_seconds

    async def run(self, task: TaskCall, beat: Beat) -> JSON:
        starting = asyncio.ensure_future(self._start(task))
        try:
            # Shielded: asyncio would kill a half-started process at once, and leave its children alone.
            process = await asyncio.shield(starting)
            process.feed(encode(task.arguments))
            await process.ended.wait()
        except asyncio.CancelledError:
            await self._end(starting)
            raise
        return self._outcome(process)

    async def _end(self, starting: asyncio.Future[_Process]) -> None:
        try:
            process = await starting
        except TaskError:
            return
        await process.end(self._grace_seconds)

    async def _start(self, task: TaskCall) -> _Process:
        try:
            _, process = await asyncio.get_running_loop().subprocess_exec(
                _Process,
                *self._argv,
                env={**self._environment, **_task_variables(task)},
                start_new_session=True,
            )
        except FileNotFoundError:
            raise TaskError(
                "Exec.NotFound", f"there is no program {self._argv[0]!r}, or what it starts with is missing"
            ) from None
        except (OSError, ValueError) as error:
            raise TaskError("Exec.NotStarted", f"{self._argv[0]!r} cannot be started: {error}") from None
        return process

    def _outcome(self, process: _Process) -> JSON:
        code = process.code
        if process.too_large:
            raise TaskError(
                DATA_LIMIT_EXCEEDED, f"{self._argv[0]!r} wrote more than {RESULT_BYTES_MAX} bytes to stdout"
            )
        cause = cut(bytes(process.err).decode("utf-8", "replace").strip())
        if code < 0:
            raise TaskError(f"Exec.Signal.{_signal_name(-code)}", cause)
        if code > 0:
            raise TaskError(f"Exec.ExitCode.{code}", cause)
        return parse_or_text(bytes(process.out))


def _task_variables(task: TaskCall) -> dict[str, str]:
    return {
        "DETENT_EXECUTION": task.execution,
        "DETENT_STATE": task.state,
        "DETENT_ATTEMPT": str(task.attempt),
        "DETENT_IDEMPOTENCY_KEY": task.key,
    }


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return str(number)


class _Process(asyncio.SubprocessProtocol):
    """What a process has written, and whether it has ended.

    ``ended`` is set when the process is gone and its pipes are closed. What it left in the background
    would hold the pipes, so its group is ended with it, and who left the group is not waited for.
    """

    def __init__(self) -> None:
        self.out = bytearray()
        self.err = bytearray()
        self.too_large = False
        self.ended = asyncio.Event()
        self._transport: asyncio.SubprocessTransport | None = None
        self._drained: asyncio.TimerHandle | None = None

    @property
    def transport(self) -> asyncio.SubprocessTransport:
        assert self._transport is not None, "the process has not been started"
        return self._transport

    @property
    def code(self) -> int:
        """The exit code, negative for a signal."""
        code = self.transport.get_returncode()
        assert code is not None, "the process has not ended"
        return code

    def feed(self, text: bytes) -> None:
        """Give the process its whole stdin. One that does not read it may end all the same."""
        stdin = cast("asyncio.WriteTransport", self.transport.get_pipe_transport(0))
        stdin.write(text)
        stdin.close()

    async def end(self, grace_seconds: float) -> None:
        """Ask the group to end; end what is left of it after the grace, or at once when cancelled again."""
        try:
            for number, patience in ((signal.SIGTERM, grace_seconds), (signal.SIGKILL, _REAPING_SECONDS)):
                self._signal(number)
                with suppress(TimeoutError):
                    async with asyncio.timeout(patience):
                        await self.ended.wait()
        finally:
            self._signal(signal.SIGKILL)
            self.transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.SubprocessTransport", transport)

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        if fd == _STDERR:
            self.err = (self.err + data)[-_STDERR_BYTES:]
        elif len(self.out) + len(data) > RESULT_BYTES_MAX:
            self.too_large = True
            self._signal(signal.SIGKILL)
        else:
            self.out += data

    def process_exited(self) -> None:
        _signal_group(self.transport.get_pid(), signal.SIGKILL)
        self._drained = asyncio.get_running_loop().call_later(_DRAIN_SECONDS, self.transport.close)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._drained is not None:
            self._drained.cancel()
        self.transport.close()
        self.ended.set()

    def _signal(self, number: signal.Signals) -> None:
        """Signal the group, while the process that leads it lives."""
        if self.transport.get_returncode() is None:
            _signal_group(self.transport.get_pid(), number)


def _signal_group(leader: int, number: signal.Signals) -> None:
    try:
        os.killpg(leader, number)
    except (ProcessLookupError, PermissionError):  # nobody is left, or only those who became another user
        pass
