"""Tasks that wait for an answer by token: who may answer, when, how often, and what survives."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from simulation.loop import VirtualClock, run

from detent.core.execution import FAILED, RUNNING, SUCCEEDED
from detent.core.tokens import InvalidToken
from detent.runtime.answers import Answers
from detent.runtime.engine import Engine
from detent.runtime.errors import InvalidOutput, TaskClosed
from detent.runtime.handlers.base import Beat, TaskCall, TaskError
from detent.store.memory import MemoryStore

from .outside import engine, history, now, output, start, task

ASK = "arn:aws:states:::lambda:invoke.waitForTaskToken"
RETRY = [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 1, "MaxAttempts": 1}]


def asking(**fields: Any) -> dict[str, Any]:
    return task(ASK, Parameters={"Payload": {"token.$": "$$.Task.Token"}}, **fields)


class Desk:
    """Whoever is asked: notes the tokens, in order."""

    def __init__(self) -> None:
        self.tokens: list[str] = []

    async def __call__(self, call: TaskCall, beat: Beat) -> Any:
        self.tokens.append(call.arguments["Payload"]["token"])
        return {"asked": len(self.tokens)}

    @property
    def handlers(self) -> dict[str, Any]:
        return {ASK: self}


async def asked(opened: Engine, desk: Desk, **fields: Any) -> str:
    """Start an execution and let it come to where it waits."""
    execution = await start(opened, asking(**fields))
    await asyncio.sleep(0.1)
    return execution


def test_the_answer_is_the_result_and_comes_at_once() -> None:
    async def scenario() -> None:
        desk = Desk()
        async with engine(handlers=desk.handlers) as opened:
            execution = await asked(opened, desk)
            await opened.answers.send_task_success(desk.tokens[0], {"approved": True})
            state = await opened.result(execution)
            assert (state.status, output(state)) == (SUCCEEDED, {"approved": True})
            assert now() < 0.2
            assert (await history(opened, execution))[2:6] == [
                "TaskScheduled",
                "TaskStarted",
                "TaskSubmitted",
                "TaskSucceeded",
            ]

    run(scenario())


def test_a_failure_is_retried_with_another_token_and_the_old_one_is_dead() -> None:
    async def scenario() -> None:
        desk = Desk()
        async with engine(handlers=desk.handlers) as opened:
            execution = await asked(opened, desk, Retry=RETRY)
            await opened.answers.send_task_failure(desk.tokens[0], "Busy", "later")
            await asyncio.sleep(2)
            assert len(set(desk.tokens)) == 2
            with pytest.raises(TaskClosed):
                await opened.answers.send_task_success(desk.tokens[0], 1)
            await opened.answers.send_task_failure(desk.tokens[1], "Mine", "why")
            state = await opened.result(execution)
            assert (state.status, state.error, state.cause) == (FAILED, "Mine", "why")

    run(scenario())


def test_a_failure_needs_no_error_and_no_cause() -> None:
    async def scenario() -> None:
        desk = Desk()
        async with engine(handlers=desk.handlers) as opened:
            execution = await asked(opened, desk)
            await opened.answers.send_task_failure(desk.tokens[0])
            state = await opened.result(execution)
            assert (state.status, state.error, state.cause) == (FAILED, None, None)

    run(scenario())


def test_the_first_answer_wins() -> None:
    async def scenario() -> None:
        desk = Desk()
        async with engine(handlers=desk.handlers) as opened:
            execution = await asked(opened, desk)
            send = opened.answers.send_task_success
            answers = [send(desk.tokens[0], number) for number in range(5)]
            outcomes = await asyncio.gather(*answers, return_exceptions=True)
            assert [type(outcome) for outcome in outcomes] == [type(None), *[TaskClosed] * 4]
            assert output(await opened.result(execution)) == 0
            with pytest.raises(TaskClosed):
                await send(desk.tokens[0], "late")

    run(scenario())


def test_what_was_never_given_out_answers_nothing() -> None:
    async def scenario() -> None:
        desk = Desk()
        async with engine(handlers=desk.handlers) as opened:
            execution = await asked(opened, desk)
            token = desk.tokens[0]
            place, _, secret = token.partition(".")
            other = "0" if secret[0] != "0" else "1"
            forged = [
                "",
                ".",
                "token",
                "ü" * 99,
                token[:-1],
                token + "0",
                "x" * 9999,
                f"{place}.{other}{secret[1:]}",
            ]
            for text in forged:
                for send in (
                    opened.answers.send_task_failure,
                    opened.answers.send_task_heartbeat,
                    Answers(opened.store, VirtualClock()).send_task_failure,
                ):
                    with pytest.raises(InvalidToken):
                        await send(text)
            assert (await opened.resume(execution)).status == RUNNING

    run(scenario())


@pytest.mark.parametrize("value", [float("nan"), {1: 2}, {"set"}, b"bytes"])
def test_an_output_is_json(value: Any) -> None:
    async def scenario() -> None:
        desk = Desk()
        async with engine(handlers=desk.handlers) as opened:
            await asked(opened, desk)
            with pytest.raises(InvalidOutput):
                await opened.answers.send_task_success(desk.tokens[0], value)

    run(scenario())


def test_heartbeats_keep_a_task_alive_and_their_end_kills_it() -> None:
    async def scenario() -> None:
        desk = Desk()
        async with engine(handlers=desk.handlers) as opened:
            execution = await asked(opened, desk, HeartbeatSeconds=3, TimeoutSeconds=60)
            for _ in range(5):
                await asyncio.sleep(2)
                await opened.answers.send_task_heartbeat(desk.tokens[0])
            state = await opened.result(execution)
            assert (state.status, state.error) == (FAILED, "States.Timeout")
            assert 13 <= now() < 13.5
            with pytest.raises(TaskClosed):
                await opened.answers.send_task_heartbeat(desk.tokens[0])

    run(scenario())


def test_a_heartbeat_does_not_move_the_timeout() -> None:
    async def scenario() -> None:
        desk = Desk()
        async with engine(handlers=desk.handlers) as opened:
            execution = await asked(opened, desk, HeartbeatSeconds=3, TimeoutSeconds=5)
            await asyncio.sleep(2)
            await opened.answers.send_task_heartbeat(desk.tokens[0])
            await asyncio.sleep(2)
            await opened.answers.send_task_heartbeat(desk.tokens[0])
            assert (await opened.result(execution)).error == "States.Timeout"
            assert 5 <= now() < 5.5

    run(scenario())


def test_an_answer_may_overtake_the_call() -> None:
    async def scenario() -> None:
        async def slow(call: TaskCall, beat: Beat) -> Any:
            await opened.answers.send_task_success(call.arguments["Payload"]["token"], "quick")
            await asyncio.sleep(10)

        async with engine(handlers={ASK: slow}) as opened:
            execution = await start(opened, asking())
            assert output(await opened.result(execution)) == "quick"
            assert now() < 1

    run(scenario())


def test_a_call_that_fails_fails_the_task() -> None:
    async def scenario() -> None:
        async def away(call: TaskCall, beat: Beat) -> Any:
            raise TaskError("Away")

        async with engine(handlers={ASK: away}) as opened:
            assert (await opened.result(await start(opened, asking()))).error == "Away"

    run(scenario())


def test_a_submitted_task_is_not_called_again_after_a_restart() -> None:
    async def scenario() -> None:
        store, desk = MemoryStore(), Desk()
        async with engine(store, desk.handlers) as first:
            execution = await asked(first, desk, HeartbeatSeconds=30)
        async with engine(store, desk.handlers) as second:
            assert (await second.resume(execution)).status == RUNNING
            await asyncio.sleep(5)
            await second.answers.send_task_success(desk.tokens[0], "after")
            assert output(await second.result(execution)) == "after"
            assert len(desk.tokens) == 1

    run(scenario())


def test_clocks_run_on_through_a_restart() -> None:
    async def scenario() -> None:
        store, desk = MemoryStore(), Desk()
        async with engine(store, desk.handlers) as first:
            execution = await asked(first, desk, TimeoutSeconds=20, HeartbeatSeconds=10)
            await asyncio.sleep(5)
            await first.answers.send_task_heartbeat(desk.tokens[0])
        async with engine(store, desk.handlers, takes_over=True) as second:
            await asyncio.sleep(6)
            assert (await second.resume(execution)).status == RUNNING
            assert (await second.result(execution)).error == "States.Timeout"
            assert 15 <= now() < 16

    run(scenario())


def test_a_guest_answers_while_no_engine_runs_and_that_counts_even_if_time_runs_out_meanwhile() -> None:
    async def scenario() -> None:
        store, desk = MemoryStore(), Desk()
        async with engine(store, desk.handlers) as first:
            execution = await asked(first, desk, TimeoutSeconds=20)
        await store.open(engine=False)
        guest = Answers(store, VirtualClock())
        await guest.send_task_success(desk.tokens[0], "by a guest")
        with pytest.raises(TaskClosed):
            await guest.send_task_failure(desk.tokens[0])
        await store.close()
        await asyncio.sleep(60)
        async with engine(store, desk.handlers, takes_over=True) as second:
            await asyncio.sleep(2)
            assert output(await second.result(execution)) == "by a guest"

    run(scenario())


def test_an_answer_of_a_guest_is_looked_for_before_a_task_is_taken_for_late() -> None:
    async def scenario() -> None:
        store, desk = MemoryStore(), Desk()
        async with engine(store, desk.handlers) as opened:
            execution = await asked(opened, desk, TimeoutSeconds=20)
            await asyncio.sleep(19.89)
            await Answers(store, VirtualClock()).send_task_success(desk.tokens[0], "just in time")
            assert output(await opened.result(execution)) == "just in time"

    run(scenario())


def test_a_sign_of_life_to_a_guest_is_looked_for_before_a_task_is_taken_for_dead() -> None:
    async def scenario() -> None:
        store, desk = MemoryStore(), Desk()
        async with engine(store, desk.handlers) as opened:
            execution = await asked(opened, desk, HeartbeatSeconds=10)
            await asyncio.sleep(8)
            await Answers(store, VirtualClock()).send_task_heartbeat(desk.tokens[0])
            assert (await opened.result(execution)).error == "States.Timeout"
            assert 18 <= now() < 18.5

    run(scenario())


def test_an_answer_that_is_too_large_fails_the_task() -> None:
    async def scenario() -> None:
        desk = Desk()
        async with engine(handlers=desk.handlers) as opened:
            execution = await asked(opened, desk)
            await opened.answers.send_task_success(desk.tokens[0], "x" * 2_000_000)
            assert (await opened.result(execution)).error == "States.DataLimitExceeded"

    run(scenario())


def test_tokens_of_parallel_tasks_are_not_mixed_up() -> None:
    async def scenario() -> None:
        desk = Desk()
        each = {"Type": "Map", "End": True, "ItemProcessor": asking()}
        async with engine(handlers=desk.handlers) as opened:
            execution = await start(opened, {"StartAt": "M", "States": {"M": each}}, [1, 2, 3])
            await asyncio.sleep(1)
            for number, token in reversed(list(enumerate(desk.tokens))):
                await opened.answers.send_task_success(token, number)
            assert output(await opened.result(execution)) == [0, 1, 2]

    run(scenario())


def test_an_execution_that_is_gone_has_no_tokens() -> None:
    async def scenario() -> None:
        desk = Desk()
        async with engine(handlers=desk.handlers) as opened:
            execution = await asked(opened, desk)
            opened.stop(execution)
            await opened.result(execution)
            with pytest.raises(TaskClosed):
                await opened.answers.send_task_success(desk.tokens[0], 1)
            await opened.store.delete([execution])
            with pytest.raises(InvalidToken):
                await opened.answers.send_task_success(desk.tokens[0], 1)

    run(scenario())
