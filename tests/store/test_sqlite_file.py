"""The SQLite file under adversity: killed, locked, full, damaged, cancelled, shared, too new."""

from __future__ import annotations

import asyncio
import inspect
import os
import resource
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import aiosqlite
import pytest

from detent.store import sqlite_file
from detent.store.base import (
    Letter,
    NotFound,
    Outcome,
    StoreCorrupt,
    StoreError,
    StoreInUse,
    StoreTooNew,
    StoreUnavailable,
)
from detent.store.sqlite import SqliteStore

from .batches import create, ended, further

TESTS = Path(__file__).parents[1]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "detent.db"


@asynccontextmanager
async def opened(path: Path, *, engine: bool = True, **options: str) -> AsyncIterator[SqliteStore]:
    store = SqliteStore(path, **options)
    await store.open(engine=engine)
    try:
        yield store
    finally:
        await store.close()


def other_process(path: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-m", "store.appender", str(path)],
        cwd=TESTS,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "open\n"
    return process


def kill(process: subprocess.Popen[str]) -> str:
    """End a process at once; what it still had printed."""
    process.kill()
    rest, _ = process.communicate()
    return rest


@pytest.mark.parametrize("acknowledged", [1, 7, 40, 123])
def test_a_killed_process_loses_nothing_it_acknowledged(path, acknowledged):
    process = other_process(path)
    process.stdin.write("go\n")
    process.stdin.flush()
    ids = [process.stdout.readline().strip() for _ in range(acknowledged)]
    *rest, torn = kill(process).split("\n")
    assert torn == ""

    async def scenario():
        async with opened(path) as store:
            for id in ids + rest:
                log = await store.load(id)
                assert (log.last, len(log.segments), log.head) == (4, 2, ended(1))

    asyncio.run(scenario())
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_one_process_is_the_engine_and_its_death_frees_the_file(path):
    process = other_process(path)

    async def while_it_lives():
        with pytest.raises(StoreInUse, match=f"process {process.pid} "):
            await SqliteStore(path).open(engine=True)
        async with opened(path, engine=False) as store:
            assert await store.send([Letter("ghost", "a", b"")]) == [Outcome.MISSING]

    async def afterwards():
        async with opened(path) as store:
            assert await store.append([create("e1")]) == [Outcome.DONE]

    try:
        asyncio.run(while_it_lives())
    finally:
        kill(process)
    asyncio.run(afterwards())


def test_a_second_engine_in_the_same_process_is_refused(path):
    async def scenario():
        async with opened(path):
            with pytest.raises(StoreInUse, match=f"process {os.getpid()} "):
                await SqliteStore(path).open(engine=True)
        async with opened(path):
            pass

    asyncio.run(scenario())


def test_a_guest_sends_and_reads_while_the_engine_writes(path):
    async def scenario():
        async with opened(path) as engine, opened(path, engine=False) as guest:
            await engine.append([create("e1")])

            async def write():
                for last in range(3, 43):
                    assert await engine.append([further("e1", last, last + 1)]) == [Outcome.DONE]

            async def send():
                for number in range(40):
                    assert await guest.send([Letter("e1", f"k{number}", b"{}")]) == [Outcome.DONE]
                    assert (await guest.load("e1")).last >= 3

            await asyncio.gather(write(), send())
            assert (await guest.load("e1")).last == 43
            await engine.claim("w", now=0, lease=9, limit=9)
            assert len(await engine.inbox("w", limit=99)) == 40

    asyncio.run(scenario())


def test_many_may_create_the_file_at_once(path):
    async def scenario():
        stores = [SqliteStore(path) for _ in range(4)]
        await asyncio.gather(*(store.open(engine=False) for store in stores))
        await asyncio.gather(*(store.close() for store in stores))

    asyncio.run(scenario())


def test_a_later_layout_is_left_alone(path):
    asyncio.run(_touch(path))
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(StoreTooNew, match=f"{path} has layout 99"):
        asyncio.run(_touch(path))


def test_a_later_protocol_is_left_alone(path):
    asyncio.run(_touch(path))
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE meta SET value = '2' WHERE name = 'protocol'")
    with pytest.raises(StoreTooNew, match="later release"):
        asyncio.run(_touch(path))


async def _touch(path: Path) -> None:
    async with opened(path):
        pass


@pytest.mark.parametrize(
    "content", [b"hello, I am a letter\n" * 100, b"SQLite format 3\x00" + b"\xff" * 9000]
)
def test_a_file_that_is_no_database_is_named_and_kept(path, content):
    path.write_bytes(content)
    with pytest.raises(StoreCorrupt, match=rf"{path}.*backup"):
        asyncio.run(_touch(path))
    assert path.read_bytes() == content


def test_a_database_of_another_program_is_kept(path):
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE photos (id)")
    before = path.read_bytes()
    with pytest.raises(StoreCorrupt, match="another program"):
        asyncio.run(_touch(path))
    assert path.read_bytes() == before


def test_a_damaged_page_is_reported_as_damage(path):
    async def fill():
        async with opened(path) as store:
            await store.append([create(f"e{n}", payloads=b"x" * 4000) for n in range(200)])

    async def read():
        async with opened(path) as store:
            for n in range(200):
                await store.payloads(f"e{n}", [0])

    asyncio.run(fill())
    content = bytearray(path.read_bytes())
    page = sqlite_file.PAGE_SIZE
    content[20 * page :] = b"\xab" * (len(content) - 20 * page)
    path.write_bytes(content)
    with pytest.raises(StoreCorrupt, match=str(path)):
        asyncio.run(read())


def test_a_directory_is_no_store(tmp_path):
    with pytest.raises(StoreUnavailable, match="is a directory"):
        asyncio.run(_touch(tmp_path))


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreUnavailable, match="cannot create the folder"):
        asyncio.run(_touch(tmp_path / "file" / "folder" / "detent.db"))


READ_ONLY = """
import asyncio, os, sys
from detent.store.base import StoreUnavailable
from detent.store.sqlite import SqliteStore
if os.geteuid() == 0:
    os.setuid(65534)
try:
    asyncio.run(SqliteStore(sys.argv[1]).open(engine=True))
except StoreUnavailable as error:
    print(error)
"""


def test_a_read_only_folder_is_named():
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o555)
        result = subprocess.run(
            [sys.executable, "-c", READ_ONLY, f"{folder}/detent.db"],
            capture_output=True,
            text=True,
            check=True,
        )
        assert f"{folder}/detent.db" in result.stdout
        assert "may be written to" in result.stdout
        assert os.listdir(folder) == []


def test_a_full_disk_costs_availability_and_no_data(path):
    async def scenario():
        async with opened(path) as store:
            await store.append([create("before")])
            soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
            resource.setrlimit(resource.RLIMIT_FSIZE, (256 * 1024, hard))
            try:
                group = [create(f"e{n}", payloads=b"x" * 50_000) for n in range(20)]
                for _ in range(3):
                    with pytest.raises(StoreUnavailable, match="nothing needs to be restarted"):
                        await store.append(group)
                    assert (await store.load("before")).last == 3
                    with pytest.raises(NotFound):
                        await store.load("e0")
            finally:
                resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
            assert await store.append(group) == [Outcome.DONE] * 20

    asyncio.run(scenario())
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_no_free_page_is_a_full_disk_too(path):
    async def scenario():
        async with opened(path) as store:
            await store._writer.run("BEGIN", lambda c: c.execute("PRAGMA max_page_count = 1").fetchall())
            with pytest.raises(StoreUnavailable, match="free some space"):
                await store.append([create(f"e{n}", payloads=b"x" * 50_000) for n in range(9)])
            await store._writer.run("BEGIN", lambda c: c.execute("PRAGMA max_page_count = 100000").fetchall())
            assert await store.append([create("e1")]) == [Outcome.DONE]

    asyncio.run(scenario())


def test_a_locked_file_is_unavailable_until_it_is_free(path, monkeypatch):
    monkeypatch.setattr(sqlite_file, "BUSY_TIMEOUT", 1)

    async def scenario():
        async with opened(path) as store:
            with closing(sqlite3.connect(path, isolation_level=None)) as other:
                other.execute("BEGIN IMMEDIATE")
                with pytest.raises(StoreUnavailable, match="try again"):
                    await store.append([create("e1")])
                with pytest.raises(NotFound):
                    await store.load("e1")
                other.execute("ROLLBACK")
            assert await store.append([create("e1")]) == [Outcome.DONE]

    asyncio.run(scenario())


def test_a_read_does_not_wait_for_the_writer(path):
    async def scenario():
        async with opened(path) as store:
            await store.append([create("e1")])
            hold = threading.Event()
            try:
                writing = asyncio.ensure_future(store._writer.run("BEGIN IMMEDIATE", lambda c: hold.wait(60)))
                assert (await store.load("e1")).last == 3
                assert not writing.done()
            finally:
                hold.set()
            await writing

    asyncio.run(scenario())


def test_a_cancelled_caller_learns_of_it_when_the_transaction_has_ended(path):
    async def scenario():
        async with opened(path) as store:
            hold = threading.Event()
            blocker = asyncio.ensure_future(store._writer.run("BEGIN IMMEDIATE", lambda c: hold.wait(60)))
            append = asyncio.ensure_future(store.append([create("e1")]))
            for _ in range(3):
                await asyncio.sleep(0)
                append.cancel()
            assert not append.done()
            hold.set()
            with pytest.raises(asyncio.CancelledError):
                await append
            assert (await store.load("e1")).last == 3
            await blocker
            assert await store.append([further("e1", 3, 4)]) == [Outcome.DONE]

    asyncio.run(scenario())


def test_a_cancelled_open_leaves_the_file_free(path):
    async def scenario():
        for turns in range(8):
            opening = asyncio.ensure_future(SqliteStore(path).open(engine=True))
            for _ in range(turns):
                await asyncio.sleep(0)
            opening.cancel()
            with pytest.raises(asyncio.CancelledError):
                await opening
        async with opened(path) as store:
            assert await store.append([create("e1")]) == [Outcome.DONE]

    asyncio.run(scenario())


def test_each_call_is_one_hand_over(path, monkeypatch):
    handed = []
    hand_over = aiosqlite.Connection._execute

    def counted(self, fn, *args, **kwargs):
        handed.append(fn)
        return hand_over(self, fn, *args, **kwargs)

    async def scenario():
        async with opened(path) as store:
            monkeypatch.setattr(aiosqlite.Connection, "_execute", counted)
            calls = [
                store.append([create(f"e{n}", blobs={"h": b""}) for n in range(200)]),
                store.append([further("e1", 3, 4, closed=[1], drained=[1]), further("e2", 3, 4)]),
                store.load("e1"),
                store.payloads("e1", [0, 3]),
                store.claim("w", now=0, lease=1, limit=9),
                store.delete(["e1", "e2"]),
            ]
            for call in calls:
                handed.clear()
                await call
                assert len(handed) == 1
            monkeypatch.undo()

    asyncio.run(scenario())


def test_a_cancelled_call_that_fails_leaves_the_connection_usable(path):
    async def scenario():
        async with opened(path) as store:
            hold = threading.Event()

            def fail(connection: sqlite3.Connection) -> None:
                hold.wait(60)
                connection.execute("INSERT INTO meta VALUES ('half', 'written')")
                raise sqlite3.OperationalError("as if the disk were gone")

            call = asyncio.ensure_future(store._writer.run("BEGIN IMMEDIATE", fail))
            await asyncio.sleep(0)
            call.cancel()
            hold.set()
            with pytest.raises(asyncio.CancelledError):
                await call
            assert await store.append([create("e1")]) == [Outcome.DONE]

    asyncio.run(scenario())
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM meta WHERE name = 'half'").fetchone() == (0,)


@pytest.mark.parametrize(
    "batch",
    [create("\ud800"), create("e1", ended(2**63)), create("e1", blobs={"\udfff": b""})],
    ids=["id", "int", "blob"],
)
def test_what_sqlite_cannot_hold_is_an_error_of_ours(path, batch):
    async def scenario():
        async with opened(path) as store:
            with pytest.raises(StoreError, match="cannot hold"):
                await store.append([create("e0"), batch])
            assert await store.append([create("e0")]) == [Outcome.DONE]

    asyncio.run(scenario())


@pytest.mark.parametrize(("synchronous", "level"), [("FULL", 2), ("NORMAL", 1)])
def test_a_commit_is_as_durable_as_asked(path, synchronous, level):
    async def scenario():
        async with opened(path, synchronous=synchronous) as store:
            for pragma, value in {"synchronous": level, "journal_mode": "wal"}.items():
                rows = await store._writer.run(
                    "BEGIN", lambda c, p=pragma: c.execute(f"PRAGMA {p}").fetchone()
                )
                assert rows == (value,)

    asyncio.run(scenario())


def test_new_executions_cost_one_row_here_and_one_in_the_log(path):
    seen: list[str] = []

    async def scenario():
        async with opened(path) as store:
            await store._writer.run("BEGIN", lambda c: c.set_trace_callback(seen.append))
            seen.clear()
            await store.append([create(f"e{n}", ended(9)) for n in range(64)])

    asyncio.run(scenario())
    writes = [statement.split()[2] for statement in seen if statement.startswith("INSERT")]
    assert writes == ["execution"] * 64 + ["segment"] * 64
    assert len([statement for statement in seen if statement.startswith(("SELECT", "BEGIN", "COMMIT"))]) == 5


def test_the_one_internal_entry_of_aiosqlite_is_there():
    """``_execute(function, *args)`` runs a function in the connection's thread, ``_connection`` is its argument."""
    assert list(inspect.signature(aiosqlite.Connection._execute).parameters) == [
        "self",
        "fn",
        "args",
        "kwargs",
    ]

    async def scenario():
        async with aiosqlite.connect(":memory:") as connection:
            assert isinstance(connection._connection, sqlite3.Connection)
            return await connection._execute(
                lambda *args, **kwargs: (threading.get_ident(), args, kwargs), 1, two=2
            )

    thread, args, kwargs = asyncio.run(scenario())
    assert thread != threading.get_ident()
    assert (args, kwargs) == ((1,), {"two": 2})
