"""What a server answers, as far as a client reads it: members that are not known here are left alone."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

import msgspec

Status = Literal["RUNNING", "SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"]


class Shape(msgspec.Struct, kw_only=True, rename="camel"):
    """An object whose members are the fields, in camel case. Instants are aware datetimes in UTC."""


class ExecutionSummary(Shape):
    """An execution, without what it was given and gave. ``id`` is its ARN, ``machine`` the name of its machine."""

    id: str
    name: str
    machine: str
    machine_arn: str
    version: str | None
    alias: str | None
    definition: str
    profile: str
    status: Status
    started_at: datetime
    ended_at: datetime | None
    paused: bool


class Execution(ExecutionSummary):
    """An execution with what it was given and gave; ``states`` are those it is in now."""

    input: Any
    output: Any
    error: str | None
    cause: str | None
    states: list[str]


class MachineSummary(Shape):
    """A state machine, without its definition."""

    name: str
    arn: str
    type: Literal["STANDARD", "EXPRESS"]
    status: Literal["ACTIVE", "DELETING"]
    created_at: datetime
    revision: str


class Machine(MachineSummary):
    """A state machine with its current definition. ``aliases`` lead to versions, each with its share in per cent;
    ``search_attributes`` are names by which executions are found, with the paths to their values."""

    definition: Any
    digest: str
    updated_at: datetime
    tags: dict[str, str]
    search_attributes: dict[str, str]
    aliases: dict[str, dict[str, int]]
    findings: list[dict[str, Any]]
    etag: str | None = None


class Version(Shape):
    """A definition that was published to stay."""

    version: int
    arn: str
    revision: str
    description: str
    created_at: datetime
    aliases: list[str]
    deprecated_at: datetime | None


class Judgement(Shape):
    """Whether a definition can be run, and what was found in it."""

    valid: bool
    findings: list[dict[str, Any]]


class Tried(Shape):
    """How a state that was tried has ended; ``inspection`` is what went in and out of each field."""

    status: Literal["SUCCEEDED", "FAILED", "RETRIABLE", "CAUGHT_ERROR"]
    output: Any
    error: str | None
    cause: str | None
    next_state: str | None
    inspection: Any


class Activity(Shape):
    """A queue of tasks that workers take."""

    name: str
    arn: str
    created_at: datetime


class Task(Shape):
    """A task that was taken; whoever has the token may answer it."""

    token: str
    input: Any
