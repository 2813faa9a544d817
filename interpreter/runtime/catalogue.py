"""The catalogue: state machines by name, their revisions, versions and aliases; activities; tags.

Everything stands in documents of the store and is changed by compare-and-set, so it holds across a fleet and after
a restart. A machine is one document: an alias can never lead to a version that is gone. Its revisions stand beside
it and never change.

What was read is believed for :data:`FRESH_SECONDS`, so a start asks the store for nothing. A change made by another
process is seen that much later, one made here at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from random import choices
from typing import Any, NamedTuple, TypeVar
from uuid import uuid4

from cachetools import LRUCache

from ..core.values import decode, encode
from ..search import check_declared
from ..store.base import Document, Edit, MachineRecord, NotFound, Store
from . import catalogue_changes as changes
from .catalogue_entries import (
    ActivityEntry,
    Draft,
    Entry,
    MachineEntry,
    Revision,
    Route,
    Target,
    Type,
    Version,
    place,
    read_activity,
    read_machine,
    read_revision,
    revisions_of,
    write,
)
from .catalogue_errors import ActivityExists, MachineDeleting, MachineExists, VersionDeprecated
from .clock import Clock
from .machines import Machines

#: How long a machine that was read is believed to be as it was.
FRESH_SECONDS = 1.0
#: Machines with their versions and aliases, and activities, that are kept in mind.
KNOWN_MAX = 10_000
#: Characters of definitions that are kept in mind.
DEFINITIONS_MAX = 8 * 1024 * 1024

#: The collection of machines that are being deleted, by ARN; see :mod:`~detent.runtime.removal`.
DELETING = "deleting"
#: The collection of machines that were deleted, by ARN.
DELETED = "deleted"

E = TypeVar("E", MachineEntry, ActivityEntry)


class Page(NamedTuple):
    """Entries in the order of their creation; ``after`` is where the next page begins, None at the end."""

    entries: list[Any]
    after: int | None


class Catalogue:
    """The catalogue of one store. ``machines`` keeps and compiles the definitions."""

    def __init__(self, store: Store, machines: Machines, clock: Clock) -> None:
        self._store = store
        self._machines = machines
        self._clock = clock
        self._known: LRUCache[str, tuple[float, MachineEntry]] = LRUCache(KNOWN_MAX, getsizeof=_parts)
        #: Activities that were there at an instant.
        self._there: LRUCache[str, float] = LRUCache(KNOWN_MAX)
        self._revisions: LRUCache[tuple[str, int, str], Revision] = LRUCache(
            DEFINITIONS_MAX, getsizeof=_length
        )

    # State machines

    async def create_machine(
        self,
        arn: str,
        type: Type,
        draft: Draft,
        *,
        tags: Mapping[str, str] | None = None,
        publish: str | None = None,
        search: Mapping[str, str] | None = None,
    ) -> MachineEntry:
        """:meth:`ensure_machine`, for those who do not ask whether it was there."""
        return (await self.ensure_machine(arn, type, draft, tags=tags, publish=publish, search=search))[0]

    async def ensure_machine(
        self,
        arn: str,
        type: Type,
        draft: Draft,
        *,
        tags: Mapping[str, str] | None = None,
        publish: str | None = None,
        search: Mapping[str, str] | None = None,
    ) -> tuple[MachineEntry, bool]:
        """Make a machine, and whether it is new; the same one again changes nothing, whatever its role and tags.

        ``publish`` is the description of the first version, None to publish none. ``search`` are its search
        attributes; None has none, and any is the same. Raises MachineExists, MachineDeleting, SearchAttributeError,
        TooMany, StoreError and what compiling raises.
        """
        check_declared(search or {})
        await self._keep(arn, draft)
        while True:
            now = self._clock.now()
            entry = MachineEntry(
                arn,
                type,
                now,
                tags=changes.merge_tags({}, tags or {}),
                published_at_creation=publish,
                search=search or {},
            )
            if publish is not None:
                entry = changes.publish(entry, publish, now)
            revision = Edit(revisions_of(entry), entry.revision, write(Revision(entry.revision, draft, now)))
            if await self._store.edit([Edit(*place(arn), write(entry)), revision]):
                return self._know(entry), True
            with suppress(NotFound):  # it may have been deleted meanwhile
                return await self._same(entry, draft, search), False

    async def _same(
        self, wanted: MachineEntry, draft: Draft, search: Mapping[str, str] | None
    ) -> MachineEntry:
        """The machine that is there, if another creation would have made the same."""
        known = await self.machine(wanted.arn, fresh=True)
        if known.status == "DELETING":
            raise MachineDeleting(f"{wanted.arn} is being deleted; wait until it is gone")
        there = (await self.revision(known, known.revision)).draft
        if (known.type, known.published_at_creation, replace(there, role="")) != (
            wanted.type,
            wanted.published_at_creation,
            replace(draft, role=""),
        ) or search not in (None, known.search):
            raise MachineExists(
                f"there is another state machine {wanted.arn}; update it, or choose another name"
            )
        return known

    async def update_machine(
        self,
        arn: str,
        change: Callable[[Draft], Draft],
        *,
        publish: str | None = None,
        search: Mapping[str, str] | None = None,
    ) -> tuple[MachineEntry, Revision]:
        """Change a machine for the executions to come; it gets a new revision if its draft differs.

        ``publish`` is the description of the version to publish, ``search`` are other search attributes. Raises
        NotFound, MachineDeleting, SearchAttributeError, TooMany, StoreError and what compiling raises.
        """
        check_declared(search or {})
        while True:
            old = await self._document(arn)
            entry = _active(read_machine(old.body))
            revision = await self.revision(entry, entry.revision)
            draft = change(revision.draft)
            edits = []
            if draft != revision.draft:
                await self._keep(arn, draft)
                revision = Revision(str(uuid4()), draft, self._clock.now())
                edits.append(Edit(revisions_of(entry), revision.id, write(revision)))
            new = replace(entry, revision=revision.id, search=entry.search if search is None else search)
            if publish is not None:
                new = changes.publish(new, publish, self._clock.now())
            if new == entry or await self._store.edit([Edit(*place(arn), write(new), old), *edits]):
                return self._know(new), revision

    async def delete_machine(self, arn: str) -> bool:
        """Begin to delete a machine: it starts nothing any more. False if there is none.

        The rest is done by :class:`~detent.runtime.removal.Removal`.
        """
        while True:
            old = await self._store.document(*place(arn))
            if old is None:
                return False
            entry = read_machine(old.body)
            if entry.status == "DELETING":
                return True
            doomed = replace(entry, status="DELETING")
            edits = [Edit(*place(arn), write(doomed), old), Edit(DELETING, arn, b"{}")]
            if await self._store.edit(edits):
                self._know(doomed)
                return True

    async def was_deleted(self, arn: str) -> bool:
        """Whether a machine of this ARN was deleted, and none has been made since. Raises StoreError."""
        stone = await self._store.document(DELETED, arn)
        return stone is not None and await self._store.document(*place(arn)) is None

    async def machine(self, arn: str, *, fresh: bool = False) -> MachineEntry:
        """A machine by its ARN. ``fresh`` asks the store whatever is in mind. Raises NotFound, StoreError."""
        read_at, entry = self._known.get(arn, (0.0, None))
        if fresh or entry is None or self._clock.monotonic() - read_at > FRESH_SECONDS:
            self._known.pop(arn, None)
            entry = self._know(read_machine((await self._document(arn)).body))
        return entry

    async def machines(self, prefix: str, *, after: int = 0, limit: int) -> Page:
        """The machines whose ARNs are ``PREFIX:NAME``."""
        return await self._page(prefix, read_machine, after, limit)

    async def revision(self, entry: MachineEntry, id: str) -> Revision:
        """A revision of a machine. Raises NotFound, StoreError."""
        key = (entry.arn, entry.created_at, id)
        revision = self._revisions.get(key)
        if revision is None:
            document = await self._store.document(revisions_of(entry), id)
            if document is None:
                raise NotFound(f"there is no revision {id} of {entry.arn}")
            revision = self._revisions[key] = read_revision(document.body)
        return revision

    async def target(self, arn: str) -> Target:
        """What an execution of a machine, version or alias is started of; an alias draws by weight.

        Raises NotFound, MachineDeleting, VersionDeprecated, StoreError.
        """
        if arn.count(":") == _COLONS:
            entry = _active(await self.machine(arn))
            return Target(entry, await self.revision(entry, entry.revision))
        machine, _, qualifier = arn.rpartition(":")
        entry = _active(await self.machine(machine))
        alias = entry.alias(qualifier)
        number = draw(alias.routes) if alias is not None else _number(qualifier)
        version = entry.version(number)
        if version is None:
            raise NotFound(f"there is no version or alias {qualifier} of {machine}")
        if version.deprecated_at is not None:
            raise VersionDeprecated(number, machine)
        revision = await self.revision(entry, version.revision)
        return Target(entry, revision, f"{machine}:{number}", None if alias is None else arn)

    # Versions and aliases

    async def publish_version(
        self, arn: str, *, revision: str | None = None, description: str = ""
    ) -> Version:
        """The version of the current revision, made if there is none.

        Raises NotFound, MachineDeleting, RevisionStale, TooMany, StoreError.
        """
        now = self._clock.now()
        entry = await self._change(
            arn, lambda entry: changes.publish(entry, description, now, revision=revision)
        )
        version = entry.version_of(entry.revision)
        assert version is not None
        return version

    async def delete_version(self, arn: str, number: int) -> None:
        """Forget a version of a machine. Raises NotFound, VersionInUse, StoreError."""
        await self._change(arn, lambda entry: changes.delete_version(entry, number))

    async def deprecate_version(self, arn: str, number: int, *, deprecated: bool = True) -> MachineEntry:
        """Have a version start nothing any more, or again.

        Raises NotFound, VersionInUse, MachineDeleting, StoreError.
        """
        now = self._clock.now() if deprecated else None
        return await self._change(arn, lambda entry: changes.deprecate_version(entry, number, now))

    async def create_alias(
        self, arn: str, name: str, description: str, routes: Iterable[Route]
    ) -> MachineEntry:
        """Add an alias to a machine. Raises NotFound, AliasExists, MachineDeleting, TooMany, StoreError."""
        now, wanted = self._clock.now(), tuple(routes)
        return await self._change(
            arn, lambda entry: changes.create_alias(entry, name, description, wanted, now)
        )

    async def update_alias(
        self, arn: str, name: str, description: str | None, routes: Iterable[Route] | None
    ) -> MachineEntry:
        """Change an alias of a machine. Raises NotFound, MachineDeleting, StoreError."""
        now, wanted = self._clock.now(), None if routes is None else tuple(routes)
        return await self._change(
            arn, lambda entry: changes.update_alias(entry, name, description, wanted, now)
        )

    async def delete_alias(self, arn: str, name: str) -> None:
        """Forget an alias of a machine. Raises NotFound, StoreError."""
        await self._change(arn, lambda entry: changes.delete_alias(entry, name))

    # Activities

    async def create_activity(
        self, arn: str, *, encryption: Any = None, tags: Mapping[str, str] | None = None
    ) -> ActivityEntry:
        """Make an activity; the same one again changes nothing. Raises ActivityExists, TooMany, StoreError."""
        entry = ActivityEntry(arn, self._clock.now(), encryption, changes.merge_tags({}, tags or {}))
        while not await self._store.edit([Edit(*place(arn), write(entry))]):
            try:
                known = await self.activity(arn)
            except NotFound:
                continue  # it was deleted meanwhile
            if known.encryption != encryption:
                raise ActivityExists(f"there is an activity {arn} that is encrypted differently")
            return known
        return entry

    async def activity(self, arn: str) -> ActivityEntry:
        """An activity by its ARN. Raises NotFound, StoreError."""
        return read_activity((await self._document(arn)).body)

    def knows_activities(self, arns: Iterable[str]) -> bool:
        """Whether all these activities were there a moment ago."""
        now = self._clock.monotonic()
        return all(now - self._there.get(arn, -FRESH_SECONDS) < FRESH_SECONDS for arn in arns)

    async def missing_activities(self, arns: Iterable[str]) -> frozenset[str]:
        """Those of these activities that do not exist. Raises StoreError."""
        missing = set()
        for arn in arns:
            now = self._clock.monotonic()
            if await self._store.document(*place(arn)) is None:
                missing.add(arn)
            else:
                self._there[arn] = now
        return frozenset(missing)

    async def activities(self, prefix: str, *, after: int = 0, limit: int) -> Page:
        """The activities whose ARNs are ``PREFIX:NAME``."""
        return await self._page(prefix, read_activity, after, limit)

    async def delete_activity(self, arn: str) -> None:
        """Forget an activity, if there is one."""
        try:
            await self._delete_activity(arn)
        finally:
            self._there.pop(arn, None)

    async def _delete_activity(self, arn: str) -> None:
        old = await self._store.document(*place(arn))
        while old is not None and not await self._store.edit([Edit(*place(arn), None, old)]):
            old = await self._store.document(*place(arn))

    async def tag_activity(self, arn: str, change: Callable[[Mapping[str, str]], Mapping[str, str]]) -> None:
        """Change the tags of an activity. Raises NotFound, TooMany, StoreError."""
        await self._retry(arn, read_activity, lambda entry: replace(entry, tags=change(entry.tags)))

    async def tag_machine(self, arn: str, change: Callable[[Mapping[str, str]], Mapping[str, str]]) -> None:
        """Change the tags of a machine. Raises NotFound, MachineDeleting, TooMany, StoreError."""
        await self._change(arn, lambda entry: replace(entry, tags=change(entry.tags)))

    # Documents

    async def _change(self, arn: str, change: Callable[[MachineEntry], MachineEntry]) -> MachineEntry:
        return self._know(await self._retry(arn, read_machine, lambda entry: change(_active(entry))))

    async def _retry(self, arn: str, read: Callable[[bytes], E], change: Callable[[E], E]) -> E:
        """Change an entry; again from what is there then, if somebody else was quicker."""
        while True:
            old = await self._document(arn)
            entry = read(old.body)
            new = change(entry)
            if new == entry or await self._store.edit([Edit(*place(arn), write(new), old)]):
                return new

    async def _document(self, arn: str) -> Document:
        document = await self._store.document(*place(arn))
        if document is None:
            raise NotFound(f"there is no {arn}")
        return document

    async def _page(self, prefix: str, read: Callable[[bytes], Entry], after: int, limit: int) -> Page:
        found = await self._store.documents(prefix, after=after, limit=limit + 1)
        page = found[:limit]
        return Page(
            [read(document.body) for document in page], page[-1].number if len(found) > limit else None
        )

    async def _keep(self, arn: str, draft: Draft) -> None:
        """Publish the definition, compiled. What is unsound is refused before anything is written."""
        definition = encode(decode(draft.definition.encode("utf-8", "surrogatepass")))
        await self._machines.publish(MachineRecord(draft.digest, arn, definition, self._clock.now()))

    def _know(self, entry: MachineEntry) -> MachineEntry:
        self._known[entry.arn] = (self._clock.monotonic(), entry)
        return entry

    def forget(self, arn: str) -> None:
        """A machine is gone."""
        self._known.pop(arn, None)


def _parts(known: tuple[float, MachineEntry]) -> int:
    _, entry = known
    return min(1 + len(entry.versions) + len(entry.aliases), KNOWN_MAX)


def _length(revision: Revision) -> int:
    return min(1_000 + len(revision.draft.definition), DEFINITIONS_MAX)


#: Colons in the ARN of a machine, without version or alias.
_COLONS = 6


def _active(entry: MachineEntry) -> MachineEntry:
    if entry.status != "ACTIVE":
        raise MachineDeleting(f"{entry.arn} is being deleted")
    return entry


def _number(text: str) -> int:
    """The number of a version; 0, which none has, for any other text."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def draw(routes: tuple[Route, ...]) -> int:
    """A version that an alias leads to, by weight."""
    return choices([route.version for route in routes], [route.weight for route in routes])[0]
