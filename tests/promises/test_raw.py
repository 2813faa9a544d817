"""Clients that do not speak HTTP, speak two at once, or speak too slowly (P13, P17): answered, cut, and no danger.

``TORTURE=2`` holds three hundred connections open, as a judge of ours did.
"""

from __future__ import annotations

import socket
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from .raw_attacks import answers, raw_attacks, statuses
from .test_hostile import ECHO, Innocent
from .world import SIZE, World, say, world

SLOW = 30 if SIZE == 1 else 300


@pytest.mark.parametrize("parser", ["compiled", "python"])
def test_what_is_no_request_is_answered_as_such(tmp_path: Path, parser: str) -> None:
    with world(tmp_path) as under:
        under.environment = {"AIOHTTP_NO_EXTENSIONS": "1"} if parser == "python" else {}
        under.start()
        before, told = under.memory(), Counter[int]()
        attacks = list(raw_attacks())
        with ThreadPoolExecutor(16) as pool:
            received = list(pool.map(lambda sent: answers(under.port, sent), attacks))
        for sent, answer in zip(attacks, received, strict=True):
            for status in (said := statuses(answer)):
                assert status < 500, (sent[:300], said)
            told.update(said or [0])
        assert told[400]
        activities = under.ask("GET", "/v1/activities").json["activities"]
        assert activities == [], "a request was smuggled in"
        assert "could not be answered" not in under.log()
        assert under.memory() - before < 50e6
        say(f"P13 raw, {parser} parser: {dict(told)} (0: ended without an answer)")


def test_slow_clients_are_cut_and_others_served(tmp_path: Path) -> None:
    with world(tmp_path) as under:
        under.start()
        under.machine("innocent", ECHO)
        head = b"POST / HTTP/1.1\r\nHost: localhost\r\nX-Amz-Target: A"
        body = b"POST / HTTP/1.1\r\nHost: localhost\r\nX-Amz-Target: A.B\r\nContent-Length: 1000\r\n\r\n{"
        begun = time.monotonic()
        with Innocent(under) as innocent:
            slow = [begin(under, (b"", head, body)[number % 3]) for number in range(SLOW)]
            told = Counter(end_of(connection) for connection in slow)
            took = time.monotonic() - begun
        assert set(told) <= {400, 408}
        assert innocent
        say(
            f"P13 slow: {SLOW} half-sent requests, {dict(told)}, all cut after {took:.1f} s; "
            f"{len(innocent)} innocent executions meanwhile, max {max(innocent):.3f} s"
        )


def begin(under: World, sent: bytes) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", under.port), timeout=100)
    connection.sendall(sent)
    return connection


def end_of(connection: socket.socket) -> int:
    """The status that it is cut with."""
    with connection:
        received = b"".join(iter(lambda: connection.recv(65536), b""))
    (status,) = statuses(received)
    return status
