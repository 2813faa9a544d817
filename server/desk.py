"""The desk: where large things from outside are read and judged, beside the event loop, so that others are answered."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from detent.core.values import JSON
from detent.runtime.handlers.payloads import parse

T = TypeVar("T")

#: What has fewer bytes is read on the spot: that takes less than a turn of a thread.
LARGE = 32 * 1024
#: Arrays and objects in one text. In memory each takes tens of bytes, as a text two; no payload of the profile
#: ``detent`` comes near.
CONTAINERS_MAX = 250_000


class Desk:
    """One thread: what is large is read one after the other, whoever sends it."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "desk")

    async def do(self, size: int, work: Callable[[], T]) -> T:
        """Do some work on a text of so many bytes. Raises what the work raises."""
        if size < LARGE:
            return work()
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    async def parse(self, text: bytes) -> JSON:
        """The value of a JSON text. Raises ValueError for what is no JSON, too deep, or has too many parts."""
        if text.count(b"[") + text.count(b"{") > CONTAINERS_MAX:
            raise ValueError(f"more than {CONTAINERS_MAX:,} arrays and objects")
        return await self.do(len(text), lambda: parse(text))

    def close(self) -> None:
        """What is being read is read to its end, and nothing else is."""
        self._thread.shutdown(wait=False, cancel_futures=True)
