"""From a state of an execution to its place in the definition.

A log names a state by the scope it stands in and its name; a definition is a document. This module walks the
document once and knows the way from the one to the other. It interprets no field but those that hold states.
"""

from __future__ import annotations

from collections.abc import Mapping

from .core.values import JSON

#: The keys and indexes that lead to a value from the root of a document.
Pointer = tuple[str | int, ...]


class Places:
    """The places of a definition's scopes and states. A definition that is none has no places."""

    def __init__(self, definition: JSON) -> None:
        self._scopes: dict[str, tuple[Pointer, Mapping[str, JSON]]] = {}
        self._walk(definition, "", ())

    def pointer(self, scope: str, state: str | None) -> Pointer:
        """Where a state stands, or the scope itself for a state that is not there."""
        start, states = self._scopes.get(scope, ((), {}))
        return (*start, "States", state) if state is not None and state in states else start

    def fields(self, scope: str, state: str) -> Mapping[str, JSON]:
        """The fields of a state; none if it is not there."""
        found = self._scopes.get(scope, ((), {}))[1].get(state)
        return found if isinstance(found, dict) else {}

    def _walk(self, scope: JSON, path: str, place: Pointer) -> None:
        states = scope.get("States") if isinstance(scope, dict) else None
        if not isinstance(states, dict):
            return
        self._scopes[path] = place, states
        for name, fields in states.items():
            if not isinstance(fields, dict):
                continue
            below, start = f"{path}/States/{name}", (*place, "States", name)
            branches = fields.get("Branches")
            for index, branch in enumerate(branches if isinstance(branches, list) else ()):
                self._walk(branch, f"{below}/Branches/{index}", (*start, "Branches", index))
            for key in ("ItemProcessor", "Iterator"):
                self._walk(fields.get(key), f"{below}/{key}", (*start, key))


def json_pointer(pointer: Pointer) -> str:
    """A place as a JSON pointer (RFC 6901); the root is the empty text."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in pointer)
