"""A language client that speaks to a server on the other end of two pipes."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Any

Message = dict[str, Any]


class Failure(Exception):
    """The server refused a request."""


class Client:
    """Starts the server; ``request`` waits for the answer and keeps what the server tells meanwhile."""

    def __init__(self, command: list[str], folder: Path) -> None:
        self.process = subprocess.Popen(
            command, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        self.folder = folder
        self.told: list[Message] = []
        self.last = 0

    def __enter__(self) -> Client:
        able = {
            "general": {"positionEncodings": ["utf-16"]},
            "textDocument": {"rename": {"prepareSupport": True}},
        }
        self.capabilities = self.request(
            "initialize", {"processId": None, "rootUri": self.folder.as_uri(), "capabilities": able}
        )["capabilities"]
        self.notify("initialized", {})
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.kill()
        self.process.communicate()

    def end(self) -> tuple[int, str]:
        """End as the protocol says; the exit code, and what the server said on stderr."""
        self.request("shutdown", None)
        self.notify("exit", None)
        _, errors = self.process.communicate()
        return self.process.returncode, errors.decode()

    def uri(self, name: str) -> str:
        return (self.folder / name).as_uri()

    def open(self, name: str, text: str) -> None:
        language = "json" if name.endswith("json") else "yaml"
        document = {"uri": self.uri(name), "languageId": language, "version": 1, "text": text}
        self.notify("textDocument/didOpen", {"textDocument": document})

    def type(self, name: str, version: int, line: int, start: int, end: int, text: str) -> None:
        """Replace a piece of a line."""
        piece = {"start": {"line": line, "character": start}, "end": {"line": line, "character": end}}
        self.notify(
            "textDocument/didChange",
            {
                "textDocument": {"uri": self.uri(name), "version": version},
                "contentChanges": [{"range": piece, "text": text}],
            },
        )

    def ask(self, what: str, name: str, line: int = 0, character: int = 0, **more: Any) -> Any:
        """A request about a place in a file: ``hover``, ``completion`` ..."""
        place = {"textDocument": {"uri": self.uri(name)}, "position": {"line": line, "character": character}}
        return self.request(f"textDocument/{what}", {**place, **more})

    def findings(self, name: str, version: int | None = None) -> list[Message]:
        """The findings about a file, those of a version if one is named."""
        while True:
            for message in self.told:
                about = message["params"]
                wanted = message["method"] == "textDocument/publishDiagnostics" and about["uri"] == self.uri(
                    name
                )
                if wanted and version in (None, about.get("version")):
                    self.told.remove(message)
                    return list(about["diagnostics"])
            self.told.append(self._read())

    def request(self, method: str, params: Any) -> Any:
        self.last += 1
        self._write({"id": self.last, "method": method, "params": params})
        while True:
            message = self._read()
            if message.get("id") == self.last and "method" not in message:
                if "error" in message:
                    raise Failure(message["error"]["message"])
                return message["result"]
            if "method" in message:
                self.told.append(message)

    def notify(self, method: str, params: Any) -> None:
        self._write({"method": method, "params": params})

    def _write(self, message: Message) -> None:
        assert self.process.stdin is not None
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self.process.stdin.flush()

    def _read(self) -> Message:
        assert self.process.stdout is not None
        length = 0
        while line := self.process.stdout.readline().strip():
            name, _, value = line.partition(b":")
            length = int(value) if name.lower() == b"content-length" else length
        if not length:
            assert self.process.stderr is not None
            raise AssertionError(f"the server has gone: {self.process.stderr.read().decode()}")
        message: Message = json.loads(self.process.stdout.read(length))
        return message
