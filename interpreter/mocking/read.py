"""Reading a mock configuration file, JSON or YAML, with the place of what is wrong in it (mocking, 1 and 8)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

from detent.schema.diagnostics import Pointer
from detent.schema.document import Document, DocumentError, read_file

from ..core.values import JSON
from .config import Answer, Case, MockConfig, MockError, Response

_SPAN = re.compile(r"(?P<first>[0-9]{1,9})(?:-(?P<last>[0-9]{1,9}))?")
#: The key of the answer for all attempts behind those that are listed.
FURTHER = "*"
#: Attempts that one response may list.
ATTEMPTS_MAX = 100_000


def read_mocks(path: str | Path) -> MockConfig:
    """Read a mock configuration file. Raises MockError."""
    try:
        document = read_file(path)
    except DocumentError as error:
        raise MockError(f"the mock configuration cannot be read: {error}") from error
    return _Reader(document, str(path)).config()


class _Reader:
    """One file being read."""

    def __init__(self, document: Document, source: str) -> None:
        self._document = document
        self._source = source

    def config(self) -> MockConfig:
        whole = self._object(self._document.value, ())
        responses = {
            name: self._response(name, entries, ("MockedResponses", name))
            for name, entries in self._object(whole.get("MockedResponses", {}), ("MockedResponses",)).items()
        }
        machines = self._object(whole.get("StateMachines", {}), ("StateMachines",))
        return MockConfig(
            self._source,
            {
                name: self._cases(machine, responses, ("StateMachines", name))
                for name, machine in machines.items()
            },
        )

    def _cases(self, machine: JSON, responses: Mapping[str, Response], place: Pointer) -> Mapping[str, Case]:
        cases = self._object(self._object(machine, place).get("TestCases", {}), (*place, "TestCases"))
        return {
            name: self._case(case, responses, (*place, "TestCases", name)) for name, case in cases.items()
        }

    def _case(self, states: JSON, responses: Mapping[str, Response], place: Pointer) -> Case:
        found = {}
        for state, name in self._object(states, place).items():
            if not isinstance(name, str) or name not in responses:
                self._refuse((*place, state), f"there is no mocked response {name!r}")
            found[state] = responses[name]
        return found

    def _response(self, name: str, entries: JSON, place: Pointer) -> Response:
        answers: list[Answer] = []
        further = None
        for key, entry in self._object(entries, place).items():
            here = (*place, key)
            if further is not None:
                self._refuse(here, f"nothing may follow {FURTHER!r}, which stands for all further attempts")
            answer = self._answer(entry, here)
            if key == FURTHER:
                further = answer
                continue
            span = _SPAN.fullmatch(key)
            if span is None:
                self._refuse(here, f"{key!r} is no number of an attempt, such as 0 or 1-3")
            first, last = int(span["first"]), int(span["last"] or span["first"])
            if first != len(answers) or last < first:
                self._refuse(
                    here,
                    f"the attempts must follow one another without a gap: {len(answers)} comes next, not {key}",
                )
            if last >= ATTEMPTS_MAX:
                self._refuse(here, f"more than {ATTEMPTS_MAX} attempts; use {FURTHER!r} for all further ones")
            answers += [answer] * (last - first + 1)
        if not answers and further is None:
            self._refuse(place, "a mocked response needs at least the answer of attempt 0")
        return Response(name, tuple(answers), further)

    def _answer(self, entry: JSON, place: Pointer) -> Answer:
        fields = self._object(entry, place)
        unknown = [name for name in fields if name not in ("Return", "Throw", "Delay")]
        if unknown:
            self._refuse((*place, unknown[0]), f"unknown field {unknown[0]!r}: it is Return, Throw or Delay")
        if ("Return" in fields) == ("Throw" in fields):
            self._refuse(place, "an answer needs exactly one of Return and Throw")
        delay = fields.get("Delay", 0)
        if isinstance(delay, bool) or not isinstance(delay, (int, float)) or delay < 0:
            self._refuse((*place, "Delay"), "Delay is a number of seconds")
        if "Return" in fields:
            return Answer(fields["Return"], delay=delay)
        thrown = self._object(fields["Throw"], (*place, "Throw"))
        for name in ("Error", "Cause"):
            if not isinstance(thrown.get(name), str):
                self._refuse((*place, "Throw"), f"Throw needs {name}, a text")
        return Answer(error=thrown["Error"], cause=thrown["Cause"], delay=delay)

    def _object(self, value: JSON, place: Pointer) -> Mapping[str, JSON]:
        if not isinstance(value, dict):
            self._refuse(place, "an object is expected here")
        return value

    def _refuse(self, place: Pointer, problem: str) -> NoReturn:
        position = self._document.position(place)
        where = "" if position is None else f":{position.line}:{position.column}"
        path = "/".join(map(str, place))
        raise MockError(f"{self._source}{where}: {problem}{f' (at {path})' if path else ''}")
