"""The desk: where large things from outside are read and judged, beside the event loop, so that others are answered.

They are read in a thread, which takes about as long as their size tells. What is done with a definition may take far
longer, and is done in a helper process.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from detent.core.values import JSON, decode, encode
from detent.runtime.handlers.payloads import parse
from detent.runtime.helpers import Helpers, Job

T = TypeVar("T")

#: What has fewer bytes is read on the spot: that takes less than a turn of a thread.
LARGE = 32 * 1024
#: What has fewer bytes of definition is judged on the spot: that takes a few milliseconds.
LARGE_DEFINITION = 2 * 1024
#: What the judging of one definition may take: the largest that there may be takes a few of these seconds.
JUDGING_SECONDS = 30.0
JUDGING_BYTES = 512 * 1024 * 1024
#: Arrays and objects in one text. In memory each takes tens of bytes, as a text two; no payload of the profile
#: ``detent`` comes near.
CONTAINERS_MAX = 250_000


class Desk:
    """One thread: what is large is read one after the other, whoever sends it. And a few processes."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "desk")
        self.helpers = Helpers()

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

    async def apart(self, work: Callable[[bytes], bytes], given: JSON) -> JSON:
        """The answer to what is given, both as JSON texts to the work, which must be a function of a module.

        Raises Ended if it takes more than definitions may.
        """
        request = encode(given)
        if len(request) < LARGE_DEFINITION:
            return decode(work(request))
        job = Job(f"{work.__module__}:{work.__name__}", JUDGING_SECONDS, JUDGING_BYTES)
        return decode(await self.helpers.do(job, request))

    async def close(self) -> None:
        """What is being read is read to its end, and nothing else is."""
        self._thread.shutdown(wait=False, cancel_futures=True)
        await self.helpers.close()
