"""Spelling: names the language has replaced, and fields that say what holds anyway. All of it is mended safely."""

from __future__ import annotations

from collections.abc import Iterator

from ..diagnostics import Severity
from ..outline import JSONPATH
from .rule import Found, Remedy, Remove, Rename, Subject, rule

#: Fields of a Map under their old names.
_RENAMED = {"Iterator": "ItemProcessor", "Parameters": "ItemSelector"}

#: Fields of JSONPath states with the value that they have anyway.
_DEFAULTS = {"InputPath": "$", "OutputPath": "$", "ResultPath": "$"}


@rule("deprecated-field", Severity.INFO, "A field of a Map has its old name.", on=False)
def deprecated_field(subject: Subject) -> Iterator[Found]:
    for state in subject.states("Map"):
        for old, new in _RENAMED.items():
            if old in state.value and new not in state.value and state.language == JSONPATH:
                yield Found(
                    state.at(old),
                    f"{old} of {state.label} is called {new} now",
                    "the old name keeps working",
                    on_key=True,
                    remedy=Remedy(f"rename {old} to {new}", Rename(state.at(old), new)),
                )


@rule("default-value", Severity.INFO, "A field says what holds anyway.", on=False)
def default_value(subject: Subject) -> Iterator[Found]:
    for state in subject.outline.states:
        for name, value in _DEFAULTS.items():
            if state.value.get(name) == value and state.language == JSONPATH:
                yield Found(
                    state.at(name),
                    f"{name} of {state.label} is {value} anyway",
                    on_key=True,
                    remedy=Remedy(f"remove {name}", Remove(state.at(name))),
                )
