"""What is measured of the server: executions started per second, beside a bare aiohttp handler of JSON."""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import re
import socket
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from .load import NUMBER, load
from .place import place

PASS = {"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}}
MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:pass"
INPUT = json.dumps({"order": 1, "customer": "a name", "total": 12.5})

#: The limit: the least that answers JSON with JSON in aiohttp.
BARE = """
import os
from aiohttp import web
async def answer(request):
    asked = await request.json()
    return web.json_response({"executionArn": asked["stateMachineArn"], "startDate": 1.5})
app = web.Application()
app.router.add_post("/", answer)
web.run_app(app, host="127.0.0.1", port=int(os.environ["PORT"]), access_log=None, print=None)
"""


#: Requests that are open at a time, and for how many seconds each is measured.
CONNECTIONS = 64
SECONDS = 4.0


def server(options: argparse.Namespace) -> dict[str, Any]:
    """Executions of one Pass state started over HTTP, in memory and durable; a bare handler takes turns with them."""
    found: dict[str, Any] = {"connections": CONNECTIONS}
    for protocol in REQUESTS:
        rates: dict[str, list[float]] = {"bare": [], "memory": [], "sqlite": []}
        for _ in range(options.rounds):
            with place(None) as (url, folder):
                rates["bare"].append(bare(CONNECTIONS, SECONDS))
                rates["memory"].append(served("memory:", protocol, folder, CONNECTIONS, SECONDS))
                rates["sqlite"].append(served(url, protocol, folder, CONNECTIONS, SECONDS))
        found[protocol] = {
            f"{kind}_per_second": round(statistics.median(each)) for kind, each in rates.items()
        }
        for kind in ("memory", "sqlite"):
            ratios = [rate / limit for rate, limit in zip(rates[kind], rates["bare"], strict=True)]
            found[protocol][f"{kind}_ratio"] = round(statistics.median(ratios), 3)
    return found


def start_execution() -> bytes:
    """A request as an AWS SDK sends it."""
    body = json.dumps({"stateMachineArn": MACHINE, "input": INPUT}).encode()
    head = (
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-amz-json-1.0\r\n"
        f"X-Amz-Target: AWSStepFunctions.StartExecution\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def keyed_start() -> bytes:
    """A request of the REST API that may come twice: each has a key of its own."""
    head, blank, body = rest_start().partition(b"\r\n\r\n")
    return head + b"\r\nIdempotency-Key: " + NUMBER + blank + body


def rest_start() -> bytes:
    """A request of the REST API."""
    body = json.dumps({"machine": "pass", "input": json.loads(INPUT)}).encode()
    head = (
        "POST /v1/executions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


REQUESTS = {"aws": start_execution, "rest": rest_start, "rest_keyed": keyed_start}


def bare(connections: int, seconds: float) -> float:
    """Requests per second of the bare handler."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with _process([sys.executable, "-c", BARE], {"PORT": str(port)}):
        _await(port)
        return _load(port, start_execution(), connections, seconds)


def served(store: str, protocol: str, folder: Path, connections: int, seconds: float) -> float:
    """Executions started per second by ``detent serve``."""
    (folder / "pass.json").write_text(json.dumps(PASS))
    with serving(store, folder / "pass.json") as server:
        return _load(server.port, REQUESTS[protocol](), connections, seconds)


class Serving(NamedTuple):
    """A server on this machine: its port and its process."""

    port: int
    pid: int


@contextmanager
def serving(store: str, definition: Path, *options: str) -> Iterator[Serving]:
    """``detent serve`` with one definition, once it answers."""
    program = str(Path(sys.executable).parent / "detent")
    command = [program, "serve", str(definition), "--port", "0", "--store", store, *options]
    with _process(command, {"PYTHONUNBUFFERED": "1"}) as process:
        for line in process.stdout or ():
            if found := re.match(r"AWS +(http://\S+)/$", line):
                yield Serving(urlsplit(found[1]).port or 0, process.pid)
                return
    raise RuntimeError("the server did not start")


def _load(port: int, request: bytes, connections: int, seconds: float) -> float:
    """From a process of its own; the first second warms up and is not counted."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(1) as pool:
        words = {"connections": connections, "seconds": 1.0}
        pool.apply(load, ("127.0.0.1", port, request), words)
        rate, failures = pool.apply(load, ("127.0.0.1", port, request), words | {"seconds": seconds})
    if failures:
        raise RuntimeError(f"{failures} requests were refused")
    return rate


@contextmanager
def _process(command: list[str], environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        command, env=os.environ | environment, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def _await(port: int) -> None:
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except ConnectionRefusedError:
            continue
