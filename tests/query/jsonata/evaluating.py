"""What the tests of this folder share: one expression evaluated as the output of a state."""

from __future__ import annotations

from random import Random
from typing import Any

from detent.core.bindings import Bindings, Given
from detent.query.jsonata import ENTRY, Stage, compile_expression


def bindings(
    input: Any = None,
    *,
    context: Any = None,
    result: Any = None,
    error: Any = None,
    variables: dict[str, Any] | None = None,
    seed: int = 1,
    now: int = 0,
) -> Bindings:
    return Bindings(
        input,
        variables or {},
        Given(lambda: context or {}, lambda: Random(seed)),
        result=result,
        error=error,
        now=now,
    )


def evaluate(
    text: str,
    input: Any = None,
    *,
    available: frozenset[str] = ENTRY,
    place: str = "Output",
    expected: str | None = None,
    **bound: Any,
) -> Any:
    expression = compile_expression(text, place=place, stage=Stage(available), expected=expected)
    return expression(input, bindings(input, **bound))
