"""State machines by name: revisions, versions, aliases, tags, activities, and what deleting leaves behind."""

from __future__ import annotations

import asyncio
import gc
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from core.building import do, machine, wait
from simulation.loop import VirtualClock, run

from detent.core.execution import ABORTED, SUCCEEDED
from detent.core.values import Payload
from detent.runtime.catalogue import DEFINITIONS_MAX, Catalogue
from detent.runtime.catalogue_entries import Draft, Origin, Revision, Route
from detent.runtime.catalogue_errors import (
    ActivityExists,
    AliasExists,
    MachineDeleting,
    MachineExists,
    RevisionStale,
    VersionDeprecated,
    VersionInUse,
)
from detent.runtime.engine import Engine
from detent.runtime.errors import TooMany
from detent.runtime.machines import Machines
from detent.store.base import ExecutionRecord, NotFound, Query
from detent.store.memory import MemoryStore

PREFIX = "arn:aws:states:us-east-1:123456789012:stateMachine"
ORDERS = f"{PREFIX}:orders"
WORKERS = "arn:aws:states:us-east-1:123456789012:activity:workers"


def draft(number: int = 1, **changes: Any) -> Draft:
    return Draft(f'{{"n": {number}}}', f"digest-{number}", "role", **changes)


def update(number: int):
    return lambda old: draft(number)


def machines(store: MemoryStore, definition: Any = None) -> Machines:
    return Machines(store, lambda text, digest: definition or machine(wait("A", 1)))


async def opened(store: MemoryStore | None = None) -> Catalogue:
    """A catalogue as one process of a fleet has it."""
    if store is None:
        store = MemoryStore()
        await store.open(engine=True)
    return Catalogue(store, machines(store), VirtualClock())


def play(scenario: Any) -> None:
    async def main() -> None:
        await scenario(await opened())

    run(main())


# Machines


def test_a_machine_is_made_once():
    async def scenario(catalogue):
        made, is_new = await catalogue.ensure_machine(ORDERS, "STANDARD", draft(), tags={"a": "b"})
        assert is_new
        again = replace(draft(), role="another")
        assert await catalogue.ensure_machine(ORDERS, "STANDARD", again, tags={"c": "d"}) == (made, False)
        assert (made.name, made.status, made.revision, made.tags) == (
            "orders",
            "ACTIVE",
            "INITIAL",
            {"a": "b"},
        )
        assert (await catalogue.revision(made, "INITIAL")).draft == draft()

    play(scenario)


@pytest.mark.parametrize(
    "other",
    [
        {"draft": draft(2)},
        {"draft": replace(draft(), definition='{"n":1}')},
        {"draft": draft(logging={"level": "ALL"})},
        {"draft": draft(tracing={"enabled": True})},
        {"draft": draft(encryption={"type": "AWS_OWNED_KEY"})},
        {"type": "EXPRESS"},
        {"publish": ""},
    ],
)
def test_another_machine_of_the_same_name_is_refused(other):
    async def scenario(catalogue):
        await catalogue.create_machine(ORDERS, "STANDARD", draft())
        wanted = {"type": "STANDARD", "draft": draft(), **other}
        with pytest.raises(MachineExists):
            await catalogue.create_machine(ORDERS, **wanted)

    play(scenario)


def test_an_update_makes_a_revision_and_the_same_again_does_not():
    async def scenario(catalogue):
        entry = await catalogue.create_machine(ORDERS, "STANDARD", draft(1))
        same, initial = await catalogue.update_machine(ORDERS, update(1))
        assert (same, initial.id) == (entry, "INITIAL")
        changed, second = await catalogue.update_machine(ORDERS, update(2))
        assert changed.revision == second.id != "INITIAL"
        assert (await catalogue.machine(ORDERS)).revision == second.id
        assert (await catalogue.update_machine(ORDERS, update(2)))[1] == second
        assert (await catalogue.revision(changed, "INITIAL")).draft == draft(1)

    play(scenario)


def test_what_is_not_there_is_not_found():
    async def scenario(catalogue):
        for call in (
            catalogue.machine(ORDERS),
            catalogue.target(ORDERS),
            catalogue.target(f"{ORDERS}:1"),
            catalogue.update_machine(ORDERS, update(1)),
            catalogue.publish_version(ORDERS),
            catalogue.create_alias(ORDERS, "live", "", []),
            catalogue.activity(WORKERS),
            catalogue.tag_machine(ORDERS, dict),
            catalogue.tag_activity(WORKERS, dict),
        ):
            with pytest.raises(NotFound):
                await call
        assert not await catalogue.delete_machine(ORDERS)
        await catalogue.delete_activity(WORKERS)

    play(scenario)


def test_an_unsound_definition_is_not_catalogued():
    async def scenario():
        store = MemoryStore()
        await store.open(engine=True)

        def refuse(text, digest):
            raise ValueError("unsound")

        catalogue = Catalogue(store, Machines(store, refuse), VirtualClock())
        with pytest.raises(ValueError, match="unsound"):
            await catalogue.create_machine(ORDERS, "STANDARD", draft())
        with pytest.raises(NotFound):
            await catalogue.machine(ORDERS)

    run(scenario())


def test_machines_are_listed_page_by_page_in_the_order_of_their_creation():
    async def scenario(catalogue):
        for name in ("c", "a", "b"):
            await catalogue.create_machine(f"{PREFIX}:{name}", "STANDARD", draft())
        await catalogue.create_machine("arn:aws-cn:states:cn-north-1:1:stateMachine:z", "STANDARD", draft())
        await catalogue.update_machine(f"{PREFIX}:c", update(2))
        page = await catalogue.machines(PREFIX, limit=2)
        assert [entry.name for entry in page.entries] == ["c", "a"]
        page = await catalogue.machines(PREFIX, after=page.after, limit=2)
        assert ([entry.name for entry in page.entries], page.after) == (["b"], None)

    play(scenario)


# Versions


def test_versions_are_counted_and_their_numbers_never_used_again():
    async def scenario(catalogue):
        entry = await catalogue.create_machine(ORDERS, "STANDARD", draft(), publish="first")
        assert [(v.number, v.description) for v in entry.versions] == [(1, "first")]
        await catalogue.update_machine(ORDERS, update(2), publish="second")
        await catalogue.delete_version(ORDERS, 2)
        await catalogue.delete_version(ORDERS, 2)
        version = await catalogue.publish_version(ORDERS, description="third")
        assert (version.number, version.description) == (3, "third")
        assert (await catalogue.publish_version(ORDERS, description="again")) == version

    play(scenario)


def test_ever_new_definitions_do_not_fill_the_memory():
    async def scenario(catalogue):
        made = []
        for number in range(10):
            text = f'"{str(number) * (DEFINITIONS_MAX // 4)}"'
            new = replace(draft(number), definition=text)
            made.append(await catalogue.create_machine(f"{ORDERS}{number}", "STANDARD", new))
            await catalogue.revision(made[-1], "INITIAL")
        gc.collect()
        kept = [one for one in gc.get_objects() if isinstance(one, Revision) and one.draft.role == "role"]
        assert 0 < sum(len(one.draft.definition) for one in kept) <= DEFINITIONS_MAX
        assert (await catalogue.revision(made[0], "INITIAL")).draft.definition[1] == "0"

    play(scenario)


def test_a_version_is_published_of_the_revision_one_means():
    async def scenario(catalogue):
        await catalogue.create_machine(ORDERS, "STANDARD", draft())
        _, revision = await catalogue.update_machine(ORDERS, update(2))
        with pytest.raises(RevisionStale) as refused:
            await catalogue.publish_version(ORDERS, revision="INITIAL")
        assert (refused.value.wanted, refused.value.current) == ("INITIAL", revision.id)
        assert (await catalogue.publish_version(ORDERS, revision=revision.id)).number == 1

    play(scenario)


def test_there_may_be_a_thousand_versions():
    async def scenario(catalogue):
        await catalogue.create_machine(ORDERS, "STANDARD", draft(0), publish="")
        for number in range(1, 1000):
            await catalogue.update_machine(ORDERS, update(number), publish="")
        with pytest.raises(TooMany, match="1,000 versions"):
            await catalogue.update_machine(ORDERS, update(1000), publish="")

    play(scenario)


# Aliases


async def with_two_versions(catalogue: Catalogue) -> None:
    await catalogue.create_machine(ORDERS, "STANDARD", draft(1), publish="")
    await catalogue.update_machine(ORDERS, update(2), publish="")


def test_an_alias_leads_to_versions_by_weight():
    async def scenario(catalogue):
        await with_two_versions(catalogue)
        await catalogue.create_alias(ORDERS, "live", "", [Route(1, 90), Route(2, 10)])
        drawn = Counter()
        for _ in range(2_000):
            target = await catalogue.target(f"{ORDERS}:live")
            assert target.alias == f"{ORDERS}:live"
            drawn[target.version, target.revision.draft.digest] += 1
        assert set(drawn) == {(f"{ORDERS}:1", "digest-1"), (f"{ORDERS}:2", "digest-2")}
        assert 1_600 < drawn[f"{ORDERS}:1", "digest-1"] < 1_960

    play(scenario)


def test_an_alias_is_made_once_and_changed():
    async def scenario(catalogue):
        await with_two_versions(catalogue)
        made = (await catalogue.create_alias(ORDERS, "live", "d", [Route(1, 100)])).alias("live")
        await asyncio.sleep(5)
        assert (await catalogue.create_alias(ORDERS, "live", "d", [Route(1, 100)])).alias("live") == made
        for description, routes in (("other", [Route(1, 100)]), ("d", [Route(2, 100)])):
            with pytest.raises(AliasExists):
                await catalogue.create_alias(ORDERS, "live", description, routes)
        changed = (await catalogue.update_alias(ORDERS, "live", None, [Route(2, 100)])).alias("live")
        assert (changed.description, changed.routes) == ("d", (Route(2, 100),))
        assert changed.updated_at > changed.created_at == made.created_at
        with pytest.raises(NotFound):
            await catalogue.update_alias(ORDERS, "none", "", None)
        with pytest.raises(NotFound):
            await catalogue.update_alias(ORDERS, "live", None, [Route(3, 100)])
        with pytest.raises(NotFound):
            await catalogue.create_alias(ORDERS, "other", "", [Route(3, 100)])

    play(scenario)


def test_a_version_that_an_alias_leads_to_stays():
    async def scenario(catalogue):
        await with_two_versions(catalogue)
        await catalogue.create_alias(ORDERS, "live", "", [Route(1, 100)])
        with pytest.raises(VersionInUse) as refused:
            await catalogue.delete_version(ORDERS, 1)
        assert refused.value.aliases == ["live"]
        await catalogue.delete_alias(ORDERS, "live")
        await catalogue.delete_alias(ORDERS, "live")
        await catalogue.delete_version(ORDERS, 1)
        with pytest.raises(NotFound):
            await catalogue.target(f"{ORDERS}:1")

    play(scenario)


# Tags and activities


def test_tags_are_merged_and_dropped():
    async def scenario(catalogue):
        await catalogue.create_machine(ORDERS, "STANDARD", draft(), tags={"a": "1"})
        await catalogue.create_activity(WORKERS, tags={"a": "1"})
        for change in (catalogue.tag_machine, catalogue.tag_activity):
            arn = ORDERS if change == catalogue.tag_machine else WORKERS
            await change(arn, lambda tags: {**tags, "b": "2"})
        assert (await catalogue.machine(ORDERS)).tags == {"a": "1", "b": "2"}
        assert (await catalogue.activity(WORKERS)).tags == {"a": "1", "b": "2"}

    play(scenario)


def test_a_resource_has_fifty_tags_at_most():
    async def scenario(catalogue):
        with pytest.raises(TooMany, match="50 tags"):
            await catalogue.create_activity(WORKERS, tags={str(n): "" for n in range(51)})

    play(scenario)


def test_an_activity_is_made_once():
    async def scenario(catalogue):
        made = await catalogue.create_activity(WORKERS)
        await asyncio.sleep(5)
        assert await catalogue.create_activity(WORKERS, tags={"a": "b"}) == made
        with pytest.raises(ActivityExists):
            await catalogue.create_activity(WORKERS, encryption={"type": "CUSTOMER_MANAGED_KMS_KEY"})
        assert (await catalogue.activities(WORKERS.rpartition(":")[0], limit=9)).entries == [made]
        await catalogue.delete_activity(WORKERS)
        with pytest.raises(NotFound):
            await catalogue.activity(WORKERS)

    play(scenario)


# Across a fleet


def test_what_one_process_makes_another_finds_and_what_it_changes_is_seen_soon():
    async def scenario():
        store = MemoryStore()
        await store.open(engine=True)
        here, there = await opened(store), await opened(store)
        await here.create_machine(ORDERS, "STANDARD", draft(1))
        assert (await there.target(ORDERS)).revision.draft == draft(1)
        await here.update_machine(ORDERS, update(2))
        await asyncio.sleep(1.1)
        assert (await there.target(ORDERS)).revision.draft == draft(2)

    run(scenario())


def test_changes_made_at_once_by_several_processes_are_all_kept():
    async def scenario():
        store = MemoryStore()
        await store.open(engine=True)
        fleet = [await opened(store) for _ in range(5)]
        await fleet[0].create_machine(ORDERS, "STANDARD", draft(), publish="")
        await asyncio.gather(
            *(
                member.create_alias(ORDERS, f"alias-{n}", "", [Route(1, 100)])
                for n, member in enumerate(fleet)
            )
        )
        entry = await fleet[0].machine(ORDERS, fresh=True)
        assert sorted(alias.name for alias in entry.aliases) == [f"alias-{n}" for n in range(5)]

    run(scenario())


# Deleting


def record(name: str, at: int = 0) -> ExecutionRecord:
    return ExecutionRecord(
        f"arn:aws:states:us-east-1:123456789012:execution:orders:{name}", name, ORDERS, "digest-1", "aws", at
    )


async def opened_engine(store: MemoryStore, definition: Any) -> Engine:
    engine = Engine(
        store,
        machines(store, definition),
        lambda resource: None,
        release="1",
        clock=VirtualClock(),
        takes_over=True,
    )
    await engine.open()
    return engine


def test_a_deleted_machine_ends_its_executions_and_takes_them_along():
    async def scenario():
        store = MemoryStore()
        engine = await opened_engine(store, machine(wait("W", seconds=1_000_000, next=None)))
        await engine.catalogue.create_machine(ORDERS, "STANDARD", draft(1), publish="")
        await engine.start(record("x"), Payload(1))
        ended = asyncio.ensure_future(engine.result(record("x").id))
        assert await engine.catalogue.delete_machine(ORDERS)
        assert await engine.catalogue.delete_machine(ORDERS)
        assert (await engine.catalogue.machine(ORDERS)).status == "DELETING"
        for refused in (
            engine.catalogue.target(ORDERS),
            engine.catalogue.publish_version(ORDERS),
            engine.catalogue.create_machine(ORDERS, "STANDARD", draft(1)),
        ):
            with pytest.raises(MachineDeleting):
                await refused
        while await engine.removal.proceed():  # noqa: ASYNC110 - time is virtual, and there is no event to wait for
            await asyncio.sleep(1)
        assert (await ended).status == ABORTED
        assert await store.find(Query()) == []
        with pytest.raises(NotFound):
            await engine.catalogue.machine(ORDERS)
        again = await engine.catalogue.create_machine(ORDERS, "STANDARD", draft(1))
        assert (again.versions, again.next_version) == ((), 1)
        await engine.start(record("x"), Payload(2))
        await engine.close()

    run(scenario())


def test_a_deletion_is_finished_after_a_restart():
    async def scenario():
        store = MemoryStore()
        engine = await opened_engine(store, machine(do("P", next=None)))
        await engine.catalogue.create_machine(ORDERS, "STANDARD", draft(1))
        assert (await engine.run(record("x"), Payload(1))).status == SUCCEEDED
        await engine.catalogue.delete_machine(ORDERS)
        await engine.close()
        engine = await opened_engine(store, machine(do("P", next=None)))
        assert await engine.removal.proceed() == 0
        assert await store.find(Query()) == []
        assert await engine.catalogue.was_deleted(ORDERS)
        await engine.catalogue.create_machine(ORDERS, "STANDARD", draft(1))
        assert not await engine.catalogue.was_deleted(ORDERS)
        await engine.close()

    run(scenario())


def test_an_execution_says_what_it_was_started_of():
    async def scenario(catalogue):
        await with_two_versions(catalogue)
        await catalogue.create_alias(ORDERS, "live", "", [Route(1, 100)])
        target = await catalogue.target(f"{ORDERS}:live")
        told = target.put_into(record("x"), trace_header="Root=1")
        assert (told.version, told.alias) == (f"{ORDERS}:1", f"{ORDERS}:live")
        assert Origin.read(told.origin) == Origin(target.machine.created_at, "INITIAL", "Root=1", None)
        assert Origin.read(None) is None

    play(scenario)


def test_a_deprecated_version_is_no_target_until_that_is_taken_back():
    async def scenario(catalogue):
        await with_two_versions(catalogue)
        entry = await catalogue.deprecate_version(ORDERS, 1)
        assert entry.version(1).deprecated_at is not None
        assert await catalogue.deprecate_version(ORDERS, 1) == entry
        with pytest.raises(VersionDeprecated):
            await catalogue.target(f"{ORDERS}:1")
        with pytest.raises(VersionDeprecated):
            await catalogue.create_alias(ORDERS, "live", "", [Route(1, 100)])
        await catalogue.deprecate_version(ORDERS, 1, deprecated=False)
        await catalogue.create_alias(ORDERS, "live", "", [Route(1, 100)])
        with pytest.raises(VersionInUse):
            await catalogue.deprecate_version(ORDERS, 1)
        with pytest.raises(NotFound):
            await catalogue.deprecate_version(ORDERS, 9)

    play(scenario)
