"""Whether the store has the layout that this release works with: neither older nor changed by a later one."""

from __future__ import annotations

import asyncio
from time import monotonic

from detent.runtime.layouts import pending
from detent.store.base import StoreError
from detent.store.url import StoreUrlError

#: How long what was found counts, and how long finding it may take, in seconds.
FRESH_SECONDS = 5.0
STORE_SECONDS = 5.0


class LayoutWatch:
    """Looks at the layout of the store that a URL names; whoever asks often is told what was found just before."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._found = "ok"
        self._asked_at: float | None = None
        self._asking = asyncio.Lock()

    async def state(self) -> str:
        """``ok``, or what is wrong."""
        async with self._asking:
            if self._asked_at is None or monotonic() - self._asked_at > FRESH_SECONDS:
                self._found = await self._look()
                self._asked_at = monotonic()
            return self._found

    async def _look(self) -> str:
        try:
            async with asyncio.timeout(STORE_SECONDS):
                missing = await pending(self._url, deployed=False)
        except StoreUrlError:
            return "ok"  # a store in memory has no other layout than this process gave it
        except (StoreError, TimeoutError) as error:
            return f"cannot be told: {type(error).__name__}"
        return f"{len(missing)} are missing: run detent migrate" if missing else "ok"
