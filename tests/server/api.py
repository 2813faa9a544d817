"""A small client of the REST API for the tests: what was answered, whatever it was."""

from __future__ import annotations

import json
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlencode, urlsplit

PASS = {"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}}
HOLD = {
    "StartAt": "Hold",
    "States": {
        "Hold": {"Type": "Wait", "SecondsPath": "$.seconds", "Next": "Done"},
        "Done": {"Type": "Succeed"},
    },
}
FAIL = {"StartAt": "F", "States": {"F": {"Type": "Fail", "Error": "Broken", "Cause": "as it should be"}}}


@dataclass(frozen=True)
class Told:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    def __getitem__(self, name: str) -> Any:
        return self.json[name]


class Api:
    def __init__(self, url: str) -> None:
        self.url = url
        self._place = urlsplit(url).netloc

    def __call__(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None, **query: Any
    ) -> Told:
        connection = HTTPConnection(self._place, timeout=90)
        text = None if body is None else json.dumps(body)
        sent = {"Content-Type": "application/json"} if body is not None else {}
        try:
            where = f"{path}?{urlencode(query)}" if query else path
            connection.request(method, where, text, sent | (headers or {}))
            response = connection.getresponse()
            found = {name.lower(): value for name, value in response.getheaders()}
            return Told(response.status, found, response.read())
        finally:
            connection.close()

    def machine(self, name: str, definition: Any) -> Told:
        """Create a machine."""
        told = self("POST", "/v1/machines", {"name": name, "definition": definition})
        assert told.status == 201, told.body
        return told

    def start(self, machine: str, input: Any = None, **members: Any) -> Told:
        """Start an execution."""
        body = {"machine": machine, "input": {} if input is None else input, **members}
        return self("POST", "/v1/executions", body)
