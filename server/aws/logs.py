"""The logs of state machines: what their loggingConfiguration asks for, as records of the service's form.

The service writes to CloudWatch Logs; here a log group is a file, or everything goes to stdout. Records follow what is
durable: one that is not written yet when the process dies is not written any more (history, section 6).
"""

from __future__ import annotations

import asyncio
import logging
import sys
from collections import deque
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import quote

from detent.core.codec import Step
from detent.core.errors import DetentError
from detent.core.execution import RUNNING, Execution
from detent.core.values import JSON, encode
from detent.history import HistoryEvent, Projection
from detent.runtime.catalogue import Catalogue
from detent.runtime.log_facts import about
from detent.runtime.recall import recall_steps
from detent.store.base import NotFound, Store

from .configuration import LOGGING_OFF, log_group

log = logging.getLogger(__name__)

#: Commits that may wait to be logged; beyond that the oldest are dropped, and how many is said.
WAITING_MAX = 100_000
#: Executions whose place in their history is kept in mind.
FOLLOWED_MAX = 10_000
#: The longest name of a file.
FILE_NAME_MAX = 200

#: Ends of the types of events that an ERROR level keeps, and the types that a FATAL level keeps.
_FAILURES = ("Failed", "TimedOut", "Aborted")
_FATAL = frozenset({"ExecutionFailed", "ExecutionTimedOut", "ExecutionAborted"})
#: Details that hold the data of an execution.
_DATA = frozenset(
    {
        "input",
        "inputDetails",
        "output",
        "outputDetails",
        "parameters",
        "assignedVariables",
        "assignedVariablesDetails",
    }
)


def is_kept(level: str, type: str) -> bool:
    """Whether a level keeps events of a type."""
    if level == "ERROR":
        return type == "FailStateEntered" or type.endswith(_FAILURES)
    return level == "ALL" or (level == "FATAL" and type in _FATAL)


def record(execution: str, event: HistoryEvent, redrives: int, *, with_data: bool) -> dict[str, JSON]:
    """An event as it stands in a log."""
    details = dict(event.details or {})
    if not with_data:
        details = {name: value for name, value in details.items() if name not in _DATA}
    return {
        "id": str(event.id),
        "type": event.type,
        "details": details,
        "previous_event_id": str(event.previous),
        "event_timestamp": str(event.timestamp),
        "execution_arn": execution,
        "redrive_count": str(redrives),
    }


@dataclass(slots=True)
class _Commit:
    """Steps that have become durable; ``after`` is the number of the last event before them."""

    execution: str
    machine: str
    after: int
    steps: Sequence[Step]
    is_last: bool


@dataclass(slots=True)
class _Followed:
    """Where an execution stands in its history, and what its machine wants logged."""

    configuration: Mapping[str, Any]
    projection: Projection = field(default_factory=Projection)
    seq: int = 0


class StateLogs:
    """``place`` is a directory with a file for each log group, or ``-`` for stdout."""

    def __init__(self, store: Store, catalogue: Catalogue, place: str) -> None:
        self._store = store
        self._catalogue = catalogue
        self._folder = None if place == "-" else Path(place)
        self._waiting: deque[_Commit] = deque()
        self._some = asyncio.Event()
        self._followed: dict[str, _Followed] = {}
        self._dropped = 0
        self._closed = False

    def observe(self, execution: Execution, steps: Sequence[Step]) -> None:
        """Take what has become durable; quick."""
        if len(self._waiting) >= WAITING_MAX:
            self._waiting.popleft()
            self._dropped += 1
        after = execution.seq - sum(len(step.events) for step in steps)
        is_last = execution.status != RUNNING
        self._waiting.append(_Commit(execution.id, execution.machine_name, after, steps, is_last))
        self._some.set()

    async def run(self) -> None:
        """Write what is taken, until closed."""
        while not self._closed:
            await self._some.wait()
            self._some.clear()
            await self._flush()

    def close(self) -> None:
        """Have :meth:`run` write what has been taken so far, and end."""
        self._closed = True
        self._some.set()

    async def _flush(self) -> None:
        lines: dict[str, list[bytes]] = {}
        while self._waiting:
            commit = self._waiting.popleft()
            try:
                async for group, line in self._lines(commit):
                    lines.setdefault(group, []).append(line)
            except DetentError as error:
                facts = about(commit.execution)
                log.warning("what %s did is not logged: %s", commit.execution, error, extra=facts)
        if self._dropped:
            log.warning("%d commits were not logged: more came than could be written", self._dropped)
            self._dropped = 0
        if lines:
            await asyncio.to_thread(self._write, lines)

    async def _lines(self, commit: _Commit) -> AsyncIterator[tuple[str, bytes]]:
        """What is to be written of a commit: log groups with their records."""
        followed = await self._follow(commit)
        if followed is None:
            return
        group, level = log_group(followed.configuration), followed.configuration["level"]
        with_data = bool(followed.configuration["includeExecutionData"])
        for event in followed.projection.follow(commit.steps):
            if group is not None and is_kept(level, event.type):
                told = record(commit.execution, event, followed.projection.redrives, with_data=with_data)
                yield group, encode(told)
        followed.seq = commit.after + sum(len(step.events) for step in commit.steps)
        if commit.is_last:
            self._followed.pop(commit.execution, None)

    async def _follow(self, commit: _Commit) -> _Followed | None:
        """Where the execution stands before a commit; None if nothing of it is logged."""
        followed = self._followed.get(commit.execution)
        if followed is not None and followed.seq == commit.after:
            return followed
        try:
            entry = await self._catalogue.machine(commit.machine.partition("/")[0])
        except NotFound:
            return None
        draft = (await self._catalogue.revision(entry, entry.revision)).draft
        followed = _Followed(draft.logging or LOGGING_OFF, seq=commit.after)
        if log_group(followed.configuration) is None:
            return None
        if commit.after:
            await self._catch_up(commit, followed)
        if len(self._followed) >= FOLLOWED_MAX:
            self._followed.pop(next(iter(self._followed)))
        self._followed[commit.execution] = followed
        return followed

    async def _catch_up(self, commit: _Commit, followed: _Followed) -> None:
        """Go through what was logged before, by this process or an earlier one."""
        _, steps = await recall_steps(self._store, commit.execution)
        for _ in followed.projection.follow(_before(steps, commit.after)):
            pass

    def _write(self, lines: Mapping[str, Sequence[bytes]]) -> None:
        for group, records in lines.items():
            text = b"".join(record + b"\n" for record in records)
            if self._folder is None:
                sys.stdout.write(text.decode("utf-8", "replace"))
                sys.stdout.flush()
                continue
            try:
                self._folder.mkdir(parents=True, exist_ok=True)
                with (self._folder / file_name(group)).open("ab") as file:
                    file.write(text)
            except OSError as error:
                log.warning("the log of %s cannot be written: %s", group, error)


def _before(steps: Sequence[Step], after: int) -> Iterator[Step]:
    """The steps up to an event."""
    seq = 0
    for step in steps:
        seq += len(step.events)
        if seq > after:
            return
        yield step


def file_name(group: str) -> str:
    """The file of a log group: its name is no path."""
    name = quote(group.lstrip("/").replace("/", "."), safe="")
    if len(name) > FILE_NAME_MAX or name.startswith("."):
        name = sha256(group.encode()).hexdigest()
    return f"{name}.jsonl"
