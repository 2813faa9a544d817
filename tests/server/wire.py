"""Requests as bytes on a socket, and what comes back."""

from __future__ import annotations

import json
import socket
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def connect(url: str) -> socket.socket:
    parts = urlsplit(url)
    assert parts.hostname is not None
    return socket.create_connection((parts.hostname, parts.port or 80), timeout=60)


def exchange(url: str, request: bytes) -> Answer | None:
    """The answer to some bytes; None if the connection was closed without one."""
    with connect(url) as connection:
        try:
            connection.sendall(request)
        except (BrokenPipeError, ConnectionResetError):
            pass  # it may have answered before it had read everything
        return read_answer(connection)


class Rest:
    """A connection of which some bytes have been read already, and not used."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self.left = b""

    def more(self) -> None:
        """Read on. Raises EOFError at the end."""
        try:
            received = self._connection.recv(65536)
        except ConnectionResetError:
            received = b""
        if not received:
            raise EOFError
        self.left += received


def read_answer(connection: socket.socket | Rest) -> Answer | None:
    """The next answer on a connection; None if it ends without one."""
    rest = connection if isinstance(connection, Rest) else Rest(connection)
    try:
        while b"\r\n\r\n" not in rest.left:
            rest.more()
    except EOFError:
        assert not rest.left, f"half an answer: {rest.left[:200]!r}"
        return None
    head, _, rest.left = rest.left.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    if first.split()[1] == "100":
        return read_answer(rest)
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    length = int(headers.get("content-length", 0))
    while len(rest.left) < length:
        rest.more()
    body, rest.left = rest.left[:length], rest.left[length:]
    return Answer(int(first.split()[1]), headers, body)


def request(
    method: str, path: str, *headers: str, body: bytes = b"", host: str = "localhost", close: bool = True
) -> bytes:
    """A well-formed request."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}", *headers]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    if close:
        lines.append("Connection: close")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body
