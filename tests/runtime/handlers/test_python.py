"""Handlers that are Python functions: how they are called, what becomes of their outcome."""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
from collections import OrderedDict, namedtuple
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import IntEnum, StrEnum
from typing import Any

import pytest

from detent.runtime.handlers.base import NotBegun, TaskError, task_key
from detent.runtime.handlers.context import TaskContext
from detent.runtime.handlers.errors import HandlersError
from detent.runtime.handlers.python import task
from detent.runtime.handlers.registry import Registry

from .conftest import Await, Do, call


class Colour(StrEnum):
    RED = "red"


class Level(IntEnum):
    HIGH = 3


Point = namedtuple("Point", "x y")


@dataclass
class Order:
    id: int


class InsufficientFunds(Exception):
    pass


class Unprintable(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no text")


def raising(error: BaseException) -> Any:
    def handler(arguments: Any) -> Any:
        raise error

    return handler


def raising_async(error: BaseException) -> Any:
    async def handler(arguments: Any) -> Any:
        raise error

    return handler


# Every way to write a handler, each answering the arguments and the state's name as far as it knows them.


def nothing():
    return "-"


def plain_arguments(arguments):
    return arguments


def optional(arguments=5):
    return arguments


def named(arguments, context):
    return [arguments, context.state]


def lambda_style(event, _):
    return [event, _.state]


def annotated(arguments: Any, attempt: TaskContext):
    return [arguments, attempt.state]


def context_first(context: TaskContext, order):
    return [order, context.state]


def context_keyword(order, *, context):
    return [order, context.state]


def context_alone(context):
    return context.state


def anything(*arguments):
    return list(arguments)


def extra_default(arguments, retries=3):
    return [arguments, retries]


@pytest.mark.parametrize(
    ("way", "expected"),
    [
        (nothing, "-"),
        (plain_arguments, {"n": 1}),
        (optional, {"n": 1}),
        (named, [{"n": 1}, "Charge"]),
        (lambda_style, [{"n": 1}, "Charge"]),
        (annotated, [{"n": 1}, "Charge"]),
        (context_first, [{"n": 1}, "Charge"]),
        (context_keyword, [{"n": 1}, "Charge"]),
        (context_alone, "Charge"),
        (anything, [{"n": 1}]),
        (extra_default, [{"n": 1}, 3]),
    ],
)
def test_a_handler_may_ask_for_the_context_or_not(
    registry: Registry, do: Do, way: Any, expected: Any
) -> None:
    registry.add("way", way)
    assert do("task:way", {"n": 1}) == expected


def test_an_object_with_an_async_call_is_a_handler(registry: Registry, do: Do) -> None:
    class Charge:
        async def __call__(self, order: Any, context: TaskContext) -> Any:
            return [order, context.attempt]

    registry.add("charge", Charge())
    assert do("task:charge", 1) == [1, 2]


def three(a: Any, b: Any, c: Any) -> Any: ...


def yielding(a: Any) -> Any:
    yield a


@pytest.mark.parametrize(
    ("function", "message"),
    [(three, "needs 3 parameters: write it as f"), (yielding, "yields: a handler returns its one result")],
)
def test_what_cannot_be_a_handler_is_refused_with_its_place(
    registry: Registry, function: Any, message: str
) -> None:
    with pytest.raises(HandlersError, match=message) as caught:
        registry.add("odd", function)
    assert f"'odd' ({__file__}:{function.__code__.co_firstlineno})" in str(caught.value)


def test_a_marked_function_stays_what_it_was() -> None:
    @task("double")
    def double(n: int) -> int:
        return 2 * n

    assert double(4) == 8


def test_a_handler_must_be_given_its_name() -> None:
    with pytest.raises(TypeError, match=r'@task\("name"\)'):

        @task
        def handler() -> None: ...


@pytest.mark.parametrize(
    ("returned", "stored"),
    [
        (None, None),
        (True, True),
        (2**70, 2**70),
        (1.5, 1.5),
        ((1, (2,)), [1, [2]]),
        (Point(1, 2), [1, 2]),
        (OrderedDict(a=Colour.RED), {"a": "red"}),
        ({Colour.RED: Level.HIGH}, {"red": 3}),
        ("\ud800", "\ud800"),
    ],
)
def test_a_result_becomes_plain_json(registry: Registry, do: Do, returned: Any, stored: Any) -> None:
    registry.add("give", lambda: returned)
    result = do("task:give")
    assert result == stored
    assert type(result) is type(stored)


def cyclic() -> Any:
    knot: list[Any] = []
    knot.append(knot)
    return {"knot": knot}


@pytest.mark.parametrize(
    ("returned", "problem"),
    [
        ({"total": Decimal("1.10")}, "a value of type Decimal at $.total."),
        ({"lines": [{"at": datetime.now(UTC)}]}, "a value of type datetime at $.lines[0].at."),
        (Order(1), "a value of type Order at $."),
        ({1, 2}, "a value of type set at $."),
        (b"x", "a value of type bytes at $."),
        ([0.0, float("nan")], "nan, which is no JSON number, at $[1]."),
        ({"a": float("-inf")}, "-inf, which is no JSON number, at $.a."),
        ({1: "a"}, "an object with a key of type int at $."),
        pytest.param(10**5000, "an integer of more than 4000 digits at $.", id="endless"),
        (cyclic(), "a value nested deeper than 200 levels (does it contain itself?) at $.knot[0][0]"),
    ],
)
def test_a_result_that_is_no_json_fails_with_its_place(
    registry: Registry, do: Do, returned: Any, problem: str
) -> None:
    registry.add("give", lambda: returned)
    with pytest.raises(TaskError) as caught:
        do("task:give")
    assert caught.value.error == "Task.InvalidResult"
    assert problem in (caught.value.cause or "")


@pytest.mark.parametrize("make", [raising, raising_async])
@pytest.mark.parametrize(
    ("raised", "error", "cause"),
    [
        (InsufficientFunds("3 EUR short"), "InsufficientFunds", "3 EUR short"),
        (TaskError("Bank.Closed"), "Bank.Closed", None),
        (TaskError("Bank.Closed", "until Monday"), "Bank.Closed", "until Monday"),
        (KeyError("id"), "KeyError", "'id'"),
        (ValueError(), "ValueError", ""),
        (ValueError("x" * 40_000), "ValueError", "x" * 32_765 + "..."),
        (Unprintable(), "Unprintable", "(Unprintable has no readable message)"),
        (SystemExit(3), "SystemExit", "3"),
        (KeyboardInterrupt(), "KeyboardInterrupt", ""),
        (asyncio.CancelledError(), "CancelledError", ""),
        (StopIteration(1), "StopIteration", "1"),
    ],
)
def test_what_a_handler_raises_is_the_tasks_error(
    registry: Registry, do: Do, make: Any, raised: BaseException, error: str, cause: str | None
) -> None:
    if make is raising_async and isinstance(raised, StopIteration):
        error, cause = "RuntimeError", "coroutine raised StopIteration"
    registry.add("fail", make(raised))
    registry.add("go", lambda: "on")
    with pytest.raises(TaskError) as caught:
        do("task:fail")
    assert (caught.value.error, caught.value.cause) == (error, cause)
    assert do("task:go") == "on"


def test_the_traceback_goes_to_the_logger_and_not_into_the_cause(
    registry: Registry, do: Do, caplog: pytest.LogCaptureFixture
) -> None:
    registry.add("fail", raising(InsufficientFunds("3 EUR short")))
    with pytest.raises(TaskError):
        do("task:fail")
    [record] = caplog.records
    assert (record.name, record.levelno) == ("detent.task", logging.WARNING)
    assert (record.execution, record.state) == ("e-1", "Charge")
    assert "in handler" in caplog.text


def test_the_context_says_what_runs(registry: Registry, do: Do) -> None:
    def tell(context: TaskContext) -> Any:
        assert context.deadline == datetime(2030, 1, 1, tzinfo=UTC)
        return [
            context.execution,
            context.execution_name,
            context.machine_name,
            context.state,
            context.attempt,
            context.idempotency_key,
            context.cancelled,
        ]

    registry.add("tell", tell)
    deadline = int(datetime(2030, 1, 1, tzinfo=UTC).timestamp() * 1000)
    assert do("task:tell", deadline=deadline) == [
        "e-1",
        "nightly",
        "orders",
        "Charge",
        2,
        task_key("e-1", 7),
        False,
    ]


def test_the_contexts_logger_names_execution_and_state(
    registry: Registry, do: Do, caplog: pytest.LogCaptureFixture
) -> None:
    def handler(context: TaskContext) -> None:
        context.logger.info("charging", extra={"amount": 5})

    caplog.set_level(logging.INFO)
    registry.add("charge", handler)
    do("task:charge")
    [record] = caplog.records
    assert vars(record).items() >= {"execution": "e-1", "state": "Charge", "attempt": 2, "amount": 5}.items()


@pytest.mark.parametrize("is_async", [False, True])
def test_heartbeats_reach_the_engine(registry: Registry, do: Do, is_async: bool) -> None:
    async def beating(context: TaskContext) -> None:
        context.heartbeat()

    registry.add("beat", beating if is_async else lambda context: context.heartbeat())
    beats: list[int] = []
    do("task:beat", beat=lambda: beats.append(1))
    assert beats == [1]


def test_what_a_handler_does_to_its_result_later_changes_nothing(registry: Registry, do: Do) -> None:
    kept: dict[str, list[str]] = {"lines": ["one"]}
    registry.add("give", lambda: kept)
    result = do("task:give")
    kept["lines"].append("two")
    assert result == {"lines": ["one"]}


def test_no_handler_runs_on_the_engines_thread(registry: Registry, do: Do) -> None:
    async def asynchronous() -> str:
        return threading.current_thread().name

    registry.add("async", asynchronous)
    registry.add("sync", lambda: threading.current_thread().name)
    assert do("task:async") == "detent-handlers"
    assert do("task:sync").startswith("detent-handler-")


def test_sync_handlers_run_side_by_side(registry: Registry, on_loop: Await) -> None:
    together = threading.Barrier(4, timeout=100)
    registry.add("meet", lambda: together.wait() >= 0)
    handler = registry.resolve("task:meet")

    async def four() -> list[Any]:
        return await asyncio.gather(*[handler.run(call("task:meet"), lambda: None) for _ in range(4)])

    assert on_loop(four()) == [True] * 4


def test_more_sync_calls_than_threads_wait_their_turn(registry: Registry, on_loop: Await) -> None:
    registry.add("same", lambda n: n)
    handler = registry.resolve("task:same")

    async def many() -> list[Any]:
        return await asyncio.gather(*[handler.run(call("", n), lambda: None) for n in range(300)])

    assert on_loop(many()) == list(range(300))


def test_a_cancelled_async_handler_is_cancelled(registry: Registry, on_loop: Await) -> None:
    begun, ended = threading.Event(), threading.Event()

    async def handler(context: TaskContext) -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            assert context.cancelled
            ended.set()

    registry.add("wait", handler)
    on_loop(cancelled_after(registry, begun))
    assert ended.wait(100)


def test_a_cancelled_sync_handler_is_told_and_its_result_is_dropped(
    registry: Registry, on_loop: Await
) -> None:
    begun, released, ended = threading.Event(), threading.Event(), threading.Event()
    seen: list[bool] = []

    def handler(context: TaskContext) -> str:
        begun.set()
        released.wait(100)
        seen.append(context.cancelled)
        ended.set()
        return "too late"

    registry.add("wait", handler)
    on_loop(cancelled_after(registry, begun))
    released.set()
    assert ended.wait(100)
    assert seen == [True]


async def cancelled_after(registry: Registry, begun: threading.Event) -> None:
    handler = registry.resolve("task:wait")
    assert handler is not None
    running = asyncio.ensure_future(handler.run(call("task:wait"), lambda: None))
    await asyncio.to_thread(begun.wait, 10)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


def test_what_was_cancelled_before_it_began_never_begins(on_loop: Await) -> None:
    registry, released, ran = Registry(threads=1), threading.Event(), []
    registry.add("hold", lambda: released.wait(100))
    registry.add("note", lambda: ran.append(1))

    async def scene() -> None:
        first, second = (
            asyncio.ensure_future(registry.resolve(resource).run(call(resource), lambda: None))
            for resource in ("task:hold", "task:note")
        )
        await asyncio.sleep(0)
        second.cancel()
        with pytest.raises(asyncio.CancelledError):
            await second
        released.set()
        assert await first is True
        await registry.close()

    on_loop(scene())
    assert ran == []


def test_a_task_that_a_handler_left_behind_cannot_end_the_process(
    registry: Registry, do: Do, caplog: pytest.LogCaptureFixture
) -> None:
    async def handler() -> str:
        asyncio.get_running_loop().call_soon(sys.exit, 3)
        await asyncio.sleep(0)
        return "done"

    registry.add("leave", handler)
    assert do("task:leave") == "done"
    assert do("task:leave") == "done"


def test_closing_cancels_what_still_runs(on_loop: Await) -> None:
    registry, begun, ended = Registry(), threading.Event(), threading.Event()

    async def handler() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async def scene() -> None:
        registry.add("wait", handler)
        running = asyncio.ensure_future(registry.resolve("task:wait").run(call(""), lambda: None))
        await asyncio.to_thread(begun.wait, 10)
        await registry.close()
        assert ended.is_set()
        with pytest.raises(TaskError, match="CancelledError"):
            await running

    on_loop(scene())


def test_what_may_not_begin_any_more_when_its_thread_is_there_does_nothing(
    registry: Registry, on_loop: Await
) -> None:
    ran = []

    async def asynchronous() -> None:
        ran.append("async")

    registry.add("async", asynchronous)
    registry.add("sync", lambda: ran.append("sync"))
    for name in ("async", "sync"):
        with pytest.raises(NotBegun):
            on_loop(registry.resolve(f"task:{name}").run(call("", may_begin=lambda: False), lambda: None))
    assert ran == []
