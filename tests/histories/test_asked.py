"""What TestState and ValidateStateMachineDefinition answer is what the managed service answered."""

from __future__ import annotations

from typing import Any

import pytest

from .asking import difference, recorded


@pytest.mark.parametrize(
    "vector",
    [pytest.param(v, id=v["id"]) for kind in ("test_state", "validate_definition") for v in recorded(kind)],
)
def test_answer_is_as_recorded(vector: dict[str, Any]) -> None:
    assert difference(vector) is None
