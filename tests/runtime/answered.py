"""A process that answers a task and is killed: ``python -m runtime.answered STORE TOKEN OUTPUT``.

It prints ``stored`` once the answer is acknowledged, and then waits for its end.
"""

from __future__ import annotations

import asyncio
import json
import sys

from detent.runtime.compose import open_answers


async def main(store: str, token: str, output: str) -> None:
    async with open_answers(store) as answers:
        await answers.send_task_success(token, json.loads(output))
        sys.stdout.write("stored\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


asyncio.run(main(*sys.argv[1:]))
