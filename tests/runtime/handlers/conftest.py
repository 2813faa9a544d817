"""A registry, and the call of a task, as the engine makes it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest

from detent.core.values import JSON
from detent.runtime.handlers.base import Beat, TaskCall
from detent.runtime.handlers.registry import Registry

Await = Callable[[Coroutine[Any, Any, Any]], Any]
Do = Callable[..., Any]


def call(resource: str, arguments: JSON = None, **changes: Any) -> TaskCall:
    fields = {
        "execution": "e-1",
        "execution_name": "nightly",
        "machine_name": "orders",
        "state": "Charge",
        "pending": 7,
        "attempt": 2,
        "deadline": None,
    }
    return TaskCall(resource=resource, arguments=arguments, **(fields | changes))


@pytest.fixture
def on_loop() -> Iterator[Await]:
    """Runs a coroutine on the loop that stands for the engine's."""
    with asyncio.Runner() as runner:
        yield runner.run


@pytest.fixture
def registry(on_loop: Await) -> Iterator[Registry]:
    registry = Registry(threads=4)
    yield registry
    on_loop(registry.close())


@pytest.fixture
def do(on_loop: Await, registry: Registry) -> Do:
    """Runs one task to its end: ``do("task:charge", {...})``."""

    def do(resource: str, arguments: JSON = None, beat: Beat = lambda: None, **changes: Any) -> JSON:
        handler = registry.resolve(resource)
        assert handler is not None, registry.refusal(resource)
        return on_loop(handler.run(call(resource, arguments, **changes), beat))

    return do
