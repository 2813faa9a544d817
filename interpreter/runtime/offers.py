"""What a worker does, told by patterns: resources it handles, machines whose executions it takes.

A resource is asked for across a fleet by a text: a Lambda function as ``function:NAME``, however a definition
names it, anything else as its Resource. In a pattern ``*`` stands for any characters.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase

from ..core.resources import integration
from ..core.runs import GATHERING, READING
from ..core.values import JSON, decode, encode
from .handlers.lambdas import function_name, is_function_arn

FUNCTION = "function:"
#: What Map Runs want done: no handler of anybody's.
MAP_RUN_WORK = (READING, GATHERING)


def asked_for(resource: str, arguments: JSON) -> str:
    """The text by which a task's resource is asked for."""
    if is_function_arn(resource):
        return FUNCTION + (function_name(resource) or resource)
    found = integration(resource)
    if found is not None and found[0] == "lambda" and isinstance(arguments, Mapping):
        named = arguments.get("FunctionName")
        if isinstance(named, str):
            return FUNCTION + (function_name(named) or named)
    return resource


@dataclass(frozen=True, slots=True)
class Offers:
    """``handles`` are patterns of what can be done, ``only`` of what shall be, None for all of it.

    ``machines`` are the ARNs of the machines whose executions are taken, None for all.
    """

    handles: tuple[str, ...]
    only: tuple[str, ...] | None = None
    machines: tuple[str, ...] | None = None

    def covers(self, asked: str) -> bool:
        """Whether a task that is asked for by a text is done here. The work of Map Runs every engine does."""
        return asked in MAP_RUN_WORK or (
            _among(asked, self.handles) and (self.only is None or _among(asked, self.only))
        )

    def takes(self, machine: str) -> bool:
        """Whether executions of a machine are taken here."""
        return self.machines is None or machine in self.machines

    def info(self, **more: JSON) -> bytes:
        """For others to read."""
        return encode({**asdict(self), **more})


def read_info(text: bytes) -> tuple[Offers, Mapping[str, JSON]]:
    """What :meth:`Offers.info` wrote: the offers, and everything beside them."""
    fields = dict(decode(text))
    given = {name: fields.pop(name, None) for name in ("handles", "only", "machines")}
    handles, only, machines = (None if value is None else tuple(value) for value in given.values())
    return Offers(handles or (), only, machines), fields


def _among(asked: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(asked, pattern) for pattern in patterns)
