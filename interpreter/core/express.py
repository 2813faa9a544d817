"""What a state machine of type EXPRESS cannot do (api, section 9): nothing that outlives a call."""

from __future__ import annotations

from collections.abc import Iterator

from .machine import DistributedMap, Machine, Task


def refused_by_express(machine: Machine) -> Iterator[str]:
    """Why a machine cannot run as EXPRESS, a sentence for every state that stands against it."""
    for scope in machine.scopes.values():
        for state in scope.states.values():
            if isinstance(state, Task) and state.mode != "request":
                yield f"the state {state.name!r} waits for {_awaited(state)}"
            elif isinstance(state, DistributedMap):
                yield f"the state {state.name!r} is a distributed Map"


def _awaited(task: Task) -> str:
    if task.mode == "token":
        return "a task token"
    return {"activity": "the worker of an activity", "signal": "a named signal"}.get(
        task.mode, "the end of a job (.sync)"
    )
