"""What the catalogue keeps: state machines with their revisions, versions and aliases, and activities.

Owns the shape of these and how they stand in documents. An entry never changes: who wants another makes one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

from ..core.values import JSON, decode, encode
from ..store.base import ExecutionRecord

Type = Literal["STANDARD", "EXPRESS"]
Status = Literal["ACTIVE", "DELETING"]

#: The revision that a machine has until it is updated for the first time.
INITIAL = "INITIAL"


@dataclass(frozen=True, slots=True)
class Draft:
    """What can be changed about a machine. ``definition`` is the text as it was given.

    ``logging``, ``tracing`` and ``encryption`` are kept as they were given, in the words of the service's protocol.
    """

    definition: str
    digest: str
    role: str
    logging: JSON = None
    tracing: JSON = None
    encryption: JSON = None


@dataclass(frozen=True, slots=True)
class Revision:
    """A state of a machine between two updates; what an execution was started with."""

    id: str
    draft: Draft
    updated_at: int


@dataclass(frozen=True, slots=True)
class Version:
    """A revision with a number, published to stay. A deprecated one starts nothing any more."""

    number: int
    revision: str
    description: str
    created_at: int
    deprecated_at: int | None = None


@dataclass(frozen=True, slots=True)
class Route:
    """The share of an alias's executions that a version gets, in per cent."""

    version: int
    weight: int


@dataclass(frozen=True, slots=True)
class Alias:
    """A name for one version, or for two between which executions are shared out by weight."""

    name: str
    description: str
    routes: tuple[Route, ...]
    created_at: int
    updated_at: int


@dataclass(frozen=True, slots=True)
class MachineEntry:
    """A state machine. ``revision`` is the id of the current one, ``next_version`` is never used again.

    ``published_at_creation`` says whether its creation published a version, and under which description: another
    creation is the same one only if it asks for the same. ``search`` are the paths of the attributes by which its
    executions are found (:mod:`~detent.search`).
    """

    arn: str
    type: Type
    created_at: int
    revision: str = INITIAL
    status: Status = "ACTIVE"
    next_version: int = 1
    versions: tuple[Version, ...] = ()
    aliases: tuple[Alias, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    published_at_creation: str | None = None
    search: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.arn.rpartition(":")[2]

    def version(self, number: int) -> Version | None:
        """The version of a number, if it is there (any more)."""
        return next((version for version in self.versions if version.number == number), None)

    def version_of(self, revision: str) -> Version | None:
        """The latest version of a revision, if it was published."""
        return next((version for version in reversed(self.versions) if version.revision == revision), None)

    def alias(self, name: str) -> Alias | None:
        """The alias of a name."""
        return next((alias for alias in self.aliases if alias.name == name), None)

    def aliases_of(self, number: int) -> Sequence[Alias]:
        """The aliases that lead to a version."""
        return [alias for alias in self.aliases if any(route.version == number for route in alias.routes)]


@dataclass(frozen=True, slots=True)
class ActivityEntry:
    """An activity: the name of a queue that workers take tasks from."""

    arn: str
    created_at: int
    encryption: JSON = None
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.arn.rpartition(":")[2]


Entry = MachineEntry | ActivityEntry


def place(arn: str) -> tuple[str, str]:
    """The collection and the id of the document that holds what an ARN names."""
    collection, _, id = arn.rpartition(":")
    return collection, id


def revisions_of(entry: MachineEntry) -> str:
    """The collection of a machine's revisions: not that of an earlier machine of its name."""
    return f"{entry.arn}@{entry.created_at}"


def write(entry: Entry | Revision) -> bytes:
    """The body of the document that holds an entry."""
    return encode(asdict(entry))


def read_machine(body: bytes) -> MachineEntry:
    fields = decode(body)
    versions = tuple(Version(**version) for version in fields.pop("versions"))
    aliases = tuple(_alias(alias) for alias in fields.pop("aliases"))
    return MachineEntry(**fields, versions=versions, aliases=aliases)


def _alias(fields: dict[str, Any]) -> Alias:
    return Alias(**{**fields, "routes": tuple(Route(**route) for route in fields["routes"])})


def read_activity(body: bytes) -> ActivityEntry:
    return ActivityEntry(**decode(body))


def read_revision(body: bytes) -> Revision:
    fields = decode(body)
    return Revision(**{**fields, "draft": Draft(**fields["draft"])})


@dataclass(frozen=True, slots=True)
class Origin:
    """How an execution was started; stands in :attr:`~detent.store.base.ExecutionRecord.origin`.

    ``machine_created_at`` tells the machine from an earlier one of its name that was deleted, ``key`` is the
    idempotency key of the start, ``search`` are the search attributes that the machine declared.
    """

    machine_created_at: int
    revision: str
    trace_header: str | None = None
    test_case: str | None = None
    key: str | None = None
    search: Mapping[str, str] | None = None

    def __str__(self) -> str:
        fields = ((name, getattr(self, name)) for name in self.__slots__)
        return encode({name: value for name, value in fields if value is not None}).decode()

    @classmethod
    def read(cls, text: str | None) -> Origin | None:
        """The origin that a record names; None if it was not started from the catalogue."""
        fields = {} if text is None else decode(text.encode())
        return cls(**fields) if "revision" in fields else None


@dataclass(frozen=True, slots=True)
class Target:
    """What an execution is started of: a machine at one revision. ``version`` and ``alias`` are the ARNs it was
    asked for by, if it was."""

    machine: MachineEntry
    revision: Revision
    version: str | None = None
    alias: str | None = None

    def put_into(
        self,
        record: ExecutionRecord,
        *,
        trace_header: str | None = None,
        test_case: str | None = None,
        key: str | None = None,
    ) -> ExecutionRecord:
        """The record of an execution that says what it was started of."""
        search = self.machine.search or None
        origin = Origin(self.machine.created_at, self.revision.id, trace_header, test_case, key, search)
        return replace(record, version=self.version, alias=self.alias, origin=str(origin))
