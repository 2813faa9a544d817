"""What the catalogue refuses, with what a protocol needs to say so in its own words."""

from __future__ import annotations

from ..store.base import NotFound
from .errors import EngineError


class MachineExists(EngineError):
    """There is a state machine of that name already, and it is another one."""

    code = "MACHINE_EXISTS"


class MachineDeleting(EngineError):
    """The state machine is being deleted: it takes no changes and starts nothing."""

    code = "MACHINE_DELETING"


class RevisionStale(EngineError):
    """A version was to be published of a revision that is not the current one any more."""

    code = "REVISION_STALE"

    def __init__(self, wanted: str, current: str) -> None:
        super().__init__(
            f"revision {wanted} is not the current one, which is {current}; publish that, or none by name"
        )
        self.wanted = wanted
        self.current = current


class VersionInUse(EngineError):
    """A version cannot be deleted while aliases lead to it."""

    code = "VERSION_IN_USE"

    def __init__(self, aliases: list[str]) -> None:
        super().__init__(
            f"the aliases {', '.join(aliases)} lead to the version; let them lead elsewhere first"
        )
        self.aliases = aliases


class VersionDeprecated(NotFound):
    """A version starts nothing any more, and no alias may lead to it."""

    code = "VERSION_DEPRECATED"

    def __init__(self, number: int, machine: str) -> None:
        super().__init__(
            f"version {number} of {machine} is deprecated: choose another one, or take that back"
        )


class AliasExists(EngineError):
    """There is an alias of that name already, and it says something else."""

    code = "ALIAS_EXISTS"


class ActivityExists(EngineError):
    """There is an activity of that name already, and it is another one."""

    code = "ACTIVITY_EXISTS"
