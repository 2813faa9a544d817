"""Compiled machines: kept while there is room, and made again after that."""

from __future__ import annotations

import asyncio
import json

import pytest
from core.building import machine, task

from detent.compile import CompileError, compile_definition
from detent.core.machine import Machine
from detent.runtime import machines
from detent.runtime.machines import Machines
from detent.store.base import MachineRecord
from detent.store.memory import MemoryStore


def test_ever_new_definitions_do_not_fill_the_memory() -> None:
    compiled = []

    def compile(text: bytes, digest: str) -> Machine:
        compiled.append(digest)
        return machine(task("A"))

    async def scenario() -> None:
        store = MemoryStore()
        await store.open(engine=True)
        kept = Machines(store, compile)
        size = machines.BYTES_MAX // 4
        for number in range(6):
            text = b'"' + b"x" * (size - 2) + b'"'
            await kept.publish(MachineRecord(f"d{number}", "arn:m", text, 0))
        assert compiled == [f"d{number}" for number in range(6)]
        await kept.get("d5")
        assert len(compiled) == 6
        await kept.get("d0")
        assert compiled[6:] == ["d0"]

    asyncio.run(scenario())


def test_states_count_as_well_as_the_text_of_their_definition() -> None:
    compiled = []

    def compile(text: bytes, digest: str) -> Machine:
        compiled.append(digest)
        return machine(*(task(f"S{number}") for number in range(2_000)))

    async def scenario() -> None:
        store = MemoryStore()
        await store.open(engine=True)
        kept = Machines(store, compile)
        room = machines.BYTES_MAX // (2_000 * machines.STATE_BYTES)
        for number in range(room + 1):
            await kept.publish(MachineRecord(f"d{number}", "arn:m", b"{}", 0))
        assert len(compiled) == room + 1
        await kept.get(f"d{room}")
        assert len(compiled) == room + 1
        await kept.get("d0")
        assert compiled[-1] == "d0"

    asyncio.run(scenario())


def test_a_definition_larger_than_all_room_runs_all_the_same() -> None:
    async def scenario() -> None:
        store = MemoryStore()
        await store.open(engine=True)
        kept = Machines(store, lambda text, digest: machine(task("A")))
        text = b'"' + b"x" * machines.BYTES_MAX + b'"'
        assert (await kept.publish(MachineRecord("d", "arn:m", text, 0))).root.start == "A"

    asyncio.run(scenario())


def retried(retrier: dict[str, object]) -> object:
    """A definition whose only state is tried again as a retrier says."""
    members = {"Retry": [{"ErrorEquals": ["States.ALL"]} | retrier]}
    return {"StartAt": "A", "States": {"A": {"Type": "Task", "Resource": "task:t", "End": True} | members}}


@pytest.mark.parametrize(
    "definition",
    [
        {"StartAt": "A", "States": "${States}"},
        {"StartAt": "A", "States": {"A": {"Type": "Pass", "OutputPath": "${Path}", "End": True}}},
        {"StartAt": "${First}", "States": {"A": {"Type": "Pass", "End": True}}},
        {"StartAt": "A", "TimeoutSeconds": "${Number}", "States": {"A": {"Type": "Pass", "End": True}}},
        retried({"IntervalSeconds": "${Number}"}),
        retried({"MaxAttempts": "${Number}"}),
        retried({"BackoffRate": "${Number}"}),
        retried({"MaxDelaySeconds": "${Number}"}),
        {"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "${Next}"}}},
        {"StartAt": "A", "States": {"A": {"Type": "Choice", "Choices": [], "Default": "${Next}"}}},
        {
            "StartAt": "A",
            "States": {
                "A": {"Type": "Choice", "Choices": [{"Variable": "$.a", "IsNull": True, "Next": "${Next}"}]}
            },
        },
        {
            "StartAt": "A",
            "States": {
                "A": {
                    "Type": "Task",
                    "Resource": "task:t",
                    "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "${Next}"}],
                    "End": True,
                }
            },
        },
        {"StartAt": "A", "States": {"A": {"Type": "Map", "ItemProcessor": "${Processor}", "End": True}}},
    ],
    ids=json.dumps,
)
def test_what_still_has_placeholders_cannot_be_compiled(definition: object) -> None:
    with pytest.raises(CompileError):
        compile_definition(definition)
