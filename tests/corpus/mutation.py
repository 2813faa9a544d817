"""Definitions with something in them deleted, replaced, renamed or moved."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

JUNK = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=12)
    | st.sampled_from(
        ["$.a", "$..", "States.Format(", "{%", "${Hole}", "\ud800", "arn:", "JSONata", "Map", "Succeed"]
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)


KEYS = st.text(max_size=8) | st.sampled_from(
    ["Next", "End", "Type", "Catch", "States", "a.$", "${X}", "Choices"]
)


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every container with every key in it."""
    found, waiting = [], [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            keys: list[Any] = list(item)
        elif isinstance(item, list):
            keys = list(range(len(item)))
        else:
            continue
        found.extend((item, key) for key in keys)
        waiting.extend(item[key] for key in keys)
    return found


@st.composite
def changed(draw: Callable[..., Any], definitions: st.SearchStrategy[Any]) -> Any:
    """One of the definitions after one to three changes at random places."""
    definition = copy.deepcopy(draw(definitions))
    for _ in range(draw(st.integers(1, 3))):
        if not (found := places(definition)):
            break
        container, key = found[draw(st.integers(0, len(found) - 1))]
        change = draw(st.sampled_from(["delete", "replace", "rename", "move"]))
        if change == "delete":
            del container[key]
        elif change == "rename" and isinstance(container, dict):
            container[draw(KEYS)] = container.pop(key)
        elif change == "move":
            other, other_key = found[draw(st.integers(0, len(found) - 1))]
            container[key] = copy.deepcopy(other[other_key])
        else:
            container[key] = draw(JUNK)
    return definition
