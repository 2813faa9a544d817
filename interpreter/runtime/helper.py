"""The process that does what would keep an engine from its work: jobs in, answers out, one after the other.

Run as ``python -m detent.runtime.helper`` by ``helpers``, which ends it when it has patience no longer. Memory and time
of each job it limits itself, where the system can: the time that it computes, so that a job has what it needs on a busy
machine, too. A job that has left much behind is its last.
"""

from __future__ import annotations

import importlib
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from ..query.apart import answer_request
from ..query.jsonata.engine import SERVICE, warm_up
from .frames import ANSWER, JOB, LAST, MORE

#: Milliseconds by the clock on the wall that an evaluation has where the system counts how long it computes.
PATIENCE_MILLISECONDS = 60_000
#: Bytes by which a process may have grown and go on.
GROWTH_BYTES = 24 * 1024 * 1024

_COUNTS_TIME = hasattr(signal, "setitimer")


def main() -> None:
    # Who is told to end in order asks for the answers that it still needs, and then closes the input.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    warm_up()
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    grown = 0
    while head := source.read(JOB.size):
        length, memory, size, seconds = JOB.unpack(head)
        work = _work(source.read(length).decode())
        before = _pages()
        request = source.read(size)
        _limit_memory(memory)
        _limit_time(seconds)
        answer = work(request)
        _limit_time(0)
        grown += max(0, _pages() - before)
        is_last = grown * _page_size() > GROWTH_BYTES
        sink.write(ANSWER.pack(LAST if is_last else MORE, len(answer)))
        sink.write(answer)
        sink.flush()
        if is_last:
            return


def evaluate(request: bytes) -> bytes:
    """Evaluate what a decision was broken off for, under the limits of the service: what is left of them to the engine.

    The system ends this process once it has computed for as long as the service allows.
    """
    return answer_request(
        request, SERVICE._replace(milliseconds=PATIENCE_MILLISECONDS) if _COUNTS_TIME else SERVICE
    )


def _work(name: str) -> Callable[[bytes], bytes]:
    """What a job is called: the name of a function in its module."""
    module, _, function = name.partition(":")
    if module == __package__ + ".helper":
        return evaluate
    work: Callable[[bytes], bytes] = getattr(importlib.import_module(module), function)
    return work


def _pages() -> int:
    """Pages of address space that are in use; 0 where nobody says."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[0])
    except (OSError, ValueError):
        return 0


def _page_size() -> int:
    import resource

    return resource.getpagesize()


def _limit_memory(most: int) -> None:
    """Let nothing grow by more than so many bytes from here on. Only Linux says, and keeps to it."""
    if pages := _pages():
        import resource

        hard = resource.getrlimit(resource.RLIMIT_AS)[1]
        resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + most, hard))


def _limit_time(seconds: float) -> None:
    """Have the system end this process by SIGPROF once it has computed for so many seconds; 0 is for ever."""
    if _COUNTS_TIME:
        signal.setitimer(signal.ITIMER_PROF, seconds)


if __name__ == "__main__":
    main()
