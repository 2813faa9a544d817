"""The Postgres store among others: many engines, a server that goes away, a pooler, layouts of other releases."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest

from detent.store import postgres, postgres_pulse
from detent.store.base import (
    Claim,
    Letter,
    NotFound,
    Outcome,
    StoreCorrupt,
    StoreError,
    StoreTooNew,
    StoreUnavailable,
)
from detent.store.fleet import Offer
from detent.store.migrate import queries
from detent.store.postgres import PostgresStore
from detent.store.postgres_pool import BEGIN, IDLE_TIMEOUT, Transaction

from .batches import READY, create, ended, further
from .databases import EMPTY, execute, migrated, named, run
from .pooler import pooled

DONE, CONFLICT, EXISTS, MISSING = Outcome.DONE, Outcome.CONFLICT, Outcome.EXISTS, Outcome.MISSING

HOUR = 3_600_000
LEASE = 15_000


@pytest.fixture(scope="module")
def module_database(new_database: Any) -> str:
    return new_database("fleet")


@pytest.fixture
def database(module_database: str) -> Iterator[str]:
    """A database with an empty store in it, whose lease clock is the real one."""
    asyncio.run(migrated(module_database))
    yield module_database
    run(module_database, EMPTY)


@pytest.fixture
def new(module_database: str) -> Iterator[str]:
    """A database without a store; what the test makes of it is gone afterwards."""
    run(module_database, "DROP SCHEMA IF EXISTS detent CASCADE")
    yield module_database
    run(module_database, "DROP SCHEMA IF EXISTS detent CASCADE")


@asynccontextmanager
async def opened(address: str, *, engine: bool = True) -> AsyncIterator[PostgresStore]:
    store = PostgresStore(address)
    await store.open(engine=engine)
    try:
        yield store
    finally:
        await store.close()


def test_two_engines_never_claim_the_same(database):
    async def scenario():
        async with opened(database) as one, opened(database) as other:
            ids = {f"e{n}" for n in range(200)}
            await one.append([create(id, READY) for id in ids])
            claims = await asyncio.gather(
                *(
                    store.claim(owner, now=1, lease=LEASE, limit=7)
                    for _ in range(20)
                    for store, owner in ((one, "w1"), (other, "w2"))
                )
            )
            taken = [claim.execution for group in claims for claim in group]
            while more := await one.claim("w1", now=1, lease=LEASE, limit=50):
                taken += [claim.execution for claim in more]
            assert len(taken) == len(set(taken))
            assert set(taken) == ids

    asyncio.run(scenario())


#: The lease clock stands still while somebody holds this lock.
STANDING_CLOCK = """
CREATE OR REPLACE FUNCTION detent.lease_clock() RETURNS bigint LANGUAGE plpgsql STABLE AS $$
BEGIN PERFORM pg_advisory_lock_shared(7); PERFORM pg_advisory_unlock_shared(7); RETURN 0; END $$;
"""
WAITING = """
SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


def test_of_two_that_take_a_task_at_the_same_moment_one_gets_it(new):
    """One has looked, and not locked yet, when the other takes it: what it saw does not hold any more."""

    async def scenario():
        connection = await asyncpg.connect(new)
        async with opened(new) as store:
            await connection.execute(STANDING_CLOCK + "SET search_path = detent")
            await store.append([create("e1", offers=[(2, "review")])])
            await store.renew("dead", now=0, lease=0)
            await store.renew("quick", now=0, lease=LEASE)
            assert await store.take("dead", "review", now=0) == Offer("e1", 2)
            await connection.execute("SELECT pg_advisory_lock(7)")
            slow = asyncio.create_task(store.take("slow", "review", now=0))
            while not await connection.fetchval(WAITING):
                assert not slow.done()
            assert await connection.fetchrow(queries("postgres")["take"], "review", "quick") == ("e1", 2)
            await connection.execute("SELECT pg_advisory_unlock(7)")
            assert await slow is None
            assert (await store.held("quick")).offers == [Offer("e1", 2)]
        await connection.close()

    asyncio.run(scenario())


def test_of_two_batches_with_the_same_beginning_one_is_written(database):
    async def scenario():
        async with opened(database) as one, opened(database) as other:
            ids = [f"e{n}" for n in range(40)]
            await one.append([create(id) for id in ids])
            for last in range(3, 8):
                forwards = [further(id, last, last + 1) for id in ids]
                first, second = await asyncio.gather(one.append(forwards), other.append(forwards[::-1]))
                for pair in zip(first, second[::-1], strict=True):
                    assert sorted(pair, key=str) == [CONFLICT, DONE]

    asyncio.run(scenario())


def test_of_two_that_create_the_same_one_does(database):
    async def scenario():
        async with opened(database) as one, opened(database) as other:
            group = [create(f"e{n}", blobs={"h": b"x"}) for n in range(60)]
            first, second = await asyncio.gather(one.append(group), other.append(group[::-1]))
            for pair in zip(first, second[::-1], strict=True):
                assert sorted(pair, key=str) == [DONE, EXISTS]

    asyncio.run(scenario())


def test_a_machine_with_a_wrong_clock_takes_nothing_and_loses_nothing(database):
    async def scenario():
        async with opened(database) as store:
            await store.append([create("e1", READY)])
            assert await store.claim("slow", now=0, lease=LEASE, limit=1) == [Claim("e1", 1, 1)]
            assert await store.claim("fast", now=10**15, lease=LEASE, limit=1) == []
            assert await store.renew("slow", now=0, lease=LEASE) is True
            assert await store.renew("fast", now=10**15, lease=LEASE) is True

    asyncio.run(scenario())


def test_a_lease_of_no_length_is_over_at_once(database):
    async def scenario():
        async with opened(database) as store:
            await store.append([create("e1", READY)])
            assert await store.claim("w1", now=1, lease=-1, limit=1) == [Claim("e1", 1, 1)]
            assert await store.claim("w2", now=1, lease=LEASE, limit=1) == [Claim("e1", 2, 2)]
            assert await store.renew("w1", now=1, lease=LEASE) is False

    asyncio.run(scenario())


def test_what_is_created_while_a_lease_ends_is_found_again(database):
    """The lease of w1 ends between the write of its batch and the commit: the execution is not lost."""

    async def scenario():
        async with opened(database) as one, opened(database) as other:
            await one.renew("w1", now=0, lease=-1)
            written, go_on = asyncio.Event(), asyncio.Event()

            async def append_slowly(transaction: Transaction) -> Any:
                outcomes = await postgres._append(transaction, [create("e1", READY, hold="w1")])
                written.set()
                await go_on.wait()
                return outcomes

            assert one._pool is not None
            append = asyncio.create_task(one._pool.run("WRITE", append_slowly))
            await written.wait()
            assert await other.claim("w2", now=1, lease=LEASE, limit=9) == []
            go_on.set()
            assert await append == [DONE]
            assert await other.claim("w2", now=1, lease=LEASE, limit=9) == [Claim("e1", 2, 2)]

    asyncio.run(scenario())


def test_transactions_that_block_each_other_are_done_again(database):
    async def scenario():
        async with opened(database) as store:
            await store.append([create("e1"), create("e2")])
            assert store._pool is not None
            both = asyncio.Barrier(2)
            tries = 0

            async def crosswise(transaction: Transaction, first: str, second: str) -> None:
                nonlocal tries
                tries += 1
                lock = "UPDATE execution SET claims = claims + 1 WHERE id = $1"
                await transaction.rows(lock, first)
                if tries <= 2:
                    await both.wait()
                await transaction.rows(lock, second)

            await asyncio.gather(
                store._pool.run("WRITE", crosswise, "e1", "e2"),
                store._pool.run("WRITE", crosswise, "e2", "e1"),
            )
            assert tries > 2

    asyncio.run(scenario())


def test_a_cancelled_append_is_finished_first(database):
    async def scenario():
        async with opened(database) as store:
            append = asyncio.create_task(store.append([create("e1")]))
            await asyncio.sleep(0)
            append.cancel()
            with pytest.raises(asyncio.CancelledError):
                await append
            assert (await store.load("e1")).last == 3

    asyncio.run(scenario())


def test_a_worker_that_freezes_loses_its_transaction_before_its_lease(database, monkeypatch):
    assert IDLE_TIMEOUT < LEASE
    setting = "SET LOCAL idle_in_transaction_session_timeout ="
    soon = BEGIN["WRITE"].replace(f"{setting} {IDLE_TIMEOUT}", f"{setting} 1000")

    async def scenario():
        async with opened(database) as frozen, opened(database) as other:
            await other.append([create("e1")])
            written, wakes = asyncio.Event(), asyncio.Event()

            async def append_and_freeze(transaction: Transaction) -> Any:
                await postgres._append(transaction, [further("e1", 3, 9)])
                written.set()
                await wakes.wait()

            assert frozen._pool is not None
            with monkeypatch.context() as patched:
                patched.setitem(BEGIN, "WRITE", soon)
                zombie = asyncio.create_task(frozen._pool.run("WRITE", append_and_freeze))
                await written.wait()
            assert await other.append([further("e1", 3, 4)]) == [DONE]
            wakes.set()
            with pytest.raises(StoreUnavailable):
                await zombie
            assert await frozen.append([further("e1", 3, 9)]) == [CONFLICT]

    asyncio.run(scenario())


# A server that goes away


async def end_connections(address: str) -> None:
    await execute(
        address,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()",
    )


def test_a_connection_lost_between_two_calls_is_not_noticed(database):
    async def scenario():
        async with opened(database) as store:
            assert await store.append([create("e1")]) == [DONE]
            await end_connections(database)
            assert await store.append([further("e1", 3, 4)]) == [DONE]

    asyncio.run(scenario())


def test_a_connection_lost_in_a_call_leaves_nothing_of_it(database):
    async def scenario():
        async with opened(database) as store:

            async def append_and_lose(transaction: Transaction) -> Any:
                await postgres._append(transaction, [create("e1")])
                await end_connections(database)
                return await postgres._append(transaction, [create("e2")])

            assert store._pool is not None
            with pytest.raises(StoreUnavailable):
                await store._pool.run("WRITE", append_and_lose)
            for id in ("e1", "e2"):
                with pytest.raises(NotFound):
                    await store.load(id)

    asyncio.run(scenario())


def test_a_server_that_crashes_and_comes_back_is_used_again_without_opening(postgres_server):
    async def scenario():
        async with opened(postgres_server.address) as store:
            await store.append([create("e1", READY, blobs={"h": b"x" * 100_000})])
            postgres_server.stop()
            for refused in (
                store.append([further("e1", 3, 4)]),
                store.load("e1"),
                store.claim("w", now=0, lease=9, limit=1),
            ):
                with pytest.raises(StoreUnavailable, match="postgresql:///postgres"):
                    await refused
            postgres_server.start()
            assert await store.append([further("e1", 3, 4, ended(9))]) == [DONE]
            assert (await store.load("e1")).head == ended(9)
            assert await store.blobs("e1", ["h"]) == {"h": b"x" * 100_000}

    asyncio.run(scenario())


def test_a_server_that_says_nothing_is_not_waited_for(postgres_server, monkeypatch):
    monkeypatch.setattr(postgres_pulse, "SLOW_SECONDS", 0.1)
    monkeypatch.setattr(postgres_pulse, "PROBE_SECONDS", 1.0)

    async def scenario():
        async with opened(postgres_server.address) as store:
            assert store._pool is not None
            store._pool._seconds = float("inf")
            await store.append([create("e1")])
            postgres_server.freeze()
            told = await asyncio.gather(
                *(store.load("e1") for _ in range(9)),
                store.append([further("e1", 3, 4)]),
                store.claim("w", now=0, lease=9, limit=1),
                return_exceptions=True,
            )
            assert {type(error) for error in told} == {StoreUnavailable}
            assert all("does not answer" in str(error) for error in told)
            with pytest.raises(StoreUnavailable):
                await store.load("e1")
            postgres_server.thaw()
            await store.append([further("e1", 3, 4)])  # unless it was written, and nobody heard of it
            assert (await store.load("e1")).last == 4

    asyncio.run(scenario())


def test_a_slow_server_is_waited_for(database, monkeypatch):
    monkeypatch.setattr(postgres_pulse, "SLOW_SECONDS", 0.05)

    async def scenario():
        async with opened(database) as store:
            assert store._pool is not None
            asked, probe = 0, store._pool._pulse._probe

            async def counted() -> None:
                nonlocal asked
                await probe()
                asked += 1

            async def work(transaction: Transaction) -> str:
                while asked < 3:
                    await transaction.rows("SELECT pg_sleep(0.1)")
                return "done"

            store._pool._pulse._probe = counted
            assert await store._pool.run("READ", work) == "done"

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("postgresql://ada:secret@127.0.0.1:1/db", "check the server"),
        ("postgresql://ada:secret@no-such-host.invalid/db", "check the server"),
        ("postgresql://ada:secret@127.0.0.1/db?sslmode=nonsense", "sslmode"),
    ],
)
def test_a_server_that_cannot_be_reached_is_named_without_the_password(address, sentence):
    async def scenario():
        with pytest.raises(StoreError, match=sentence) as refusal:
            await PostgresStore(address).open(engine=True)
        assert "secret" not in str(refusal.value)
        assert "/db" in str(refusal.value)

    asyncio.run(scenario())


def test_a_database_that_is_not_there_is_said_so(postgres):
    async def scenario():
        with pytest.raises(StoreUnavailable, match="createdb"):
            await PostgresStore(named(postgres, "missing")).open(engine=True)

    asyncio.run(scenario())


@pytest.mark.parametrize(
    "batch", [create("\ud800"), create("e1", last=2**63)], ids=["surrogate", "too large"]
)
def test_what_it_cannot_hold_is_said_so_and_the_store_goes_on(database, batch):
    async def scenario():
        async with opened(database) as store:
            with pytest.raises(StoreError, match="cannot hold"):
                await store.append([batch])
            assert await store.append([create("e2")]) == [DONE]

    asyncio.run(scenario())


# A pooler


def test_a_pooler_that_changes_the_connection_with_every_transaction_changes_nothing(database):
    async def scenario():
        async with pooled(database, 3) as address, opened(address) as one, opened(address) as other:
            for group in range(5):
                ids = [f"e{group}-{n}" for n in range(20)]
                assert await one.append([create(id, READY) for id in ids]) == [DONE] * 20
                claims, _ = await asyncio.gather(
                    other.claim("w2", now=1, lease=LEASE, limit=99),
                    one.send([Letter(id, "a", b"1") for id in ids]),
                )
                assert [claim.execution for claim in claims] == ids
                assert len(await other.inbox("w2", limit=999)) == 20 * (group + 1)
                batches = [further(id, 3, 4, READY, fence=1, hold="w2") for id in ids]
                assert await other.append(batches) == [DONE] * 20
                assert (await one.load(ids[0])).last == 4
            with pytest.raises(NotFound):
                await one.load("ghost")

    asyncio.run(scenario())


# Layouts


def test_many_may_open_a_new_database_at_once(new):
    async def scenario():
        stores = [PostgresStore(new) for _ in range(6)]
        await asyncio.gather(*(store.open(engine=True) for store in stores))
        await stores[0].append([create("e1")])
        await asyncio.gather(*(store.close() for store in stores))

    asyncio.run(scenario())


def touch(address: str) -> None:
    async def scenario():
        async with opened(address):
            pass

    asyncio.run(scenario())


def test_a_later_layout_that_took_something_away_is_left_alone(new):
    touch(new)
    run(new, "INSERT INTO detent.migration (number, name, phase) VALUES (99, 'post_drop', 'post')")
    with pytest.raises(StoreTooNew, match="has layout 99"):
        touch(new)


def test_a_later_layout_that_only_adds_is_worked_with(new):
    touch(new)
    run(new, "INSERT INTO detent.migration (number, name, phase) VALUES (99, 'more', 'pre')")
    touch(new)


def test_a_later_protocol_is_left_alone(new):
    touch(new)
    run(new, "UPDATE detent.meta SET value = '2' WHERE name = 'protocol'")
    with pytest.raises(StoreTooNew, match="later release"):
        touch(new)


def test_a_schema_of_that_name_with_something_else_in_it_is_kept(new):
    run(new, "CREATE SCHEMA detent; CREATE TABLE detent.execution (photos int)")
    with pytest.raises(StoreCorrupt, match="another program"):
        touch(new)
    run(new, "SELECT photos FROM detent.execution")


# Hints


def test_a_hint_of_one_engine_is_heard_by_another_and_not_by_itself(database):
    async def scenario():
        async with opened(database) as one, opened(database) as other:
            heard, own = asyncio.Queue(), asyncio.Queue()
            watching = [
                asyncio.create_task(other.watch(lambda: heard.put_nowait("hint"))),
                asyncio.create_task(one.watch(lambda: own.put_nowait("hint"))),
            ]
            await heard.get()  # both listen: what was said before may have been missed
            await own.get()
            one.tell()
            one.tell()
            await heard.get()
            await end_connections(database)
            await heard.get()  # it listens again, and looks for what it missed
            for task in watching:
                task.cancel()
            await asyncio.gather(*watching, return_exceptions=True)

    asyncio.run(scenario())
