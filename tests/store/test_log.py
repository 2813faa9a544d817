"""The log: what an append promises, and reading it back."""

from __future__ import annotations

import pytest

from detent.core.values import decode, encode
from detent.store.base import MachineRecord, NotFound, Outcome, Query, Segment, StoreError

from .batches import MACHINE, PARKED, READY, create, due, ended, further, record

DONE, CONFLICT, EXISTS, MISSING = Outcome.DONE, Outcome.CONFLICT, Outcome.EXISTS, Outcome.MISSING


def test_what_was_appended_is_loaded(play):
    async def scenario(store):
        first = create("e1", due(5_000), control=b"[1]", payloads=b'["a"]', parent="run")
        second = further("e1", 3, 7, ended(9_000), control=b"[2]", payloads=b'["b"]')
        assert await store.append([first]) == [DONE]
        assert (await store.load("e1")).head == due(5_000)
        assert await store.append([second]) == [DONE]
        log = await store.load("e1")
        assert log.record == record("e1", parent="run")
        assert log.head == ended(9_000)
        assert log.last == 7
        assert log.segments == [Segment(0, 3, b"[1]"), Segment(3, 7, b"[2]")]
        assert log.beats == {}
        assert await store.payloads("e1", [3, 0, 99]) == {0: b'["a"]', 3: b'["b"]'}

    play(scenario)


def test_a_log_is_read_in_parts(play):
    async def scenario(store):
        await store.append([create("e1", last=2), *(further("e1", n, n + 2) for n in range(2, 20, 2))])
        part = await store.load("e1", limit=3)
        assert [segment.after for segment in part.segments] == [0, 2, 4]
        assert part.last == 20
        part = await store.load("e1", after=part.segments[-1].last, limit=2)
        assert [segment.after for segment in part.segments] == [6, 8]
        assert (await store.load("e1", after=20)).segments == []

    play(scenario)


def test_an_id_is_taken_once(play):
    async def scenario(store):
        assert await store.append([create("e1", control=b"first")]) == [DONE]
        assert await store.append([create("e1", control=b"again"), create("e2")]) == [EXISTS, DONE]
        assert await store.append([create("e3"), create("e3")]) == [DONE, EXISTS]
        assert [s.control for s in (await store.load("e1")).segments] == [b"first"]

    play(scenario)


def test_a_conflict_in_the_middle_of_a_group_leaves_the_others(play):
    async def scenario(store):
        await store.append([create("e1"), create("e2"), create("e3")])
        blob = {"h": b"never"}
        group = [further("e1", 3, 4), further("e2", 2, 9, blobs=blob), further("e3", 3, 5)]
        assert await store.append(group) == [DONE, CONFLICT, DONE]
        assert [(await store.load(id)).last for id in ("e1", "e2", "e3")] == [4, 3, 5]
        assert await store.blobs("e2", ["h"]) == {}

    play(scenario)


def test_batches_of_one_execution_follow_each_other_in_one_group(play):
    async def scenario(store):
        group = [create("e1"), further("e1", 3, 4), further("e1", 3, 5), further("e1", 4, 6, ended(8))]
        assert await store.append(group) == [DONE, DONE, CONFLICT, DONE]
        log = await store.load("e1")
        assert [(s.after, s.last) for s in log.segments] == [(0, 3), (3, 4), (4, 6)]
        assert log.head == ended(8)

    play(scenario)


def test_an_unknown_execution_is_said_so(play):
    async def scenario(store):
        assert await store.append([further("ghost", 3, 4)]) == [MISSING]
        for read in (store.load("ghost"), store.payloads("ghost", [0]), store.blobs("ghost", ["h"])):
            with pytest.raises(NotFound, match="ghost"):
                await read

    play(scenario)


def test_a_batch_without_events_moves_the_head_only(play):
    async def scenario(store):
        await store.append([create("e1", READY)])
        assert await store.append([further("e1", 3, 3, due(50))]) == [DONE]
        log = await store.load("e1")
        assert (log.head, log.last, len(log.segments)) == (due(50), 3, 1)

    play(scenario)


def test_a_large_value_is_stored_once_per_execution(play):
    async def scenario(store):
        big = bytes(range(256)) * 20_000
        await store.append([create("e1", blobs={"h1": big}), create("e2")])
        await store.append([further("e1", 3, 4, blobs={"h1": b"ignored", "h2": b""})])
        assert await store.blobs("e1", ["h1", "h2", "h3"]) == {"h1": big, "h2": b""}
        assert await store.blobs("e2", ["h1"]) == {}

    play(scenario)


@pytest.mark.parametrize(
    "value",
    [
        "nul \u0000 inside",
        "\ud800 alone",
        "😀 \U0010ffff",
        2**53 + 1,
        10**400,
        -0.0,
        {"b": 1, "a": [1.0, None]},
    ],
    ids=["nul", "surrogate", "astral", "2^53+1", "400 digits", "minus zero", "key order"],
)
def test_json_comes_back_as_it_was(play, value):
    async def scenario(store):
        text = encode([value])
        await store.append([create("e1", payloads=text, control=text, blobs={"h": text})])
        assert (await store.payloads("e1", [0]))[0] == text
        assert (await store.blobs("e1", ["h"]))["h"] == text
        assert repr(decode((await store.load("e1")).segments[0].control)) == repr([value])

    play(scenario)


def test_names_may_hold_any_character(play):
    async def scenario(store):
        for id in ("a\u0000b", "a", "ä 😀", "'; DROP TABLE execution; --"):
            await store.append([create(id)])
            assert (await store.load(id)).record.id == id
        assert [found.record.id for found in await store.find(Query(name="a"))] == ["a"]

    play(scenario)


def test_a_definition_is_kept_once_under_its_name(play):
    async def scenario(store):
        first = MachineRecord("d1", MACHINE, b'{"StartAt":"A"}', 1)
        await store.publish(first)
        await store.publish(MachineRecord("d1", MACHINE, b"other", 1))
        await store.publish(MachineRecord("d1", MACHINE + "2", b'{"StartAt":"A"}', 3))
        assert await store.machine("d1") == first
        with pytest.raises(NotFound, match="d2"):
            await store.machine("d2")

    play(scenario)


def test_a_name_stands_for_what_was_published_last_under_it(play):
    async def scenario(store):
        for at, digest in ((1, "d1"), (2, "d2"), (3, "d1")):
            await store.publish(MachineRecord(digest, MACHINE, digest.encode(), at))
            assert await store.machine_named(MACHINE) == MachineRecord(digest, MACHINE, digest.encode(), at)
        with pytest.raises(NotFound, match="other"):
            await store.machine_named("other")

    play(scenario)


def test_a_search_leads_through_pages_newest_first(play):
    async def scenario(store):
        await store.append([create(f"e{n}", started_at=n) for n in range(25)])
        seen, cursor = [], None
        while page := await store.find(Query(limit=10, cursor=cursor)):
            seen += [found.record.id for found in page]
            cursor = page[-1].cursor
            await store.append([create(f"later{len(seen)}")])
        assert seen == [f"e{n}" for n in reversed(range(25))]

    play(scenario)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (Query(), ["e4", "e3", "e2", "e1"]),
        (Query(status="RUNNING"), ["e4", "e1"]),
        (Query(machine="other"), ["e3"]),
        (Query(name="e2"), ["e2"]),
        (Query(parent="run"), ["e4"]),
        (Query(labelled=True), ["e4"]),
        (Query(labelled=False), ["e3", "e2", "e1"]),
        (Query(started_from=20), ["e4", "e3", "e2"]),
        (Query(started_from=20, started_before=40), ["e3", "e2"]),
        (Query(ended_before=300), ["e2"]),
        (Query(status="FAILED", ended_before=301), ["e3"]),
        (Query(limit=2), ["e4", "e3"]),
        (Query(status="no such"), []),
    ],
    ids=str,
)
def test_a_search_finds_what_it_says(play, query, expected):
    async def scenario(store):
        await store.append(
            [
                create("e1", started_at=10),
                create("e2", ended(200), started_at=20),
                create("e3", ended(300, "FAILED"), started_at=30, machine="other"),
                create("e4", started_at=40, parent="run", machine="m/label"),
            ]
        )
        assert [found.record.id for found in await store.find(query)] == expected

    play(scenario)


@pytest.mark.parametrize("cursor", ["", "x", "-1", "1; DROP", "9" * 30, "²"])
def test_a_cursor_of_another_origin_is_refused(play, cursor):
    async def scenario(store):
        with pytest.raises(StoreError, match="cursor"):
            await store.find(Query(cursor=cursor))

    play(scenario)


def test_only_what_has_ended_is_deleted_if_one_asks_for_that(play):
    async def scenario(store):
        await store.append([create("e1", ended(9)), create("e2", READY), create("e3", ended(9, "FAILED"))])
        await store.append([further("e3", 3, 4, READY)])
        assert await store.delete(["e1", "e2", "e3", "ghost"], ended=True) == 1
        assert {found.record.id for found in await store.find(Query())} == {"e2", "e3"}

    play(scenario)


def test_a_deleted_execution_leaves_nothing(play):
    async def scenario(store):
        await store.append([create("e1", READY, blobs={"h": b"x"}), create("e2", READY)])
        assert await store.delete(["e1", "e1", "ghost"]) == 1
        with pytest.raises(NotFound):
            await store.load("e1")
        assert await store.append([further("e1", 3, 4)]) == [MISSING]
        assert await store.append([create("e1", PARKED, last=1)]) == [DONE]
        assert await store.blobs("e1", ["h"]) == {}
        assert [s.last for s in (await store.load("e1")).segments] == [1]
        assert (await store.load("e2")).last == 3

    play(scenario)
