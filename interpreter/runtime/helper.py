"""The process that evaluates what would keep an engine from its work: a request in, an answer out, the end.

Run as ``python -m detent.runtime.helper`` by ``evaluations``, which ends it when it has patience no longer. Memory
and time it limits itself, where the system can: the time that it computes, so that an expression has what it needs on
a busy machine, too.
"""

from __future__ import annotations

import signal
import sys
from pathlib import Path

from ..query.jsonata.apart import answer_request
from ..query.jsonata.engine import SERVICE, Limits, warm_up

#: Bytes that an evaluation may take: enough for the longest list that the service allows.
MEMORY_BYTES = 96 * 1024 * 1024
#: Milliseconds by the clock on the wall that an evaluation has where the system counts how long it computes.
PATIENCE_MILLISECONDS = 60_000


def main() -> None:
    request = sys.stdin.buffer.read()
    warm_up()
    _limit_memory()
    answer = answer_request(request, _limit_time())
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


def _limit_time() -> Limits:
    """Have the system end this process by SIGPROF once it has computed for as long as the service allows.

    Returns the limits that are left to the evaluation itself: all of them where the system cannot.
    """
    if not hasattr(signal, "setitimer"):
        return SERVICE
    signal.setitimer(signal.ITIMER_PROF, SERVICE.milliseconds / 1000)
    return SERVICE._replace(milliseconds=PATIENCE_MILLISECONDS)


if __name__ == "__main__":
    main()
