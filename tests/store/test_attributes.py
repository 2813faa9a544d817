"""What executions are found by beside their records: attributes, kept, matched and forgotten alike everywhere."""

from __future__ import annotations

import pytest

from detent.store.base import Match, Outcome, Query

from .batches import create, ended, further


async def ids(store, *matches, **query):
    return [found.record.id for found in await store.find(Query(attributes=matches, **query))]


@pytest.mark.parametrize(
    ("matches", "expected"),
    [
        ([Match("kind", (b"a",))], ["e4", "e3", "e1"]),
        ([Match("kind", (b"a", b"b"))], ["e4", "e3", "e2", "e1"]),
        ([Match("kind", (b"a\0",))], []),
        ([Match("size", low=b"\x02", below=b"\x80")], ["e3", "e2"]),
        ([Match("size", low=b"\x02", below=b"\x80\0")], ["e4", "e3", "e2"]),
        ([Match("kind", (b"a",)), Match("size", low=b"\x02", below=b"\xff")], ["e4", "e3"]),
        ([Match("kind", (b"a",)), Match("size", (b"\x02",)), Match("size", low=b"", below=b"\x03")], []),
        ([Match("size", (b"a",))], []),
        ([Match("no such", (b"a",))], []),
    ],
    ids=str,
)
def test_executions_are_found_by_what_they_have(play, matches, expected):
    async def scenario(store):
        await store.append(
            [
                create("e1", attributes={"kind": b"a"}),
                create("e2", attributes={"kind": b"b", "size": b"\x02"}),
                create("e3", attributes={"kind": b"a", "size": b"\x10"}),
                create("e4", attributes={"size": b"\x80", "kind": b"a"}),
                create("e5"),
            ]
        )
        assert await ids(store, *matches) == expected

    play(scenario)


def test_the_other_conditions_hold_as_well(play):
    async def scenario(store):
        batches = [create(f"e{n}", machine=f"m{n % 2}", attributes={"k": b"v"}) for n in range(6)]
        await store.append([*batches, further("e4", 3, 4, ended(9))])
        found = [Match("k", (b"v",))]
        assert await ids(store, *found, machine="m0") == ["e4", "e2", "e0"]
        assert await ids(store, *found, machine="m0", status="RUNNING") == ["e2", "e0"]
        first = await store.find(Query(attributes=(Match("k", (b"v", b"w")),), limit=4))
        assert [one.record.id for one in first] == ["e5", "e4", "e3", "e2"]
        assert await ids(store, *found, cursor=first[-1].cursor) == ["e1", "e0"]

    play(scenario)


def test_the_end_adds_to_what_the_start_has_told(play):
    async def scenario(store):
        await store.append([create("e1", attributes={"in": b"1"})])
        assert await ids(store, Match("out", (b"2",))) == []
        await store.append([further("e1", 3, 4, ended(9), attributes={"out": b"2"})])
        assert await ids(store, Match("in", (b"1",)), Match("out", (b"2",))) == ["e1"]

    play(scenario)


def test_the_owner_of_an_execution_adds_as_well(play):
    async def scenario(store):
        await store.renew("w", now=0, lease=10_000)
        await store.append([create("e1", hold="w", attributes={"in": b"1"})])
        moved = further("e1", 3, 4, fence=1, hold="w")
        ends = further("e1", 4, 5, ended(9), fence=1, hold="w", attributes={"out": b"2"})
        assert await store.append([moved, ends]) == [Outcome.DONE, Outcome.DONE]
        assert await ids(store, Match("out", (b"2",))) == ["e1"]

    play(scenario)


def test_an_attribute_keeps_the_value_that_it_got_first(play):
    async def scenario(store):
        await store.append(
            [create("e1", attributes={"a": b"1"}), further("e1", 3, 4, attributes={"a": b"2"})]
        )
        await store.append([further("e1", 4, 5, attributes={"a": b"3"})])
        assert await ids(store, Match("a", (b"1",))) == ["e1"]
        assert await ids(store, Match("a", (b"2", b"3"))) == []

    play(scenario)


def test_what_is_not_written_is_not_found(play):
    async def scenario(store):
        await store.append([create("e1")])
        refused = [create("e1", attributes={"a": b"1"}), further("e1", 9, 10, attributes={"a": b"1"})]
        assert await store.append(refused) == [Outcome.EXISTS, Outcome.CONFLICT]
        assert await ids(store, Match("a", (b"1",))) == []

    play(scenario)


def test_what_is_deleted_is_not_found_and_leaves_nothing_to_its_successor(play):
    async def scenario(store):
        old = [create(f"e{n}", ended(n), attributes={"a": b"1"}) for n in range(4)]
        await store.append(old)
        await store.delete(["e3"])
        assert await store.prune(old[0].create.machine, ended_before=None, keep=1, limit=9) == 2
        assert await ids(store, Match("a", (b"1",))) == ["e2"]
        await store.append([create("e3"), create("e0")])
        assert await ids(store, Match("a", (b"1",))) == ["e2"]

    play(scenario)
