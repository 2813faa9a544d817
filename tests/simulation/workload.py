"""What runs in a simulation: machines of every kind, and tasks whose outcomes are written in advance.

The end of an execution must not depend on who is quicker. So errors differ in nothing that a machine can
see, and whether a branch or an iteration fails is settled by its own tasks alone.
"""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Any

from core.building import (
    Flow,
    Play,
    asks,
    catcher,
    choice,
    do,
    each,
    machine,
    parallel,
    retrier,
    scope,
    started,
    succeed,
    task,
    wait,
)
from properties import spoken

from detent.core.execution import RUNNING, Pending
from detent.core.machine import Machine
from detent.core.signals import Began, Failed, Fired, Succeeded, TimedOut
from detent.core.values import Payload

#: Seconds far beyond what faults can delay a task by.
TIMEOUT = 100
HEARTBEAT = 50

CAUGHT = Flow(output=lambda b: "caught")
_more = Flow(make=lambda b: b.input + 1)


def _machines() -> dict[str, Machine]:
    again = (retrier(attempts=2, interval=1),)
    chain = [
        task("A", "B", retry=again, catch=(catcher("Z", flow=CAUGHT),)),
        wait("B", 3, "C"),
        task("C", "Z"),
    ]
    iteration = scope("/Each/i", task("T", "U", retry=again), task("U"))
    inner = each(
        "Inner",
        scope(
            "/Both/0/Inner/i",
            task("V"),
        ),
        items=lambda d: [1, 2, 3],
        concurrency=2,
    )
    branches = (
        scope("/Both/0", do("Before", "Inner"), inner),
        scope("/Both/1", wait("Pause", 5, "W"), task("W", retry=again)),
    )
    slow = task(
        "Slow", "Z", timeout=TIMEOUT, heartbeat=HEARTBEAT, retry=again, catch=(catcher("Z", flow=CAUGHT),)
    )
    count = Flow(make=lambda b: 0)
    items = {"items": lambda d: list(range(7)), "concurrency": 3}
    return {
        "pure": machine(do("A", "B"), do("B", "C"), succeed("C")),
        "chain": machine(*chain, succeed("Z")),
        "each": machine(
            each("Each", iteration, "Z", **items, catch=(catcher("Z", flow=CAUGHT),)), succeed("Z")
        ),
        "both": machine(
            parallel("Both", *branches, next="Z", retry=again, catch=(catcher("Z", flow=CAUGHT),)), do("Z")
        ),
        "slow": machine(slow, do("Z")),
        "asking": machine(
            asks("First", "Then", signal="first"),
            task("Then", "Every"),
            each("Every", scope("/Every/i", asks("Item", signal="item")), "Last", items=lambda d: [1, 2, 3]),
            asks("Last", signal="last", flow=Flow(output=lambda b: [b.input, b.result])),
        ),
        "spoken": machine(
            replace(task("Ask", "Every", retry=again), flow=spoken.flow("{% $states.result.number %}")),
            replace(
                each("Every", scope("/Every/i", task("Told")), "Sum", concurrency=2),
                items=spoken.items(4),
                selector=spoken.selector(),
            ),
            replace(wait("Sum", 1, "Last"), until=spoken.until(2)),
            do("Last", flow=spoken.flow({"sum": "{% $sum($states.input.number) %}"})),
        ),
        "beating": machine(task("Beating", heartbeat=HEARTBEAT, retry=again)),
        "loop": machine(
            do("Zero", "Add", count),
            do("Add", "More", _more),
            choice("More", (lambda d: d < 260, "Add"), default="Z"),
            wait("Z", 1),
        ),
    }


MACHINES = _machines()


#: The named signals that an execution of "asking" gets, those for one name all alike.
SIGNALS = ("first", "item", "item", "item", "last")


def outcome(execution: str, state: str, arguments: Any, attempt: int) -> tuple[str, Any]:
    """What an attempt of a task comes to: ``ok`` and a result, ``fail``, ``hang`` or ``beat`` and a result."""
    random = Random(f"{execution}/{state}/{arguments!r}/{attempt}")
    result = {"state": state, "number": random.randrange(100)}
    draw = random.random()
    if state == "Beating":
        return ("beat", result) if draw < 0.7 else ("hang", None)
    if draw < 0.8:
        return "ok", result
    return ("hang", None) if state == "Slow" and draw < 0.9 else ("fail", None)


def said(execution: str, name: str) -> Any:
    """What the named signals of an execution say."""
    return {"name": name, "of": execution}


def expected(execution: str, machine: Machine, input: Any) -> tuple[str, Any]:
    """Status and output of an execution when nothing goes wrong around it: decided by the core alone."""
    play = Play(machine)
    play.send(started(input))
    while play.execution.status == RUNNING:
        pending = next(iter(play.execution.pending.values()))
        _answer(play, execution, pending)
    output = play.execution.output
    return play.execution.status, None if output is None else output.value


def _answer(play: Play, execution: str, pending: Pending) -> None:
    if pending.kind != "task":
        assert pending.due is not None
        play.now = max(play.now, pending.due)
        play.send(Fired(pending.id))
        return
    if pending.mode == "signal":
        name = (pending.resource or "").removeprefix("signal:")
        play.signal(name, said(execution, name))
        return
    state = play.execution.frames[pending.frame].state or ""
    assert pending.arguments is not None
    kind, result = outcome(execution, state, pending.arguments.value, pending.attempt)
    play.send(Began(pending.id))
    if kind == "hang":
        play.later(HEARTBEAT)
        play.send(TimedOut(pending.id, heartbeat=True))
    elif kind == "fail":
        play.send(Failed(pending.id, "E1", None))
    else:
        play.send(Succeeded(pending.id, Payload(result)))
