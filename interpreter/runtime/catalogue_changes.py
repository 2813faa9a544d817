"""What may become of a catalogued state machine: pure changes from one entry to the next.

Each function answers the entry as it is afterwards, the same one if nothing changes. What is refused is refused
here, so that it is refused alike wherever a change is made.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from ..store.base import NotFound
from .catalogue_entries import Alias, MachineEntry, Route, Version
from .catalogue_errors import AliasExists, RevisionStale, VersionDeprecated, VersionInUse
from .errors import TooMany

#: The service's quotas (limits, section 2).
VERSIONS_MAX = 1000
ALIASES_MAX = 100
TAGS_MAX = 50


def publish(entry: MachineEntry, description: str, now: int, *, revision: str | None = None) -> MachineEntry:
    """Make the current revision a version, unless it is one. ``revision`` is the one that is expected.

    Raises RevisionStale, TooMany.
    """
    if revision is not None and revision != entry.revision:
        raise RevisionStale(revision, entry.revision)
    if entry.version_of(entry.revision) is not None:
        return entry
    if len(entry.versions) >= VERSIONS_MAX:
        raise TooMany("versions of a state machine", VERSIONS_MAX)
    version = Version(entry.next_version, entry.revision, description, now)
    return replace(entry, versions=(*entry.versions, version), next_version=entry.next_version + 1)


def delete_version(entry: MachineEntry, number: int) -> MachineEntry:
    """Forget a version. Raises VersionInUse."""
    used_by = entry.aliases_of(number)
    if used_by:
        raise VersionInUse([alias.name for alias in used_by])
    return replace(entry, versions=tuple(v for v in entry.versions if v.number != number))


def deprecate_version(entry: MachineEntry, number: int, now: int | None) -> MachineEntry:
    """Have a version start nothing any more; with None for the instant it does again. Raises NotFound, VersionInUse."""
    known = entry.version(number)
    if known is None:
        raise NotFound(f"there is no version {number} of {entry.arn}")
    used_by = entry.aliases_of(number)
    if now is not None and used_by:
        raise VersionInUse([alias.name for alias in used_by])
    if (known.deprecated_at is None) == (now is None):
        return entry
    changed = replace(known, deprecated_at=now)
    return replace(entry, versions=tuple(changed if v is known else v for v in entry.versions))


def create_alias(
    entry: MachineEntry, name: str, description: str, routes: tuple[Route, ...], now: int
) -> MachineEntry:
    """Add an alias; the same one again changes nothing.

    Raises AliasExists, NotFound, TooMany, VersionDeprecated.
    """
    known = entry.alias(name)
    if known is not None:
        if (known.description, known.routes) != (description, routes):
            raise AliasExists(f"there is an alias {name} that leads elsewhere or is described differently")
        return entry
    _check_routes(entry, routes)
    if len(entry.aliases) >= ALIASES_MAX:
        raise TooMany("aliases of a state machine", ALIASES_MAX)
    return replace(entry, aliases=(*entry.aliases, Alias(name, description, routes, now, now)))


def update_alias(
    entry: MachineEntry, name: str, description: str | None, routes: tuple[Route, ...] | None, now: int
) -> MachineEntry:
    """Change an alias; None leaves as it is. Raises NotFound, VersionDeprecated."""
    known = entry.alias(name)
    if known is None:
        raise NotFound(f"there is no alias {name} of {entry.arn}")
    _check_routes(entry, routes or ())
    changed = replace(
        known,
        description=known.description if description is None else description,
        routes=known.routes if routes is None else routes,
        updated_at=now,
    )
    return replace(entry, aliases=tuple(changed if alias is known else alias for alias in entry.aliases))


def delete_alias(entry: MachineEntry, name: str) -> MachineEntry:
    """Forget an alias, if there is one."""
    return replace(entry, aliases=tuple(alias for alias in entry.aliases if alias.name != name))


def _check_routes(entry: MachineEntry, routes: tuple[Route, ...]) -> None:
    for route in routes:
        version = entry.version(route.version)
        if version is None:
            raise NotFound(f"there is no version {route.version} of {entry.arn}")
        if version.deprecated_at is not None:
            raise VersionDeprecated(route.version, entry.arn)


def merge_tags(tags: Mapping[str, str], new: Mapping[str, str]) -> Mapping[str, str]:
    """Tags with others added, whose values win. Raises TooMany."""
    merged = {**tags, **new}
    if len(merged) > TAGS_MAX:
        raise TooMany("tags of a resource", TAGS_MAX)
    return merged


def drop_tags(tags: Mapping[str, str], keys: Collection[str]) -> Mapping[str, str]:
    """Tags without those of some keys."""
    return {key: value for key, value in tags.items() if key not in keys}
