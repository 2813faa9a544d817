"""An event loop in which waiting takes no time: where nothing is ready, the next deadline is now."""

from __future__ import annotations

import asyncio
import secrets
import selectors
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from random import Random
from types import ModuleType
from typing import Any, TypeVar

from detent.query.jsonata import engine
from detent.runtime import actor, dispatch, evaluations, rounds, seeds

T = TypeVar("T")

#: The wall clock when a simulation begins, in milliseconds since the epoch.
BEGINNING = 1_700_000_000_000


#: How long threads may take, in real seconds, when nothing else will happen: far more than they need.
THREAD_SECONDS = 100.0


class _Jumping(selectors.SelectSelector):
    """Instead of waiting for a deadline, moves the time there."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> Any:
        if timeout is None:
            # Only a thread can still move anything: that takes real time.
            ready = super().select(THREAD_SECONDS)
            if not ready:
                raise AssertionError("nothing will ever happen again: everyone waits for everyone")
            return ready
        ready = super().select(0)
        if not ready and timeout > 0:
            # A little more than asked for, as clocks do; a float's last digit must not hold the time.
            self.now += timeout + 1e-6
        elif not ready:
            # Nor may a deadline that is nearer than that: whoever waits for it is woken again and again.
            self.now += 1e-9
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._jumping = _Jumping()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:
        """However long the threads take: a limit would be over at once."""
        await super().shutdown_default_executor()


class VirtualClock:
    """The clock of the loop that runs, for the engine."""

    _loop: asyncio.AbstractEventLoop | None = None

    def monotonic(self) -> float:
        running = asyncio._get_running_loop()
        if isinstance(running, VirtualLoop) or self._loop is None:
            self._loop = asyncio.get_running_loop()
        return self._loop.time()  # also where a handler's thread asks

    def now(self) -> int:
        return BEGINNING + int(self.monotonic() * 1000)


def run(main: Coroutine[Any, Any, T]) -> T:
    """As ``asyncio.run``, in virtual time."""
    with unhurried(), drawn_alike(), asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main)


@contextmanager
def drawn_alike() -> Iterator[None]:
    """What is drawn by lot, the names of engines and the seeds of decisions, is the same in every run."""
    random = Random(0)
    hexadecimal, octets = secrets.token_hex, seeds.token_bytes
    secrets.token_hex = lambda nbytes=None: random.randbytes(nbytes or 32).hex()
    seeds.token_bytes = lambda nbytes=None: random.randbytes(nbytes or 32)
    seeds._pool.clear()
    try:
        yield
    finally:
        secrets.token_hex, seeds.token_bytes = hexadecimal, octets
        seeds._pool.clear()


#: What the engine does for so long at a time, by its names. That depends on the machine it runs on.
_TURNS: Sequence[tuple[ModuleType, str]] = (
    (actor, "DECISION_SECONDS"),
    (dispatch, "TURN_SECONDS"),
    (evaluations, "DECISION_SECONDS"),
    (rounds, "ROUND_SECONDS"),
    (rounds, "SLOW_SECONDS"),
)


@contextmanager
def unhurried() -> Iterator[None]:
    """Whatever is done takes the time it takes: no helper process, whose time is real, evaluates, and who has its turn
    does not depend on how busy the machine is."""
    with ExitStack() as stack:
        for module, name in ((engine, "QUICK"), *_TURNS):
            stack.callback(setattr, module, name, getattr(module, name))
        engine.QUICK = engine.SERVICE
        for module, name in _TURNS:
            setattr(module, name, 60.0)
        yield
