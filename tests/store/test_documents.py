"""Documents: small things beside the executions, changed only by those who know what they replace."""

from __future__ import annotations

import asyncio

from detent.store.base import Document, Edit, Query

from .batches import create


def body_of(document: Document | None) -> bytes | None:
    return None if document is None else document.body


def test_a_document_is_created_changed_and_deleted(play):
    async def scenario(store):
        assert await store.document("machine", "m") is None
        assert await store.edit([Edit("machine", "m", b"1")])
        first = await store.document("machine", "m")
        assert (first.collection, first.id, first.body, first.revision) == ("machine", "m", b"1", 1)
        assert await store.edit([Edit("machine", "m", b"2", first)])
        second = await store.document("machine", "m")
        assert (second.body, second.revision, second.number) == (b"2", 2, first.number)
        assert await store.edit([Edit("machine", "m", None, second)])
        assert await store.document("machine", "m") is None

    play(scenario)


def test_an_edit_holds_only_if_the_document_is_what_was_read(play):
    async def scenario(store):
        assert await store.edit([Edit("machine", "m", b"1")])
        assert not await store.edit([Edit("machine", "m", b"again")])
        old = await store.document("machine", "m")
        assert await store.edit([Edit("machine", "m", b"2", old)])
        assert not await store.edit([Edit("machine", "m", b"late", old)])
        assert not await store.edit([Edit("machine", "m", None, old)])
        assert not await store.edit([Edit("machine", "m", None)])
        assert await store.edit([Edit("machine", "never", None)])
        assert body_of(await store.document("machine", "m")) == b"2"

    play(scenario)


def test_a_document_made_again_is_another_one(play):
    async def scenario(store):
        assert await store.edit([Edit("machine", "m", b"1")])
        old = await store.document("machine", "m")
        assert await store.edit([Edit("machine", "m", None, old)])
        assert await store.edit([Edit("machine", "m", b"1")])
        new = await store.document("machine", "m")
        assert new.number > old.number
        assert not await store.edit([Edit("machine", "m", b"late", old)])
        assert not await store.edit([Edit("machine", "m", None, old)])

    play(scenario)


def test_several_edits_are_made_together_or_not_at_all(play):
    async def scenario(store):
        assert await store.edit([Edit("machine", "m", b"1"), Edit("tag", "t", b"1")])
        machine = await store.document("machine", "m")
        assert not await store.edit(
            [Edit("a", "new", b"1"), Edit("machine", "m", b"2", machine), Edit("tag", "t", b"2")]
        )
        assert not await store.edit([Edit("machine", "m", None, machine), Edit("tag", "t", b"2")])
        assert await store.document("a", "new") is None
        assert body_of(await store.document("machine", "m")) == b"1"
        assert body_of(await store.document("tag", "t")) == b"1"

    play(scenario)


def test_a_collection_is_listed_in_the_order_of_creation(play):
    async def scenario(store):
        for id in ("c", "a", "b"):
            assert await store.edit([Edit("machine", id, id.encode())])
            assert await store.edit([Edit("activity", id, b"")])
        first = await store.document("machine", "c")
        assert await store.edit([Edit("machine", "c", b"changed", first)])
        page = await store.documents("machine", limit=2)
        assert [document.id for document in page] == ["c", "a"]
        page = await store.documents("machine", after=page[-1].number, limit=2)
        assert [document.id for document in page] == ["b"]
        assert await store.documents("machine", after=page[-1].number, limit=2) == []
        assert await store.documents("nothing", limit=2) == []

    play(scenario)


def test_names_and_bodies_are_any_text_and_any_bytes(play):
    async def scenario(store):
        odd = "a\\0\0\u00e9\U0001f600"
        assert await store.edit([Edit(odd, odd, bytes(range(256)))])
        document = await store.document(odd, odd)
        assert (document.collection, document.id, document.body) == (odd, odd, bytes(range(256)))
        assert await store.documents(odd, limit=1) == [document]

    play(scenario)


def test_of_many_who_change_the_same_document_at_once_one_succeeds_at_a_time(play):
    async def count(store):
        while True:
            old = await store.document("counter", "n")
            body = b"1" if old is None else b"%d" % (int(old.body) + 1)
            if await store.edit([Edit("counter", "n", body, old)]):
                return

    async def scenario(store):
        await asyncio.gather(*(count(store) for _ in range(8)))
        assert body_of(await store.document("counter", "n")) == b"8"

    play(scenario)


def test_an_execution_is_found_by_the_version_and_the_alias_it_was_started_through(play):
    async def scenario(store):
        await store.append(
            [
                create("e1", version="m:1", origin='{"x":1}'),
                create("e2", version="m:1", alias="m:live"),
                create("e3", version="m:2", alias="m:live"),
                create("e4"),
            ]
        )

        async def ids(**wanted):
            return sorted(found.record.id for found in await store.find(Query(**wanted)))

        assert await ids(version="m:1") == ["e1", "e2"]
        assert await ids(alias="m:live") == ["e2", "e3"]
        assert await ids(version="m:2", alias="m:live") == ["e3"]
        assert (await store.load("e1")).record.origin == '{"x":1}'

    play(scenario)
