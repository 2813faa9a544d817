"""Bytes that are no request, nearly one, or two in one; what a proxy would read otherwise than a server."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator

HOST = b"Host: localhost\r\n"
TARGET = b"X-Amz-Target: AWSStepFunctions.ListActivities\r\n"
#: A second request, hidden in what a careless reader takes for the body of the first.
HIDDEN = (
    b"POST /v1/activities HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    b'Content-Length: 20\r\n\r\n{"name": "smuggled"}'
)


def post(*lines: bytes, body: bytes = b"") -> bytes:
    return (
        b"POST / HTTP/1.1\r\n" + HOST + TARGET + b"".join(line + b"\r\n" for line in lines) + b"\r\n" + body
    )


def raw_attacks() -> Iterator[bytes]:
    yield from _lines()
    yield from _heads()
    yield from _lengths()
    yield from _chunks()


def _lines() -> Iterator[bytes]:
    """First lines."""
    for line in (
        b"",
        b" ",
        b"\x00",
        b"GET",
        b"GET /",
        b"GET / HTTP",
        b"GET / HTTP/9.9",
        b"GET / HTTP/1.10000000000000000000",
        b"GET  /  HTTP/1.1",
        b"GET\t/\tHTTP/1.1",
        b"GET /\x00 HTTP/1.1",
        b"GET /\xff HTTP/1.1",
        b"GET /a b HTTP/1.1",
        b"GET //evil HTTP/1.1",
        b"GET http://evil.example.com/ HTTP/1.1",
        b"GET http://[::1/ HTTP/1.1",
        b"GET http://localhost:99999999/ HTTP/1.1",
        b"GET \\..\\.. HTTP/1.1",
        b"GET /../../etc/passwd HTTP/1.1",
        b"GET /v1/machines?%zz HTTP/1.1",
        b"GET * HTTP/1.1",
        b"OPTIONS * HTTP/1.1",
        b"CONNECT evil.example.com:443 HTTP/1.1",
        b"G" * 20_000 + b" / HTTP/1.1",
        b"GET /" + b"a" * 20_000 + b" HTTP/1.1",
        b"GET / HTTP/1.1\r",
        b"G\xc3\xa9T / HTTP/1.1",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"PRI * HTTP/2.0",
        b"SSH-2.0-x",
        b"*1\r\n$4\r\nPING",
        b"\x80\x00\x00\x01",
        b"{}",
    ):
        yield line + b"\r\n" + HOST + b"\r\n"
        yield line + b"\n" + HOST.replace(b"\r", b"") + b"\n"


def _heads() -> Iterator[bytes]:
    """Headers."""
    for header in (
        b"A",
        b":",
        b": b",
        b"A : b",
        b" A: b",
        b"\tA: b",
        b"A: b\r\n c",
        b"A: \x00",
        b"A: \xff\xfe",
        b"A\x00: b",
        b"A\xff: b",
        b"A: b\rB: c",
        b"A: b\nB: c",
        b"A: " + b"b" * 20_000,
        b"A" * 20_000 + b": b",
        b"\r\n".join(b"A%d: b" % number for number in range(2_000)),
        b"Host: evil.example.com",
        b"Host: ",
        b"Origin: http://evil.example.com",
        b"Connection: upgrade\r\nUpgrade: h2c",
        b"Connection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x",
        b"Content-Encoding: gzip",
        b"Content-Encoding: zstd, br",
        b"Transfer-Encoding: gzip",
        b"Expect: 100-continue, miracles",
        b"Content-Type: application/json; charset=\xff",
        b"Content-Type: " + b"a/" * 2_000,
        b"Cookie: " + b"a=b; " * 1_500,
        b"X-Request-Id: a\x7fb",
        b"Authorization: Bearer " + b"x" * 7_000,
        b"Range: bytes=0-18446744073709551615",
        b"X-Forwarded-For: " + b"1.2.3.4, " * 700,
    ):
        yield post(header, b"Content-Length: 2", body=b"{}")
        yield b"GET /v1/machines HTTP/1.1\r\n" + HOST + header + b"\r\n\r\n"


def _lengths() -> Iterator[bytes]:
    """Lengths, one or two, that are none or say different things."""
    for length in (
        b"Content-Length: -1",
        b"Content-Length: +2",
        b"Content-Length: 2, 2",
        b"Content-Length: 2,3",
        b"Content-Length: 0x2",
        b"Content-Length: 2.0",
        b"Content-Length: 2 2",
        b"Content-Length: \xd9\xa2",
        b"Content-Length: 99999999999999999999999999",
        b"Content-Length: " + b"0" * 5_000 + b"2",
        b"Content-Length:",
        b"Content-Length: 2\r\nContent-Length: 3",
        b"Content-Length: 2\r\nContent-Length: 2",
        b"Content-Length: 4\r\nTransfer-Encoding: chunked",
        b"Transfer-Encoding: chunked\r\nContent-Length: 4",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
        b"Transfer-Encoding: identity, chunked\r\nContent-Length: 4",
        b"Transfer-Encoding: chunked, identity",
        b"Transfer-Encoding: xchunked",
        b"Transfer-Encoding:\x0bchunked",
        b"Transfer-Encoding : chunked",
        b"Transfer-Encoding: chunked\r\n folded",
        b"Transfer_Encoding: chunked",
    ):
        for body in (b"{}", b"0\r\n\r\n" + HIDDEN, b"{}" + HIDDEN):
            yield post(length, body=body)


def _chunks() -> Iterator[bytes]:
    """Bodies in chunks that are none."""
    for body in (
        b"zz\r\n",
        b"-1\r\n{}\r\n0\r\n\r\n",
        b"0x2\r\n{}\r\n0\r\n\r\n",
        b"2\n{}\n0\n\n",
        b"2\r\n{}0\r\n\r\n",
        b"2\r\n{}xx\r\n0\r\n\r\n",
        b"1\r\n{}\r\n0\r\n\r\n",
        b"2;" + b"a" * 20_000 + b"\r\n{}\r\n0\r\n\r\n",
        b"2;a\nb\r\n{}\r\n0\r\n\r\n",
        b"ffffffffffffffffffff\r\n{}",
        b"0" * 20_000 + b"2\r\n{}\r\n0\r\n\r\n",
        b"2\r\n{}\r\n0\r\nA: b\r\nContent-Length: 5\r\n\r\n",
        b"2\r\n{}\r\n0\r\n" + b"A: b\r\n" * 2_000 + b"\r\n",
        b"1\r\n{\r\n1\r\n}\r\n0\r\n\r\n",
        b"\r\n\r\n",
        b" 2\r\n{}\r\n0\r\n\r\n",
    ):
        yield post(b"Transfer-Encoding: chunked", body=body)


def answers(port: int, sent: bytes) -> bytes:
    """All that comes back until the server ends the connection, or waits for more."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        received = b""
        try:
            connection.sendall(sent)
            connection.settimeout(1)
            while part := connection.recv(65536):
                received += part
        except (BrokenPipeError, ConnectionResetError, TimeoutError):
            pass  # it may answer, and end it, before it has read everything
        return received


def statuses(received: bytes) -> list[int]:
    """The statuses of the answers in it. AssertionError for what is no answer."""
    found = []
    while received:
        head, end, rest = received.partition(b"\r\n\r\n")
        first = re.match(rb"HTTP/1\.[01] ([0-9]{3}) ", head)
        assert first is not None, received[:200]
        assert end, received[:200]
        length = re.search(rb"(?i)\r\ncontent-length: ([0-9]+)", head)
        found.append(int(first[1]))
        received = rest[int(length[1]) :] if length else b""
    return found
