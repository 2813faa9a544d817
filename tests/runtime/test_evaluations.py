"""Expressions that take long, or more than there is: the engine works on, and what they answer is right."""

from __future__ import annotations

import asyncio
import re
import resource
from pathlib import Path
from random import Random
from typing import Any

import pytest

from detent.audit import replay
from detent.compile import compile_definition
from detent.core.bindings import Bindings, Given
from detent.core.errors import StateFailure
from detent.core.evaluation import BrokenOff
from detent.core.execution import FAILED, SUCCEEDED, Execution
from detent.query.jsonata import Stage, compile_expression
from detent.query.jsonata.apart import Request, write_request
from detent.query.jsonata.engine import QUICK
from detent.runtime.compose import Names, open_engine, start_execution
from detent.runtime.engine import Engine
from detent.runtime.evaluations import Evaluations
from detent.runtime.handlers.base import Beat, TaskCall
from detent.runtime.helpers import Helpers
from detent.runtime.recall import recall_steps
from detent.store.memory import MemoryStore

from .test_engine import Handler

MEGABYTE = 1024 * 1024


def nobody(resource: str, arguments: object = None) -> None:
    return None


def machine(*expressions: str) -> dict[str, Any]:
    """A chain of states, each of which assigns the value of an expression to its name; the last puts it out."""
    states: dict[str, Any] = {}
    for index, expression in enumerate(expressions):
        text = f"{{% {expression} %}}"
        states[f"s{index}"] = {"Type": "Pass", "Assign": {f"v{index}": text}, "Next": f"s{index + 1}"}
    states[f"s{len(expressions)}"] = {
        "Type": "Pass",
        "Output": [f"{{% $v{index} %}}" for index in range(len(expressions))],
        "End": True,
    }
    return {"QueryLanguage": "JSONata", "StartAt": "s0", "States": states}


def run(store: str, *definitions: dict[str, Any], input: Any = None) -> list[Execution]:
    """Executions of these definitions, started in this order, in the order of their ends."""

    ended: list[Execution] = []

    async def one(engine: Engine, name: str, definition: dict[str, Any]) -> None:
        record = await start_execution(engine, definition, Names("m"), name, input)
        ended.append(await engine.result(record.id))

    async def all_of_them() -> None:
        async with open_engine(store, nobody) as engine, asyncio.TaskGroup() as group:
            for index, definition in enumerate(definitions):
                group.create_task(one(engine, f"e{index}", definition))

    asyncio.run(all_of_them())
    return ended


SLOW = "$sum([1..400000].($ * 2))"


def test_an_evaluation_that_takes_long_is_done_elsewhere(tmp_path: Path) -> None:
    (execution,) = run(str(tmp_path / "detent.db"), machine(SLOW, "$uuid()", "$v0 + 1"))
    assert execution.status == SUCCEEDED
    assert execution.output is not None
    slow, drawn, later = execution.output.value
    assert (slow, later) == (160000400000, 160000400001)
    assert len(drawn) == 36


def test_others_do_not_wait_for_it() -> None:
    ended = run("memory:", machine(SLOW), machine("1"), machine("2"))
    assert [execution.name for execution in ended] == ["e1", "e2", "e0"]


#: Which limit is met first depends on how busy the machine is.
TOO_MUCH = "memory limit exceeded|Expression evaluation timeout"
BOMBS = {
    "($f := function($n) { $f($n + 1) }; $f(0))": TOO_MUCH,
    "($f := function($n) { 1 + $f($n + 1) }; $f(0))": "Stack overflow error",
    "($f := function($s, $n) { $n = 0 ? $s : $f($s & $s, $n - 1) }; $f('x', 40))": TOO_MUCH,
    "($f := function($a, $n) { $n = 0 ? $a : $f({'l': $a, 'r': $a}, $n - 1) }; $f(1, 60))": TOO_MUCH,
    "[1..99999].($states.input)": TOO_MUCH,
    "$pad('x', 200000000)": TOO_MUCH,
    "$sum([1..900000])": TOO_MUCH,
    "$count([1..99999999])": "D2014",
    "$match($pad('', 40, 'a') & 'b', /^(a+)+$/)": r"returned nothing \(undefined\)",
}


def test_bombs_end_in_a_failure_of_their_state() -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    ended = run("memory:", *(machine(bomb) for bomb in BOMBS), input=list(range(1000)))
    causes = {execution.name: execution.cause or "" for execution in ended}
    assert {execution.status for execution in ended} == {FAILED}
    for index, (bomb, words) in enumerate(BOMBS.items()):
        assert bomb in causes[f"e{index}"]
        assert re.search(words, causes[f"e{index}"])
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
    assert grown < 100 * MEGABYTE


def test_a_helper_without_memory_ends_also_where_it_is_asked_for_the_way_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("RUST_BACKTRACE", "1")
    monkeypatch.setattr("detent.runtime.helpers.PATIENCE_SECONDS", 20.0)
    bomb = "($f := function($a, $n) { $n = 0 ? $a : $f({'l': $a, 'r': $a}, $n - 1) }; $f(1, 60))"
    request = write_request(Request(bomb, {"input": list(range(250))}, {}, 0, None))

    async def often() -> set[bytes]:
        helpers = Helpers()
        try:
            return {await helpers.evaluate(request) for _ in range(6)}
        finally:
            await helpers.close()

    for answer in asyncio.run(often()):
        assert b"memory" in answer


def pass_of(**fields: Any) -> dict[str, Any]:
    return {"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True, **fields}}}


def test_paths_and_functions_over_large_values_are_done_elsewhere() -> None:
    numbers = list(range(60_000))
    definitions = [
        pass_of(Parameters={"x.$": "$[?(@ > 59997)]", "y.$": "$[0]"}),
        pass_of(Parameters={"x.$": "States.ArrayGetItem(States.ArrayPartition($, 59999), 1)", "y.$": "$[0]"}),
        pass_of(InputPath="$[*]", Parameters={"x.$": "$[?(@ == 7)].nothing", "y.$": "$[1]"}),
        pass_of(Parameters={"x.$": "States.Array($[*], $[*])"}),
        pass_of(Parameters={"x.$": f"States.Array({', '.join(['$'] * 200)})"}),
    ]
    ended = {one.name: one for one in run("memory:", *definitions, input=numbers)}
    put_out = [None if one.output is None else one.output.value for _, one in sorted(ended.items())]
    assert put_out[:3] == [{"x": [59998, 59999], "y": 0}, {"x": [59999], "y": 0}, {"x": [], "y": 1}]
    assert put_out[3] == {"x": [numbers, numbers]}
    assert (ended["e4"].status, ended["e4"].error) == (FAILED, "States.DataLimitExceeded")


LONG = "[1..30000]"


def test_what_was_evaluated_elsewhere_is_what_it_would_be_here() -> None:
    """A large value that only goes on is not read on its way; whoever looks at it finds it."""
    numbers = list(range(1, 30_001))
    definition = {
        "QueryLanguage": "JSONata",
        "StartAt": "Make",
        "States": {
            "Make": {
                "Type": "Pass",
                "Assign": {"kept": f"{{% {LONG} %}}", "one": 1},
                "Output": {"all": [f"{{% {LONG} %}}", 2], "some": "{% 'x' %}"},
                "Next": "Look",
            },
            "Look": {
                "Type": "Pass",
                "Output": "{% [$states.input.all[1], $count($states.input.all[0]), $kept[2], $one] %}",
                "Next": "Work",
            },
            "Work": {
                "Type": "Task",
                "Resource": "task:nobody",
                "Arguments": {"given": f"{{% {LONG} %}}"},
                "Output": {"seen": "{% $states.input %}", "result": "{% $states.result %}"},
                "Next": "Each",
            },
            "Each": {
                "Type": "Map",
                "Items": f"{{% {LONG}[$ < 3] %}}",
                "ItemSelector": {"n": "{% $states.context.Map.Item.Value %}", "all": f"{{% {LONG} %}}"},
                "ItemProcessor": {
                    "StartAt": "Count",
                    "States": {
                        "Count": {
                            "Type": "Pass",
                            "Output": "{% $count($states.input.all) + $states.input.n %}",
                            "End": True,
                        }
                    },
                },
                "Output": {
                    "counts": "{% $states.result %}",
                    "before": "{% $states.input %}",
                    "kept": "{% $kept %}",
                },
                "End": True,
            },
        },
    }
    given: list[Any] = []

    async def work(call: TaskCall, beat: Beat) -> Any:
        given.append(call.arguments)
        return "done"

    async def scenario() -> Execution:
        store = MemoryStore()
        async with open_engine(store, lambda resource: Handler(work, None)) as engine, asyncio.timeout(30):
            record = await start_execution(engine, definition, Names("m"), "e", None)
            ended = await engine.result(record.id)
            steps = (await recall_steps(store, record.id))[1]
        assert replay(compile_definition(definition), steps) is None
        return ended

    ended = asyncio.run(scenario())
    assert ended.status == SUCCEEDED, ended.cause
    assert ended.output is not None
    assert ended.output.value == {
        "counts": [30_001, 30_002],
        "before": {"seen": [2, 30_000, 3, 1], "result": "done"},
        "kept": numbers,
    }
    assert given == [{"given": numbers}]


# A decision that is broken off


@pytest.fixture
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is quick stays quick on a busy machine; SLOW is not, for it makes too long a list."""
    monkeypatch.setattr("detent.query.jsonata.engine.QUICK", QUICK._replace(milliseconds=100_000))
    monkeypatch.setattr("detent.runtime.evaluations.DECISION_SECONDS", 100.0)


async def elsewhere(request: bytes) -> bytes:
    helpers = Helpers()
    try:
        return await helpers.evaluate(request)
    finally:
        await helpers.close()


def evaluate(text: str, evaluations: Evaluations) -> Any:
    bindings = Bindings([1, 2], {}, Given(dict, Random), evaluator=evaluations)
    return compile_expression(text, place="Output", stage=Stage())(None, bindings)


@pytest.mark.usefixtures("unhurried")
def test_what_is_known_is_not_evaluated_again() -> None:
    evaluations = Evaluations()
    assert evaluate("1 + 1", evaluations) == 2
    with pytest.raises(BrokenOff) as broken:
        evaluate(SLOW, evaluations)
    assert broken.value.request is not None
    evaluations.learn(asyncio.run(elsewhere(broken.value.request)))
    evaluations.begin()
    assert evaluate("2 + 2", evaluations) == 2, "the place in the order decides, not the expression"
    assert evaluate(SLOW, evaluations) == 160000400000


@pytest.mark.usefixtures("unhurried")
def test_many_quick_evaluations_let_others_go_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("detent.runtime.evaluations.DECISION_SECONDS", 0.0)
    evaluations = Evaluations()
    assert evaluate("1 + 1", evaluations) == 2
    with pytest.raises(BrokenOff) as broken:
        evaluate("2 + 2", evaluations)
    assert broken.value.request is None
    evaluations.begin()
    assert [evaluate("1 + 1", evaluations), evaluate("2 + 2", evaluations)] == [2, 4]


def test_a_decision_is_taken_up_as_often_as_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("detent.runtime.evaluations.DECISION_SECONDS", 0.0)
    (execution,) = run("memory:", machine("1 + 1", "$v0 + 1", "$v1 + 1", "$random() * 0 + 5"))
    assert execution.output is not None
    assert execution.output.value == [2, 3, 4, 5]


@pytest.mark.usefixtures("unhurried")
def test_a_failure_found_elsewhere_is_the_same_failure() -> None:
    evaluations = Evaluations()
    text = f"$error('found ' & {SLOW})"
    with pytest.raises(BrokenOff) as broken:
        evaluate(text, evaluations)
    evaluations.learn(asyncio.run(elsewhere(broken.value.request or b"")))
    evaluations.begin()
    with pytest.raises(StateFailure, match="D3137: found 160000400000"):
        evaluate(text, evaluations)


@pytest.mark.parametrize("request_", [b"", b"{}", b"nonsense"])
def test_a_helper_that_dies_has_an_answer(request_: bytes) -> None:
    assert asyncio.run(elsewhere(request_)) == b'{"ended":"memory"}'
