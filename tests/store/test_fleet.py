"""Many engines on one store: limited claims, suspects, what is handed over, offered, reserved, kept."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from detent.store.base import Letter, MachineRecord, Outcome, Query
from detent.store.fleet import HandOver, Holdings, Offer, Reservation, Want
from detent.store.memory import MemoryStore

from .batches import PARKED, READY, create, due, ended, further

DONE = Outcome.DONE
LEASE = 15_000


async def claimed(store, owner="w1", *, now=1_000, limit=100, **limits):
    claims = await store.claim(owner, now=now, lease=LEASE, limit=limit, **limits)
    return [claim.execution for claim in claims]


# Claims


def test_an_owner_may_claim_executions_of_some_machines_only(play):
    async def scenario(store):
        group = [
            create("a1", READY, machine="a"),
            create("b1", due(5), machine="b"),
            create("b2", machine="b"),
        ]
        await store.append([*group, create("a2", machine="a")])
        await store.send([Letter("b2", "x", b"1"), Letter("a2", "x", b"1")])
        assert await claimed(store, machines=["b"]) == ["b1", "b2"]
        assert await claimed(store, machines=[]) == []
        assert await claimed(store) == ["a1", "a2"]

    play(scenario)


async def crowd(store, machines):
    """Executions of machines that have been due for long, those of the first machine for longest."""
    numbers = {name: range(count) for name, count in machines.items()}
    group = [(name, number) for name, each in numbers.items() for number in each]
    await store.append(
        [create(f"{name}{n}", due(place), machine=name) for place, (name, n) in enumerate(group)]
    )


def test_half_of_a_claim_is_shared_among_the_machines(play):
    async def scenario(store):
        await crowd(store, {"many": 30, "some": 6, "few": 1})
        # Four that have been due for longest, one of each machine, and one more that has.
        first = await claimed(store, limit=8)
        assert sorted(first) == sorted([*(f"many{n}" for n in range(6)), "some0", "few0"])
        # Five of those, two of each, and one more.
        assert Counter(id[:4] for id in await claimed(store, limit=10)) == {"many": 8, "some": 2}
        # No machine is left out, and nothing comes twice.
        rest = await claimed(store)
        assert len(rest) == 19
        assert await claimed(store) == []

    play(scenario)


def test_where_more_machines_wait_than_there_is_room_they_take_turns(play):
    async def scenario(store):
        await crowd(store, {"many": 100} | {f"m{n}-": 3 for n in range(9)})
        others = [[id for id in await claimed(store, limit=8) if "-" in id] for _ in range(5)]
        assert others == [
            [f"m{n}-0" for n in (0, 1, 2, 3)],
            [f"m{n}-0" for n in (4, 5, 6, 7)],
            ["m0-1", "m1-1", "m8-0"],
            [f"m{n}-1" for n in (2, 3, 4, 5)],
            [f"m{n}-1" for n in (6, 7)] + ["m8-1"],
        ]

    play(scenario)


def test_what_is_left_to_a_claim_of_few_machines_is_shared_among_these(play):
    async def scenario(store):
        await crowd(store, {"other": 30, "many": 30, "few": 2})
        taken = await claimed(store, limit=8, machines=["many", "few", "none"])
        assert sorted(taken) == ["few0", "few1", *(f"many{n}" for n in range(6))]

    play(scenario)


def test_what_waits_for_later_takes_no_share(play):
    async def scenario(store):
        await crowd(store, {"many": 30})
        await store.append([create("later", due(5_000), machine="later"), create("held", machine="x")])
        assert await claimed(store, limit=8) == [f"many{n}" for n in range(8)]

    play(scenario)


async def lose(store, owner, now):
    """Claim everything, and let the lease run out."""
    await claimed(store, owner, now=now)
    return now + LEASE


def test_what_was_claimed_again_and_again_without_coming_further_is_claimed_alone(play):
    async def scenario(store):
        await store.append([create(id, READY) for id in ("e1", "e2", "e3")])
        await store.append([create("waits", due(1))])
        now = await lose(store, "w1", 0)
        now = await lose(store, "w2", now)
        assert await claimed(store, "w3", now=now, suspects=False) == ["waits"]
        claims = await store.claim("w4", now=now, lease=LEASE, limit=9)
        assert [(claim.execution, claim.claims) for claim in claims] == [("e1", 3)]
        assert await claimed(store, "w5", now=now) == ["e2"]

    play(scenario)


def test_what_came_further_is_suspected_no_longer(play):
    async def scenario(store):
        await store.append([create(id, READY) for id in ("e1", "e2")])
        now = await lose(store, "w1", 0)
        now = await lose(store, "w2", now)
        claims = await store.claim("w3", now=now, lease=LEASE, limit=1)
        await store.append([further("e1", 3, 4, READY, fence=claims[0].fence, closed=[2], hold="w3")])
        now += LEASE
        assert await claimed(store, "w4", now=now) == ["e1", "e2"]

    play(scenario)


def test_a_message_does_not_free_a_suspect(play):
    async def scenario(store):
        await store.append([create("e1", READY)])
        now = await lose(store, "w1", 0)
        now = await lose(store, "w2", now)
        await store.send([Letter("e1", "x", b"1")])
        assert await claimed(store, "w3", now=now, suspects=False) == []
        assert await claimed(store, "w3", now=now) == ["e1"]

    play(scenario)


# Handing over


async def handed_over(store, id="e1", wants=("task:gpu",), head=READY, now=7):
    await store.append([create(id, head, hold=None)])
    (claim,) = await store.claim("w1", now=1_000, lease=LEASE, limit=1, only=[id])
    await store.hand_over([HandOver(id, claim.fence, list(wants))], now=now)
    return claim


def test_what_is_handed_over_is_claimed_by_who_does_what_it_wants(play):
    async def scenario(store):
        await handed_over(store, wants=["task:gpu", "task:fax"])
        assert await claimed(store, "w2") == []
        assert await claimed(store, "w2", wanted=["task:cpu"]) == []
        assert await claimed(store, "w2", wanted=["task:cpu"], machines=["other"]) == []
        assert await claimed(store, "w2", wanted=["task:fax", "task:cpu"]) == ["e1"]
        assert (await store.load("e1")).head.ready is True
        assert await store.wanted() == []

    play(scenario)


def test_what_handed_over_executions_wait_for_is_known(play):
    async def scenario(store):
        await handed_over(store, "e1", ["task:gpu"], now=30)
        await handed_over(store, "e2", ["task:gpu", "task:fax"], now=20)
        assert await store.wanted() == [Want("task:fax", 1, 20), Want("task:gpu", 2, 20)]
        assert await claimed(store, "w2", wanted=["task:gpu"], limit=1) == ["e2"]
        assert await store.wanted() == [Want("task:gpu", 1, 30)]
        await store.delete(["e1"])
        assert await store.wanted() == []

    play(scenario)


def test_timers_and_messages_of_what_was_handed_over_are_anybodys(play):
    async def scenario(store):
        await handed_over(store, "e1", head=due(5_000))
        await handed_over(store, "e2")
        await store.send([Letter("e2", "x", b"1")])
        assert await claimed(store, "w2", now=4_999) == ["e2"]
        assert await claimed(store, "w2", now=5_000) == ["e1"]
        # Whoever has it sees anew what it waits for: if that one dies it is work for anybody.
        assert await claimed(store, "w3", now=5_000 + LEASE) == ["e1", "e2"]

    play(scenario)


def test_who_has_lost_an_execution_hands_over_nothing(play):
    async def scenario(store):
        await store.append([create("e1", READY)])
        (old,) = await store.claim("w1", now=0, lease=LEASE, limit=1)
        await claimed(store, "w2", now=LEASE)
        await store.hand_over([HandOver("e1", old.fence, ["task:gpu"])], now=1)
        assert (await store.load("e1")).owner == "w2"
        assert await store.wanted() == []

    play(scenario)


def test_a_hand_over_counts_claims_afresh(play):
    async def scenario(store):
        await store.append([create("e1", READY)])
        now = await lose(store, "w1", 0)
        claims = await store.claim("w2", now=now, lease=LEASE, limit=1)
        await store.hand_over([HandOver("e1", claims[0].fence, ["task:gpu"])], now=1)
        again = await store.claim("w3", now=now, lease=LEASE, limit=1, wanted=["task:gpu"])
        assert [claim.claims for claim in again] == [1]

    play(scenario)


# Who is there


def test_owners_say_of_themselves_what_others_should_know(play):
    async def scenario(store):
        assert await store.enrol("w1", b"nobody") is False
        await store.renew("w1", now=0, lease=LEASE)
        await store.renew("w2", now=0, lease=2 * LEASE)
        assert await store.enrol("w1", b"old") is True
        assert await store.enrol("w1", b"one") is True
        assert await store.enrol("w2", b"two") is True
        assert [(w.owner, w.info) for w in await store.workers(now=0)] == [("w1", b"one"), ("w2", b"two")]
        await store.renew("w3", now=LEASE, lease=LEASE)
        assert [worker.owner for worker in await store.workers(now=LEASE)] == ["w2"]
        # A lease that had run out begins with nothing said.
        assert await store.renew("w1", now=LEASE, lease=LEASE) is False
        assert [worker.owner for worker in await store.workers(now=LEASE)] == ["w2"]

    play(scenario)


# Offers


def about(offer):
    return Letter(offer.execution, f"taken-{offer.pending}", b"taken")


async def take(store, resource="review", owner="w1", now=0):
    return await store.take(owner, resource, now=now)


def test_an_offered_task_is_taken_once_with_a_letter_to_its_execution(play):
    async def scenario(store):
        await store.append([create("e1", offers=[(2, "review"), (3, "review")])])
        await store.append([create("e2", offers=[(2, "review"), (9, "print")])])
        await store.claim("w1", now=0, lease=LEASE, limit=9, only=["e1", "e2"])
        await store.renew("w2", now=0, lease=LEASE)
        taken = [await take(store, owner=owner) for owner in ("w1", "w2", "w1", "w2")]
        assert taken == [Offer("e1", 2), Offer("e1", 3), Offer("e2", 2), None]
        assert await take(store, "unknown") is None
        for offer in taken[:3]:
            await store.hand_out(offer, about(offer))
        assert await take(store, now=LEASE) is None
        mail = await store.inbox("w1", limit=9)
        assert [(message.execution, message.body) for message in mail] == [
            ("e1", b"taken"),
            ("e1", b"taken"),
            ("e2", b"taken"),
        ]

    play(scenario)


def test_what_is_put_back_or_held_by_the_dead_is_taken_again_in_its_order(play):
    async def scenario(store):
        await store.append([create("e1", offers=[(2, "review"), (3, "review")])])
        await store.renew("w1", now=0, lease=LEASE)
        await store.renew("w2", now=0, lease=LEASE)
        assert [await take(store), await take(store)] == [Offer("e1", 2), Offer("e1", 3)]
        await store.put_back("w2", Offer("e1", 3))  # somebody else's
        assert await take(store, owner="w2") is None
        await store.put_back("w1", Offer("e1", 2))
        assert await take(store, owner="w2") == Offer("e1", 2)
        await store.renew("w1", now=0, lease=0)
        assert await take(store, owner="w2") == Offer("e1", 3)

    play(scenario)


def test_what_is_withdrawn_or_deleted_is_offered_no_longer(play):
    async def scenario(store):
        await store.append([create("e1", offers=[(2, "review"), (3, "review")])])
        await store.append([create("e2", offers=[(2, "review")])])
        await store.renew("w1", now=0, lease=LEASE)
        await store.append([further("e1", 3, 4, closed=[2], withdrawn=[2])])
        await store.delete(["e2"])
        assert await take(store) == Offer("e1", 3)
        assert await take(store) is None

    play(scenario)


def test_a_refused_batch_offers_nothing(play):
    async def scenario(store):
        await store.append([create("e1")])
        assert await store.append([further("e1", 1, 2, offers=[(2, "review")])]) == [Outcome.CONFLICT]
        assert await take(store) is None

    play(scenario)


# Slots


def test_no_more_slots_are_had_than_there_are(play):
    async def scenario(store):
        for owner in ("w1", "w2"):
            await store.renew(owner, now=0, lease=LEASE)
        taken = [await store.take_slot(owner, "task:gpu", 2, now=0) for owner in ("w1", "w2", "w1")]
        assert sorted(taken[:2]) == [1, 2]
        assert taken[2] is None
        assert await store.take_slot("w1", "task:fax", 1, now=0) == 1
        await store.free_slots("w1", [("task:gpu", taken[1])])  # somebody else's
        assert await store.take_slot("w1", "task:gpu", 2, now=0) is None
        await store.free_slots("w2", [("task:gpu", taken[1])])
        assert await store.take_slot("w1", "task:gpu", 2, now=0) == taken[1]

    play(scenario)


def test_what_an_owner_holds_is_known_to_the_store(play):
    async def scenario(store):
        await store.append([create("e1", READY, offers=[(2, "review"), (3, "review")]), create("e2", READY)])
        await store.renew("w1", now=0, lease=LEASE)
        await store.renew("w2", now=0, lease=LEASE)
        claims = await store.claim("w1", now=0, lease=LEASE, limit=9)
        taken = await take(store)
        slot = await store.take_slot("w1", "task:gpu", 2, now=0)
        held = await store.held("w1")
        assert {claim.execution: claim for claim in held.claims} == {
            claim.execution: claim for claim in claims
        }
        assert (held.offers, held.slots) == ([taken], [("task:gpu", slot)])
        assert await store.held("w2") == Holdings([], [], [])
        await store.release(claims[:1])
        await store.put_back("w1", taken)
        await store.free_slots("w1", [("task:gpu", slot)])
        assert await store.held("w1") == Holdings(claims[1:], [], [])

    play(scenario)


def test_slots_of_an_owner_whose_lease_has_ended_are_free(play):
    async def scenario(store):
        await store.renew("w1", now=0, lease=LEASE)
        assert await store.take_slot("w1", "task:gpu", 1, now=0) == 1
        await store.renew("w2", now=LEASE, lease=LEASE)
        assert await store.take_slot("w2", "task:gpu", 1, now=LEASE) == 1

    play(scenario)


# Idempotency keys


def test_a_key_stands_for_the_first_request_until_it_is_forgotten(play):
    async def scenario(store):
        first = await store.reserve("k\0", "request", "w\0", now=0, until=100)
        assert first == Reservation("request", "w\0", None, new=True)
        again = await store.reserve("k\0", "other", "v", now=99, until=200)
        assert again == Reservation("request", "w\0", None, new=False)
        later = await store.reserve("k\0", "other", "v", now=100, until=200)
        assert later == Reservation("other", "v", None, new=True)

    play(scenario)


@pytest.mark.parametrize("answer", [b"\0answer", b""])
def test_a_key_keeps_the_answer_to_its_request(play, answer):
    async def scenario(store):
        await store.reserve("k", "request", "w", now=0, until=100)
        await store.settle("k", "w", answer)
        again = await store.reserve("k", "other", "v", now=99, until=200)
        assert again == Reservation("request", None, answer, new=False)
        await store.settle("k", "v", b"another")
        await store.settle("k", "w", None)
        assert await store.reserve("k", "other", "v", now=99, until=200) == again
        assert (await store.reserve("k", "other", "v", now=100, until=200)).new

    play(scenario)


def test_a_key_whose_request_came_to_nothing_stands_for_nothing(play):
    async def scenario(store):
        await store.reserve("k", "request", "w", now=0, until=100)
        await store.settle("k", "v", None)
        assert not (await store.reserve("k", "request", "v", now=1, until=100)).new
        await store.settle("k", "w", None)
        assert (await store.reserve("k", "other", "v", now=1, until=100)).request == "other"

    play(scenario)


def test_what_one_owner_has_left_undone_another_one_does_instead(play):
    async def scenario(store):
        await store.reserve("k", "request", "w", now=0, until=100)
        taken = await store.reserve("k", "request", "v", now=1, until=200, instead_of="w")
        assert taken == Reservation("request", "v", None, new=True)
        late = await store.reserve("k", "request", "u", now=1, until=200, instead_of="w")
        assert late == Reservation("request", "v", None, new=False)
        await store.settle("k", "w", b"too late")
        await store.settle("k", "v", b"answer")
        assert (
            await store.reserve("k", "request", "w", now=150, until=300, instead_of="v")
        ).answer == b"answer"

    play(scenario)


def test_what_keys_stood_for_is_forgotten_when_its_time_is_over_a_few_at_a_time(play):
    async def scenario(store):
        for number in range(5):
            await store.reserve(f"k{number}", "request", "w", now=0, until=100 + number)
            await store.settle(f"k{number}", "w", b"answer")
        assert await store.forget_reservations(now=99, limit=9) == 0
        assert await store.forget_reservations(now=103, limit=3) == 3
        assert await store.forget_reservations(now=103, limit=3) == 1
        # The one that is left still stands, also for a clock that has been set back; the others do not.
        assert (await store.reserve("k4", "other", "v", now=50, until=200)).answer == b"answer"
        assert (await store.reserve("k3", "other", "v", now=50, until=200)).new

    play(scenario)


def test_reservations_answers_and_letters_of_many_at_once_are_each_what_they_would_be_alone(play):
    async def scenario(store):
        await store.append([create("e", PARKED)])
        keys = [f"k{number}" for number in range(40)]
        found = await asyncio.gather(*(store.reserve(key, key, "w", now=0, until=100) for key in keys))
        assert found == [Reservation(key, "w", None, new=True) for key in keys]
        await asyncio.gather(*(store.settle(key, "w", key.encode()) for key in keys))
        sent = await asyncio.gather(
            *(store.send([Letter("e", key, b"1")]) for key in [*keys, keys[0]]),
            store.send([Letter("f", "x", b"1")]),
        )
        outcomes = Counter(outcome for (outcome,) in sent)
        assert outcomes == {DONE: 40, Outcome.EXISTS: 1, Outcome.MISSING: 1}
        again = await asyncio.gather(*(store.reserve(key, key, "v", now=1, until=100) for key in keys))
        assert again == [Reservation(key, None, key.encode(), new=False) for key in keys]

    play(scenario)


# Retention


async def history(store, count=6, machine="a"):
    """Executions that ended one after the other, and one that did not."""
    await store.append(
        [create(f"{machine}{n}", ended(n * 100), machine=machine, payloads=b"[1]") for n in range(count)]
    )
    await store.append([create(f"{machine}-runs", PARKED, machine=machine)])


async def left(store):
    return sorted(found.record.id for found in await store.find(Query(limit=99)))


def test_what_ended_long_ago_is_forgotten_a_few_at_a_time(play):
    async def scenario(store):
        await history(store)
        await history(store, 1, "b")
        assert await store.prune("a", ended_before=400, keep=None, limit=3) == 3
        assert await left(store) == ["a-runs", "a3", "a4", "a5", "b-runs", "b0"]
        assert await store.prune("a", ended_before=400, keep=None, limit=3) == 1
        assert await store.prune("a", ended_before=400, keep=None, limit=3) == 0
        assert await store.prune("a", ended_before=None, keep=None, limit=3) == 0
        assert await left(store) == ["a-runs", "a4", "a5", "b-runs", "b0"]

    play(scenario)


def test_the_newest_of_a_machine_are_kept(play):
    async def scenario(store):
        await history(store)
        assert await store.prune("a", ended_before=None, keep=4, limit=9) == 2
        assert await store.prune("a", ended_before=None, keep=4, limit=9) == 0
        assert await store.prune("a", ended_before=301, keep=9, limit=9) == 2
        assert await store.prune("a", ended_before=None, keep=0, limit=9) == 2
        assert await left(store) == ["a-runs"]

    play(scenario)


def test_what_a_running_execution_has_started_is_kept(play):
    async def scenario(store):
        await store.append([create("p"), create("c", ended(1), machine="a", parent="p#7")])
        assert await store.prune("a", ended_before=9, keep=None, limit=9) == 0
        await store.append([further("p", 3, 4, ended(5))])
        assert await store.prune("a", ended_before=9, keep=None, limit=9) == 1

    play(scenario)


def test_the_names_of_machines_are_known(play):
    async def scenario(store):
        assert await store.machine_names() == []
        for digest, name in (("d1", "b\\"), ("d2", "a"), ("d3", "a")):
            await store.publish(MachineRecord(digest, name, b"{}", 0))
        assert await store.machine_names() == ["a", "b\\"]

    play(scenario)


def test_a_store_says_how_much_room_it_takes(play, new_store):
    async def scenario(store):
        size = await store.size()
        assert size is None if isinstance(new_store, MemoryStore) else size > 0

    play(scenario)


def test_executions_are_counted_by_status(play):
    async def scenario(store):
        assert await store.tally() == {}
        await store.append([create("a", READY), create("b", PARKED), create("c", READY)])
        await store.append([further("c", 3, 4, ended(5))])
        told = dict(await store.tally())
        [last] = [each.head.status for each in await store.find(Query()) if each.record.id == "c"]
        assert told == {"RUNNING": 2, last: 1}

    play(scenario)
