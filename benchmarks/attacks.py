"""What innocent executions wait for beside attackers, and by how much the server's memory grows meanwhile."""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import multiprocessing
import os
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import aiohttp

from .bombs import KINDS, attack
from .place import place
from .server import serving

#: Five states with two expressions, two paths and a task: what an innocent runs, again and again.
INNOCENT: Any = {
    "StartAt": "Count",
    "States": {
        "Count": {
            "Type": "Pass",
            "QueryLanguage": "JSONata",
            "Output": "{% $merge([$states.input, {'n': $count($states.input.l)}]) %}",
            "Next": "Many",
        },
        "Many": {
            "Type": "Choice",
            "QueryLanguage": "JSONata",
            "Choices": [{"Condition": "{% $states.input.n > 100 %}", "Next": "Fail"}],
            "Default": "Pick",
        },
        "Fail": {"Type": "Fail"},
        "Pick": {"Type": "Pass", "Parameters": {"x.$": "$.l[0]", "n.$": "$.n"}, "Next": "Work"},
        "Work": {"Type": "Task", "Resource": "task:echo", "Next": "Done"},
        "Done": {"Type": "Succeed"},
    },
}
HANDLERS = """
import detent

@detent.task("echo")
def echo(given, context):
    return given
"""
#: Innocents at a time, and attackers where nobody says how many.
INNOCENTS, ATTACKERS = 2, 8
#: How long each kind of attack lasts, in seconds.
SECONDS = 12.0


def attacks(options: argparse.Namespace) -> dict[str, Any]:
    """Each kind of attack in turn on one server; the first line is of a server that is left in peace."""
    found: dict[str, Any] = {"attackers": options.attackers or ATTACKERS}
    with place(options.store) as (url, folder):
        (folder / "handlers.py").write_text(HANDLERS)
        (folder / "innocent.json").write_text(json.dumps(INNOCENT))
        with serving(url, folder / "innocent.json", "--handlers", str(folder / "handlers.py")) as server:
            for kind in options.kinds or ("", *KINDS):
                found[kind or "peace"] = _attacked(server.port, server.pid, kind, found["attackers"])
    return found


def _attacked(port: int, process: int, kind: str, attackers: int) -> dict[str, Any]:
    definitions, inputs = attack(kind) if kind else ([], [])
    answers: Counter[str] = Counter()
    with _memory(process) as memory, multiprocessing.get_context("spawn").Pool(1) as pool:
        waits = pool.apply_async(innocents, (port, SECONDS))
        if definitions:
            answers = asyncio.run(_attack(port, kind, definitions, inputs, attackers))
        executions, pings = waits.get()
    return {
        "executions": len(executions),
        "execution_ms": _percentiles(executions),
        "ping_ms": _percentiles(pings),
        "grown_mb": round((max(memory) - memory[0]) / 1e6),
        "attacks": dict(sorted(answers.items())),
    }


def _percentiles(seconds: list[float]) -> dict[str, float]:
    times = sorted(seconds)
    return {
        name: round(1000 * times[min(len(times) - 1, int(len(times) * part))], 1)
        for name, part in (("p50", 0.5), ("p99", 0.99), ("max", 1.0))
    }


async def _attack(
    port: int, kind: str, definitions: list[Any], inputs: list[bytes], attackers: int
) -> Counter[str]:
    """So many attackers, each with one execution at a time; how what they asked for ended."""
    answers: Counter[str] = Counter()
    until = time.monotonic() + SECONDS
    limits = aiohttp.ClientTimeout(total=300)
    at = f"http://127.0.0.1:{port}/v1"
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), timeout=limits) as session:
        names = []
        for number, definition in enumerate(definitions):
            body = {"name": f"{kind}-{number}", "definition": definition}
            async with session.post(f"{at}/machines", json=body) as answer:
                if answer.status == 400:
                    answers["refused"] += 1
                else:
                    names.append(body["name"])
        turns = itertools.cycle([(name, input) for input in inputs for name in names])

        async def attacker() -> None:
            while time.monotonic() < until:
                name, input = next(turns)
                body = b'{"machine": "%s", "input": %s}' % (name.encode(), input)
                headers = {"Content-Type": "application/json"}
                async with session.post(f"{at}/executions?wait=20s", data=body, headers=headers) as answer:
                    told = await answer.json(content_type=None)
                    answers[told.get("status") if answer.status < 400 else str(answer.status)] += 1

        await asyncio.gather(*(attacker() for _ in range(attackers)))
    return answers


def innocents(port: int, seconds: float) -> tuple[list[float], list[float]]:
    """How long each innocent execution took, and each question whether the server lives, in seconds.

    What a thread here waited for a processor is nobody's fault but the benchmark's, and not counted.
    """
    executions: list[float] = []
    pings: list[float] = []
    body = json.dumps({"machine": "innocent", "input": {"l": [1, 2, 3], "s": "x"}})
    asks = [("POST", "/v1/executions?wait=60s", body, executions)] * INNOCENTS
    threads = [
        threading.Thread(target=_ask_on, args=(port, time.monotonic() + seconds, *asked))
        for asked in (*asks, ("GET", "/healthz", None, pings))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return executions, pings


def _ask_on(port: int, until: float, method: str, path: str, body: str | None, times: list[float]) -> None:
    connection = HTTPConnection("127.0.0.1", port, timeout=300)
    while time.monotonic() < until:
        began = time.monotonic() - _delayed()
        connection.request(method, path, body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        told = answer.read()
        times.append(time.monotonic() - _delayed() - began)
        if answer.status >= 400 or (body and json.loads(told)["status"] != "SUCCEEDED"):
            raise RuntimeError(f"an innocent was answered {answer.status}: {told[:200]!r}")
        time.sleep(0.01)


def _delayed() -> float:
    """Seconds that this thread has waited for a processor until now."""
    return int(Path(f"/proc/self/task/{threading.get_native_id()}/schedstat").read_text().split()[1]) / 1e9


@contextmanager
def _memory(process: int) -> Iterator[list[int]]:
    """Resident memory of a process, in bytes, looked at all the time."""
    pages = Path(f"/proc/{process}/statm")
    over = threading.Event()
    seen: list[int] = []

    def look() -> None:
        while True:
            seen.append(int(pages.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE"))
            if over.wait(0.05):
                return

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()
