"""What the tests of this folder share: data, bindings, evaluation of one path."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Any

from detent.core.bindings import Bindings, Given
from detent.query.jsonpath import PathSyntaxError, compile_path, invalid_path, parse_path

DATA = Path(__file__).parent / "data"


def load(name: str) -> Any:
    return json.loads((DATA / name).read_text())


def bindings(
    input: Any = None, *, variables: dict[str, Any] | None = None, context: Any = None, seed: int = 1
) -> Bindings:
    return Bindings(input, variables or {}, Given(lambda: context or {}, lambda: Random(seed)))


def read(path: str, document: Any, **bound: Any) -> Any:
    """The value of a path, missing it as InputPath does."""
    return compile_path(path, on_missing=invalid_path)(document, bindings(document, **bound))


def read_plain(path: str, document: Any) -> Any:
    """The value of a path as Jayway's own interface takes it, where it is not one of the States Language.

    There ``$.`` may be left out, and nothing but ``$`` is a root: no variables, no context object. Raises
    PathSyntaxError.
    """
    parsed = parse_path(path if path.lstrip()[:1] in ("$", "@") else f"$.{path.lstrip()}")
    if parsed.root != "$":
        raise PathSyntaxError(f"{parsed.root!r} is a root of the States Language", 1)
    return compile_path(parsed, on_missing=invalid_path)(document, bindings(document))


def same(left: Any, right: Any) -> bool:
    """Equal as JSON: 1, 1.0 and true differ; the order of members does not matter."""
    return json.dumps(left, sort_keys=True) == json.dumps(right, sort_keys=True)
