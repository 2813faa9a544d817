"""A load generator: so many connections, and on each one request after the other.

It runs as a process of its own, on another core than the server.
"""

from __future__ import annotations

import itertools
import select
import socket
import time
from collections.abc import Iterator

#: In a request: what is another number in each of them, with as many digits.
NUMBER = b"%012d"


def load(host: str, port: int, request: bytes, *, connections: int, seconds: float) -> tuple[float, int]:
    """Answers per second, and how many of them were no success."""
    numbers = itertools.count(time.time_ns() // 1000 % 10**11)
    poll = select.epoll()
    open_: dict[int, socket.socket] = {}
    for _ in range(connections):
        connection = socket.create_connection((host, port))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        open_[connection.fileno()] = connection
        poll.register(connection, select.EPOLLIN)
        connection.sendall(_numbered(request, numbers))
    answers = failures = 0
    begin = time.perf_counter()
    end = begin + seconds
    while time.perf_counter() < end:
        for number, _ in poll.poll(1.0):
            connection = open_[number]
            answer = connection.recv(65536)
            if not answer:
                raise RuntimeError("the server has closed a connection")
            if not _is_whole(answer):
                answer += _rest(connection, answer)
            answers += 1
            failures += not answer.startswith((b"HTTP/1.1 200", b"HTTP/1.1 202"))
            connection.sendall(_numbered(request, numbers))
    took = time.perf_counter() - begin
    for connection in open_.values():
        connection.close()
    return answers / took, failures


def _numbered(request: bytes, numbers: Iterator[int]) -> bytes:
    return request.replace(NUMBER, NUMBER % next(numbers)) if NUMBER in request else request


def _is_whole(answer: bytes) -> bool:
    head, blank, body = answer.partition(b"\r\n\r\n")
    return bool(blank) and len(body) >= _length(head)


def _length(head: bytes) -> int:
    return int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0] or 0)


def _rest(connection: socket.socket, answer: bytes) -> bytes:
    more = b""
    while not _is_whole(answer + more):
        more += connection.recv(65536)
    return more
