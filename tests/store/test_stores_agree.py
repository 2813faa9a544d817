"""Random work gives the same answers on every store; the memory store never waits."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detent.core.rows import replaced
from detent.store.base import Batch, Beat, Claim, Head, Letter, Match, NotFound, Query
from detent.store.memory import MemoryStore
from detent.store.sqlite import SqliteStore

from .batches import create, ended, further
from .databases import EMPTY, SteppedStore, execute

IDS = st.sampled_from(["e1", "e2", "e3"])
OWNERS = st.sampled_from(["w1", "w2"])
NOW = st.integers(0, 60)
FENCES = st.none() | st.integers(0, 3)
HEADS = st.builds(Head, st.just("RUNNING"), st.none() | NOW, st.booleans()) | st.builds(ended, NOW)
LETTERS = st.lists(st.builds(Letter, IDS, st.sampled_from("ab"), st.binary(max_size=2)), max_size=3)
NUMBERS = st.lists(st.integers(1, 4), max_size=2)

BATCHES = st.builds(
    Batch,
    execution=IDS,
    after=st.integers(0, 3),
    last=st.integers(0, 3),
    control=st.binary(max_size=2),
    payloads=st.just(b"[]"),
    head=HEADS,
    blobs=st.dictionaries(st.sampled_from("gh"), st.binary(max_size=2), max_size=1),
    drained=NUMBERS,
    closed=NUMBERS,
    letters=LETTERS,
    fence=FENCES,
    attributes=st.dictionaries(st.sampled_from("st"), st.binary(max_size=1), max_size=1),
    hold=st.none() | OWNERS,
).map(
    lambda batch: (
        batch if batch.last >= batch.after else further(batch.execution, batch.after, batch.after + 1)
    )
)
MATCHES = st.builds(
    Match,
    st.sampled_from("st"),
    st.lists(st.binary(max_size=1), max_size=2).map(tuple),
    st.binary(max_size=1),
    st.just(b"\xff"),
)
CREATIONS = st.builds(create, IDS, HEADS, last=st.integers(1, 2), hold=st.none() | OWNERS, letters=LETTERS)

CALLS = st.one_of(
    st.tuples(st.just("append"), st.lists(CREATIONS | BATCHES, max_size=4)),
    st.tuples(st.just("send"), LETTERS),
    st.tuples(
        st.just("claim"),
        OWNERS,
        st.fixed_dictionaries({"now": NOW, "lease": NOW, "limit": st.sampled_from([0, 9])}),
    ),
    st.tuples(st.just("renew"), OWNERS, st.fixed_dictionaries({"now": NOW, "lease": NOW})),
    st.tuples(st.just("release"), st.lists(st.builds(Claim, IDS, st.integers(0, 3), st.just(1)), max_size=2)),
    st.tuples(st.just("beat"), st.lists(st.builds(Beat, IDS, st.integers(1, 3), NOW, FENCES), max_size=3)),
    st.tuples(st.just("delete"), st.lists(IDS, max_size=2)),
    st.tuples(st.just("inbox"), OWNERS, st.fixed_dictionaries({"limit": NOW})),
    st.tuples(st.just("unread"), IDS),
    st.tuples(
        st.just("find"),
        st.builds(
            Query,
            status=st.none() | st.just("RUNNING"),
            ended_before=st.none() | NOW,
            attributes=st.lists(MATCHES, max_size=2).map(tuple),
        ),
    ),
)


async def answers(store: Any, calls: list[tuple[Any, ...]]) -> list[Any]:
    """What a store said to each call, and what it knows in the end."""
    await store.open(engine=True)
    try:
        said: list[Any] = []
        numbers: list[int] = []
        for name, *arguments in calls:
            options = arguments.pop() if isinstance(arguments[-1], dict) else {}
            if name == "append":
                arguments = [[_naming_real_messages(batch, numbers) for batch in arguments[0]]]
            answer = await getattr(store, name)(*arguments, **options)
            # Which of two that one transaction created comes first is each store's own affair; so are cursors
            # and the numbers of messages.
            if name == "claim":
                answer = sorted(answer, key=lambda claim: claim.execution)
            if name == "find":
                answer = sorted(((found.record, found.head) for found in answer), key=lambda pair: pair[0].id)
            if name == "inbox":
                numbers += [message.number for message in answer if message.number not in numbers]
                answer = [(message.execution, message.body) for message in answer]
            said.append((name, answer))
        for id in ("e1", "e2", "e3"):
            try:
                said += [
                    await store.load(id),
                    await store.blobs(id, "gh"),
                    await store.payloads(id, range(9)),
                ]
            except NotFound as error:
                said.append(str(error))
        return said
    finally:
        await store.close()


def _naming_real_messages(batch: Batch, numbers: list[int]) -> Batch:
    """The batch with the n-th message that was read in place of n."""
    return replaced(batch, drained=[numbers[n - 1] for n in batch.drained if n <= len(numbers)])


@settings(max_examples=25)
@given(calls=st.lists(CALLS, max_size=25))
def test_memory_and_sqlite_answer_alike(calls):
    async def scenario():
        with tempfile.TemporaryDirectory() as folder:
            sqlite = await answers(SqliteStore(Path(folder) / "detent.db", synchronous="NORMAL"), calls)
        for one, other in zip(await answers(MemoryStore(), calls), sqlite, strict=True):
            assert one == other

    asyncio.run(scenario())


@settings(max_examples=25)
@given(calls=st.lists(CALLS, max_size=25))
def test_memory_and_postgres_answer_alike(stepped, calls):
    async def scenario():
        await execute(stepped, EMPTY + "UPDATE tests.clock SET now = 0")
        postgres = await answers(SteppedStore(stepped), calls)
        for one, other in zip(await answers(MemoryStore(), calls), postgres, strict=True):
            assert one == other

    asyncio.run(scenario())


def test_the_memory_store_never_waits():
    store = MemoryStore()
    for call in (
        store.open(engine=True),
        store.append([create("e1"), further("e1", 3, 4)]),
        store.send([Letter("e1", "a", b"")]),
        store.claim("w", now=0, lease=9, limit=9),
        store.inbox("w", limit=9),
        store.load("e1"),
        store.find(Query()),
        store.close(),
    ):
        with pytest.raises(StopIteration):
            call.send(None)
