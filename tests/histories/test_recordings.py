"""What the engine does is what the managed service did, event by event."""

from __future__ import annotations

from typing import Any

import pytest

from .asking import recorded
from .lists import LISTED, name
from .performing import EXACT, judged

ALL = list(recorded("execution"))


@pytest.mark.parametrize("vector", [pytest.param(v, id=v["id"]) for v in ALL if name(v) not in LISTED])
def test_execution_is_as_recorded(vector: dict[str, Any]) -> None:
    outcome = judged(vector)
    assert outcome.difference is None
    assert outcome.kind == EXACT


@pytest.mark.parametrize("vector", [pytest.param(v, id=v["id"]) for v in ALL if name(v) in LISTED])
def test_what_is_listed_differs_still(vector: dict[str, Any]) -> None:
    assert judged(vector).kind != EXACT, "the recording is met now: take it off the list"


def test_what_is_listed_is_there() -> None:
    assert LISTED.keys() <= {name(vector) for vector in ALL}
