"""Taking up an execution: it may end, or be somebody else's, between one look at it and the next."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest

from detent.cli.resume import _is_ours
from detent.core.execution import Execution
from detent.runtime.engine import Engine


class Engines:
    """``ends`` says for each look at the execution whether it has ended by then; none of them runs here."""

    def __init__(self, ends: list[bool]) -> None:
        self.ends = ends

    async def resume(self, execution: str) -> Execution:
        state = Execution()
        state.ended_at = 1 if self.ends.pop(0) else None
        return state

    def running(self) -> list[str]:
        return []


@pytest.mark.parametrize(("ends", "ours"), [([True], True), ([False, True], True), ([False, False], False)])
def test_what_ends_between_two_looks_is_nobody_elses(ends: list[bool], ours: bool) -> None:
    engine: Any = Engines(ends)
    assert asyncio.run(_is_ours(cast(Engine, engine), "one")) is ours
