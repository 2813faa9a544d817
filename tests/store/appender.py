"""A process that opens a store as its engine and appends until it is killed: ``python -m store.appender PATH``.

It prints ``open``, then the id of each execution once its append has returned.
"""

from __future__ import annotations

import asyncio
import sys
from itertools import count

from detent.store.sqlite import SqliteStore

from .batches import create, ended, further


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


async def main(path: str) -> None:
    store = SqliteStore(path)
    await store.open(engine=True)
    say("open")
    if sys.stdin.readline() != "go\n":
        return
    body = b"x" * 20_000
    for group in count():
        ids = [f"{group}-{n}" for n in range(5)]
        await store.append([create(id, payloads=body) for id in ids])
        await store.append([further(id, 3, 4, ended(1), payloads=body) for id in ids])
        say("\n".join(ids))


asyncio.run(main(sys.argv[1]))
