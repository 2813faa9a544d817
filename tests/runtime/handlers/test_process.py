"""Tasks that start a program, with real processes."""

from __future__ import annotations

import asyncio
import os
import shlex
import signal
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from detent.runtime.handlers.base import TaskError, task_key
from detent.runtime.handlers.guards import PUBLIC_ONLY
from detent.runtime.handlers.process import ProcessHandler
from detent.runtime.handlers.registry import Registry

from .conftest import Await, Do, call


def shell(script: str) -> str:
    return f"exec:sh -c {shlex.quote(script)}"


def python(script: str) -> str:
    return f"exec:{shlex.quote(sys.executable)} -c {shlex.quote(script)}"


def failure(do: Do, resource: str, arguments: Any = None) -> TaskError:
    with pytest.raises(TaskError) as caught:
        do(resource, arguments)
    return caught.value


@pytest.mark.parametrize("arguments", [{"n": 1, "ü": ["€"]}, None, "text", 2**70])
def test_arguments_go_in_and_the_result_comes_out_as_json(do: Do, arguments: Any) -> None:
    assert do("exec:cat", arguments) == arguments


@pytest.mark.parametrize(
    ("script", "result"),
    [
        ("true", None),
        ("echo", None),
        ("echo hello", "hello\n"),
        ("echo '[1, 2]'", [1, 2]),
        ("echo NaN", "NaN\n"),
        ("echo 5; echo noise >&2", 5),
    ],
)
def test_stdout_is_parsed_or_kept_as_text(do: Do, script: str, result: Any) -> None:
    assert do(shell(script)) == result


def test_there_is_no_shell(do: Do) -> None:
    assert do("exec:echo $HOME '; echo' *") == "$HOME ; echo *\n"


def test_the_environment_says_what_runs_and_keeps_connections_to_itself(
    do: Do, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DETENT_CONNECTION_BILLING", "secret")
    monkeypatch.setenv("COLOUR", "red")
    seen = do(python("import json, os; print(json.dumps(dict(os.environ)))"))
    assert {name: value for name, value in seen.items() if name.startswith("DETENT_")} == {
        "DETENT_EXECUTION": "e-1",
        "DETENT_STATE": "Charge",
        "DETENT_ATTEMPT": "2",
        "DETENT_IDEMPOTENCY_KEY": task_key("e-1", 7),
    }
    assert seen["COLOUR"] == "red"


def test_paths_are_relative_to_the_working_directory(
    do: Do, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = tmp_path / "charge.sh"
    script.write_text("#!/bin/sh\necho '{\"paid\": true}'\n")
    script.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    assert do("exec:./charge.sh") == {"paid": True}


def test_an_exit_code_is_an_error_with_the_end_of_stderr(do: Do) -> None:
    error = failure(do, shell("echo lost; echo first >&2; echo no money >&2; exit 3"))
    assert (error.error, error.cause) == ("Exec.ExitCode.3", "first\nno money")


def test_only_the_end_of_a_long_stderr_is_kept(do: Do) -> None:
    error = failure(do, python("import sys; sys.stderr.write('x' * 10**6 + 'the end'); sys.exit(1)"))
    assert (error.cause or "").endswith("xthe end")
    assert len(error.cause or "") == 8192


def test_a_signal_is_an_error(do: Do) -> None:
    assert failure(do, shell("kill -9 $$")).error == "Exec.Signal.SIGKILL"


@pytest.mark.parametrize("resource", ["exec:no-such-program-here", "exec:./no-such-file"])
def test_a_missing_program_is_an_error(do: Do, resource: str) -> None:
    assert failure(do, resource).error == "Exec.NotFound"


@pytest.mark.parametrize("program", ["/", "no\0pe"])
def test_what_is_no_program_is_an_error(do: Do, program: str) -> None:
    assert failure(do, f"exec:{program}").error == "Exec.NotStarted"


def test_a_program_need_not_read_its_arguments(do: Do) -> None:
    assert do("exec:true", "x" * 1_000_000) is None


def test_large_arguments_and_results_pass(do: Do) -> None:
    arguments = ["x" * 1000] * 2000
    assert do("exec:cat", arguments) == arguments


def test_output_without_end_is_stopped(do: Do) -> None:
    error = failure(do, "exec:yes")
    assert error.error == "States.DataLimitExceeded"


def test_what_a_program_leaves_in_the_background_ends_with_it(do: Do) -> None:
    child = do(shell("sleep 600 & echo $!"))
    assert ends(child)


def test_a_daemon_that_keeps_stdout_open_is_not_waited_for(do: Do) -> None:
    script = """
        import os, subprocess, sys
        child = subprocess.Popen(["sleep", "600"], start_new_session=True)
        print(child.pid)
    """
    child = do(python("\n".join(line.strip() for line in script.splitlines())))
    assert is_running(child)
    os.kill(child, signal.SIGKILL)


def test_a_cancelled_process_is_asked_to_end(on_loop: Await, tmp_path: Path) -> None:
    note = tmp_path / "note"
    script = f"trap 'echo asked > {note}; exit 0' TERM; echo > {tmp_path}/begun; while :; do sleep 0.01; done"
    on_loop(cancelled(ProcessHandler(["sh", "-c", script], os.environ), tmp_path / "begun"))
    assert note.read_text() == "asked\n"


def test_a_process_that_will_not_end_is_ended_with_its_children(on_loop: Await, tmp_path: Path) -> None:
    script = f"trap '' TERM; sleep 600 & echo $$ $! > {tmp_path}/begun; while :; do sleep 0.01; done"
    handler = ProcessHandler(["sh", "-c", script], os.environ, grace_seconds=0.05)
    pids = on_loop(cancelled(handler, tmp_path / "begun"))
    assert [ends(int(pid)) for pid in pids.split()] == [True, True]


async def cancelled(handler: ProcessHandler, begun: Path) -> str:
    """Cancel a process once it has written to a pipe that it has begun, and answer what it wrote."""
    os.mkfifo(begun)
    running = asyncio.ensure_future(handler.run(call("exec:"), lambda: None))
    written = await asyncio.to_thread(begun.read_text)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    return written


def is_running(pid: int) -> bool:
    """Whether a process runs; an orphan's remains may still wait for their new parent."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def ends(pid: int) -> bool:
    """Whether a process that was sent a signal ends; signals take their time."""
    for _ in range(20_000):
        if not is_running(pid):
            return True
        time.sleep(0.005)
    return False


@pytest.mark.parametrize(
    ("resource", "reason"),
    [
        ("exec:", "names no program"),
        ("exec:''", "names no program"),
        ("exec:echo 'open", "cannot be split into words: No closing quotation"),
        ("exec:no-such-program-here x", "there is no program 'no-such-program-here'"),
    ],
)
def test_what_cannot_be_started_is_found_before_the_start(
    registry: Registry, resource: str, reason: str
) -> None:
    assert reason in (registry.refusal(resource) or "")


def test_what_can_be_started_is_not_refused(registry: Registry) -> None:
    assert registry.refusal("exec:cat") is None


def test_guards_keep_tasks_from_starting_programs(on_loop: Await) -> None:
    registry = Registry(guards=PUBLIC_ONLY)
    assert "allow it with --allow-exec cat" in str(registry.refusal("exec:cat"))
    assert registry.resolve("exec:cat") is None
    on_loop(registry.close())


def test_many_processes_run_side_by_side(registry: Registry, on_loop: Await) -> None:
    async def ten() -> list[Any]:
        handler = registry.resolve("exec:cat")
        return await asyncio.gather(*[handler.run(call("exec:cat", n), lambda: None) for n in range(10)])

    assert on_loop(ten()) == list(range(10))
