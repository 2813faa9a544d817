"""Search attributes: what may be declared, how values compare, and which executions have what."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from simulation.loop import run

from detent.compile import digest_of
from detent.core.limits import DETENT
from detent.core.values import Payload, encode
from detent.runtime.attributes import matches
from detent.runtime.catalogue_entries import Draft
from detent.runtime.catalogue_errors import MachineExists
from detent.runtime.engine import Engine
from detent.search import (
    ATTRIBUTES_MAX,
    PATH_MAX,
    TEXT_MAX,
    SearchAttributeError,
    check_declared,
    key_of,
    keys_at,
    read_condition,
)
from detent.store.base import ExecutionRecord, NotFound, Query
from detent.store.memory import MemoryStore

from .outside import engine, task

MACHINES = "arn:aws:states:us-east-1:123456789012:stateMachine"
ORDERS = f"{MACHINES}:orders"
DECLARED = {"customer": "$.input.customer.id", "first": "$.input.lines[0].sku", "total": "$.output.total"}

NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)


# What may be declared


@pytest.mark.parametrize(
    "path", ["$.input", "$.output", "$.input.a.b", "$['output']['a b'][0]", "$.input.lines[-1].sku"]
)
def test_a_path_leads_into_the_input_or_the_output(path: str) -> None:
    check_declared({"name": path})


@pytest.mark.parametrize(
    ("declared", "why"),
    [
        ({f"a{n}": "$.input" for n in range(ATTRIBUTES_MAX + 1)}, "may declare 10 search attributes"),
        ({"": "$.input"}, "cannot be the name"),
        ({"a.b": "$.input"}, "cannot be the name"),
        ({"a" * 64: "$.input"}, "cannot be the name"),
        ({"9": "$.input"}, "cannot be the name"),
        ({"a": ""}, "cannot be the path of a"),
        ({"a": "input.a"}, "must start with"),
        ({"a": "$"}, "leads neither"),
        ({"a": "$.result.a"}, "leads neither"),
        ({"a": "$$.Execution.Input"}, "leads neither"),
        ({"a": "$input.a"}, "leads neither"),
        ({"a": "$[0]"}, "leads neither"),
        ({"a": "$.input[*]"}, "wildcard"),
        ({"a": "$.input..b"}, "descent"),
        ({"a": "$.input" + ".a" * PATH_MAX}, "more than 256 characters"),
    ],
)
def test_what_cannot_be_declared_is_refused_and_says_why(declared: dict[str, str], why: str) -> None:
    with pytest.raises(SearchAttributeError, match=why):
        check_declared(declared)


# What values are found by


def test_what_stands_at_the_paths_of_one_root_has_keys() -> None:
    order = {"customer": {"id": "Ada"}, "lines": [{"sku": 7}], "total": 9}
    assert keys_at(DECLARED, "input", order) == {"customer": key_of("Ada"), "first": key_of(7)}
    assert keys_at(DECLARED, "output", order) == {"total": key_of(9)}


@pytest.mark.parametrize("input", [None, 7, "text", [], {"customer": None, "lines": {}}, {"lines": ["text"]}])
def test_what_does_not_stand_there_has_none(input: Any) -> None:
    assert keys_at(DECLARED, "input", input) == {}


@pytest.mark.parametrize("value", [None, {}, [], [1]])
def test_only_texts_numbers_and_booleans_have_keys(value: Any) -> None:
    assert key_of(value) is None


@given(NUMBERS, NUMBERS)
def test_keys_of_numbers_compare_as_the_numbers(one: float, other: float) -> None:
    assert (key_of(one) < key_of(other)) is (one < other)
    assert (key_of(one) == key_of(other)) is (one == other)


def test_numbers_that_no_double_holds_have_keys() -> None:
    assert key_of(2**53) < key_of(2**53 + 1) < key_of(2**53 + 2)
    assert key_of(-(10**400)) < key_of(-1e308) < key_of(1e308) < key_of(10**400)
    assert key_of(0) == key_of(-0.0)


@given(st.text(max_size=TEXT_MAX // 4), st.text(max_size=TEXT_MAX // 4))
def test_keys_of_texts_compare_as_their_characters(one: str, other: str) -> None:
    assert (key_of(one) < key_of(other)) is (one < other)


def test_long_texts_are_told_apart_and_compare_by_their_beginning() -> None:
    long, other = "a" * 1000, "a" * 999 + "b"
    assert key_of(long) != key_of(other)
    assert key_of("a" * 10) < key_of(long) < key_of("b")
    assert len(key_of(long) or b"") < 300


def test_types_do_not_mix() -> None:
    keys = [key_of(value) for value in (True, 1, "1", "true", False)]
    assert len(set(keys)) == 5


@pytest.mark.parametrize(
    ("condition", "fitting", "others"),
    [
        ("a=Ada", ["Ada"], ["ada", "Ada ", 1]),
        ("a=42", [42, 42.0, "42"], [43, "42.0", True]),
        ("a=4.2e1", [42, "4.2e1"], ["42"]),
        ('a="42"', ["42"], [42, '"42"']),
        ("a=true", [True, "true"], [1, False]),
        ("a=", [""], [None, 0]),
        ("a==", ["="], [""]),
        ("a=b>=c", ["b>=c"], ["c"]),
        ("a=1_0", ["1_0"], [10]),
        ("a>41", [42, 41.5, 10**30], [41, "42", True]),
        ("a>=41", [41, 42], [40.9, "41"]),
        ("a<0", [-0.1, -(10**30)], [0, "-1", False]),
        ("a<=0", [0, -1], [0.1]),
        ("a>m", ["n", "ma"], ["m", "M", 99]),
        ('a<"10"', ["09", ""], ["10", 9]),
        ("a>=2026-11", ["2026-11-21"], ["2026-10", 2027]),
    ],
)
def test_a_condition_fits_what_it_means(condition: str, fitting: list[Any], others: list[Any]) -> None:
    match = read_condition(condition)
    assert match.name == "a"
    assert [value for value in fitting if not match.fits(key_of(value) or b"")] == []
    assert [value for value in others if match.fits(key_of(value) or b"")] == []


@pytest.mark.parametrize("condition", ["", "a", "=1", "a b=1", ">5", "a!=5"])
def test_what_is_no_condition_says_how_one_is_written(condition: str) -> None:
    with pytest.raises(SearchAttributeError, match="write NAME=VALUE"):
        read_condition(condition)


# Which executions have what


async def machine(known: Engine, definition: Any, search: Any = None, name: str = "orders") -> None:
    draft = Draft(encode(definition).decode(), digest_of(definition), "role")
    await known.catalogue.create_machine(f"{MACHINES}:{name}", "STANDARD", draft, search=search)


async def start(known: Engine, name: str, input: Any, machine: str = "orders") -> str:
    target = await known.catalogue.target(f"{MACHINES}:{machine}")
    id = f"arn:aws:states:us-east-1:123456789012:execution:{machine}:{name}"
    digest = target.revision.draft.digest
    record = ExecutionRecord(id, name, f"{MACHINES}:{machine}", digest, DETENT.profile, 0)
    await known.start(target.put_into(record), Payload(input))
    return id


async def found(known: Engine, *conditions: str, machine: str | None = None) -> list[str]:
    asked = await matches(known.store, conditions, machines=MACHINES, machine=machine)
    return [one.record.name for one in await known.store.find(Query(attributes=asked))]


ASK = task("signal:answer")


def test_the_input_is_found_from_the_start_and_the_output_from_the_end() -> None:
    async def scenario() -> None:
        async with engine() as known:
            await machine(known, ASK, DECLARED)
            id = await start(known, "x", {"customer": {"id": "Ada"}})
            assert await found(known, "customer=Ada") == ["x"]
            assert await found(known, "total>=0") == []
            await known.steering.signal(id, "answer", {"total": 12})
            await known.result(id)
            assert await found(known, "total>=12", "customer=Ada", machine=ORDERS) == ["x"]

    run(scenario())


def test_an_execution_that_begins_and_ends_at_once_has_both() -> None:
    async def scenario() -> None:
        async with engine() as known:
            await machine(known, {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}, DECLARED)
            await known.result(await start(known, "x", {"customer": {"id": 7}, "total": 9}))
            assert await found(known, "customer=7", "total=9") == ["x"]

    run(scenario())


def test_whoever_ends_an_execution_knows_what_was_declared_at_its_start() -> None:
    async def scenario() -> None:
        store = MemoryStore()
        async with engine(store) as first:
            await machine(first, ASK, DECLARED)
            old = await start(first, "old", {})
            await first.catalogue.update_machine(ORDERS, lambda draft: draft, search={"sum": "$.output.sum"})
            new = await start(first, "new", {})
        async with engine(store, takes_over=True) as second:
            for id in (old, new):
                await second.steering.signal(id, "answer", {"total": 1, "sum": 2})
                await second.result(id)
            assert await found(second, "sum=2") == ["new"]
            total = read_condition("total=1")
            assert [one.record.name for one in await store.find(Query(attributes=(total,)))] == ["old"]

    run(scenario())


def test_a_failed_execution_has_its_output_once_a_redrive_has_given_it_one() -> None:
    async def scenario() -> None:
        answers = iter([RuntimeError("not yet"), {"total": 5}])

        async def work(call: Any, beat: Any) -> Any:
            answer = next(answers)
            if isinstance(answer, Exception):
                raise answer
            return answer

        async with engine(handlers={"task:work": work}) as known:
            await machine(known, task("task:work"), DECLARED)
            id = await start(known, "x", {"customer": {"id": "Ada"}})
            await known.result(id)
            assert await found(known, "total=5") == []
            await known.redrive(id)
            await known.result(id)
            assert await found(known, "total=5", "customer=Ada") == ["x"]

    run(scenario())


def test_the_children_of_a_distributed_map_are_another_machine() -> None:
    async def scenario() -> None:
        item = {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}
        processor = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}, **item}
        map = {
            "Type": "Map",
            "ItemsPath": "$.lines",
            "ItemProcessor": processor,
            "Label": "each",
            "End": True,
        }
        async with engine() as known:
            await machine(known, {"StartAt": "M", "States": {"M": map}}, {"sku": "$.input.sku"})
            await known.result(await start(known, "x", {"sku": 1, "lines": [{"sku": 1}]}))
            assert len(await known.store.find(Query(machine=f"{ORDERS}/each"))) > 0
            assert await found(known, "sku=1") == ["x"]

    run(scenario())


def test_a_machine_with_other_attributes_is_another_one_unless_nothing_is_said_of_them() -> None:
    async def scenario() -> None:
        async with engine() as known:
            await machine(known, ASK, DECLARED)
            await machine(known, ASK, DECLARED)
            await machine(known, ASK)
            with pytest.raises(MachineExists):
                await machine(known, ASK, {"sum": "$.output.sum"})
            with pytest.raises(SearchAttributeError):
                await machine(known, ASK, {"sum": "$.sum"}, name="others")

    run(scenario())


def test_what_nobody_declares_is_refused_with_what_to_do() -> None:
    async def scenario() -> None:
        async with engine() as known:
            await machine(known, ASK, DECLARED)
            await machine(known, ASK, {"region": "$.input.region"}, name="others")
            await machine(known, ASK, name="silent")
            assert await found(known, "region=eu", "total=1") == []
            with pytest.raises(
                SearchAttributeError, match=r"no machine declares the search attribute 'colour'"
            ):
                await found(known, "colour=red")
            with pytest.raises(
                SearchAttributeError, match=r"silent does not declare .*'region'.*\$\.input\.PATH"
            ):
                await found(known, "region=eu", machine=f"{MACHINES}:silent")
            with pytest.raises(NotFound):
                await found(known, "region=eu", machine=f"{MACHINES}:nobody")

    run(scenario())
