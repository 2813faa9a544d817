"""Which variables the states of a definition read, as descriptions of a machine show it (api, section 5)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from detent.core.values import decode
from detent.schema.inference.infer import infer
from detent.schema.outline import outline


@lru_cache(maxsize=16)  # a definition may have a megabyte
def variable_references(definition: str) -> Mapping[str, list[str]]:
    """The names that each state reads, sorted; states that read none are left out."""
    read: dict[str, set[str]] = {}
    for note in infer(outline(decode(definition.encode("utf-8", "surrogatepass")))).notes.variables:
        read.setdefault(note.state.name, set()).add(note.name)
    return {state: sorted(names) for state, names in read.items()}
