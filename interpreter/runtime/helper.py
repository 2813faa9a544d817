"""The process that evaluates what would keep an engine from its work: a request in, an answer out, the end.

Run as ``python -m detent.runtime.helper`` by ``evaluations``, which ends it when its time is over. Memory it
limits itself, where the system can.
"""

from __future__ import annotations

import sys
from pathlib import Path

from ..query.jsonata.apart import answer_request
from ..query.jsonata.engine import warm_up

#: Bytes that an evaluation may take: enough for the longest list that the service allows.
MEMORY_BYTES = 96 * 1024 * 1024


def main() -> None:
    request = sys.stdin.buffer.read()
    warm_up()
    _limit_memory()
    answer = answer_request(request)
    sys.stdout.buffer.write(answer)
    sys.stdout.buffer.flush()


def _limit_memory() -> None:
    """Let nothing grow beyond what there is now and MEMORY_BYTES. Only Linux says, and keeps to it."""
    try:
        import resource

        pages = int(Path("/proc/self/statm").read_text().split()[0])
        limit = pages * resource.getpagesize() + MEMORY_BYTES
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    except (ImportError, OSError, ValueError):
        return


if __name__ == "__main__":
    main()
