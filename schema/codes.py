"""The codes of everything the validator can find. They are stable: users silence them, documents explain them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

CODES: Mapping[str, str] = MappingProxyType(
    {
        # Shape
        "not-a-machine": "The definition is not an object.",
        "missing-field": "A field that must be there is not.",
        "unknown-field": "A field that no state of this type, or no such object, has.",
        "wrong-value": "A field holds a value of the wrong type, or out of its bounds.",
        "empty-value": "A list or an object that needs at least one element has none.",
        "conflicting-fields": "Two fields of which only one may stand.",
        "name-too-long": "A state's name has more than 80 characters.",
        # Graph
        "duplicate-name": "Two states of the machine have the same name.",
        "missing-target": "StartAt, Next or Default names a state that does not exist.",
        "target-out-of-scope": "StartAt, Next or Default names a state of another scope.",
        "missing-transition": "A state has neither Next nor End.",
        "next-with-end": "A state has both Next and End.",
        "unreachable-state": "No transition leads to a state.",
        "no-terminal-state": "No state of the scope ends it.",
    }
)
