"""A proxy that loses answers: what was asked is done, and nobody hears of it."""

from __future__ import annotations

import http.client
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit


class Losing(ThreadingHTTPServer):
    """Hands requests on to ``url``. The answers to the next ``losses`` of them are lost; ``lost`` is called each time,
    before the connection is cut."""

    daemon_threads = True

    def __init__(self, url: str, lost: Callable[[], None]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.place = urlsplit(url).netloc
        self.losses = 0
        self.lost = lost

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Losing
    protocol_version = "HTTP/1.1"

    def _relay(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        connection = http.client.HTTPConnection(self.server.place, timeout=60)
        try:
            connection.request(self.command, self.path, body or None, dict(self.headers))
            response = connection.getresponse()
            told = response.read()
        except OSError:
            self._cut()
            return
        finally:
            connection.close()
        if self.server.losses > 0:
            self.server.losses -= 1
            self.server.lost()
            self._cut()
            return
        self.send_response(response.status)
        for name in ("Content-Type", "ETag", "Location", "Idempotent-Replayed"):
            if name in response.headers:
                self.send_header(name, response.headers[name])
        if response.status != 204:
            self.send_header("Content-Length", str(len(told)))
        self.end_headers()
        self.wfile.write(told)

    def do_GET(self) -> None:
        self._relay()

    def do_POST(self) -> None:
        self._relay()

    def do_PUT(self) -> None:
        self._relay()

    def do_DELETE(self) -> None:
        self._relay()

    def _cut(self) -> None:
        self.connection.shutdown(socket.SHUT_RDWR)
        self.close_connection = True

    def log_message(self, format: str, *arguments: Any) -> None:
        pass


@contextmanager
def losing(url: str, lost: Callable[[], None] = lambda: None) -> Iterator[Losing]:
    """Such a proxy before a server."""
    with Losing(url, lost) as proxy:
        thread = threading.Thread(target=proxy.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield proxy
        finally:
            proxy.shutdown()
            thread.join()
