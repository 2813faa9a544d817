"""Who works on what: claims, leases, fences, the inbox, heartbeats."""

from __future__ import annotations

import pytest

from detent.core.rows import replaced
from detent.store.base import Beat, Claim, Letter, Outcome, Query, StoreError, StoreUnavailable

from .batches import PARKED, READY, create, due, ended, further

DONE, CONFLICT, EXISTS, MISSING = Outcome.DONE, Outcome.CONFLICT, Outcome.EXISTS, Outcome.MISSING

LEASE = 15_000


async def claimed(store, owner="w1", now=1_000, limit=100):
    return [claim.execution for claim in await store.claim(owner, now=now, lease=LEASE, limit=limit)]


def test_what_needs_attention_is_claimed_and_nothing_else(play):
    async def scenario(store):
        group = {"parked": PARKED, "later": due(1_001), "due": due(1_000), "ready": READY, "ended": ended(5)}
        await store.append([create(id, head) for id, head in group.items()])
        assert await claimed(store) == ["ready", "due"]
        assert await claimed(store) == []
        assert await claimed(store, now=1_001) == ["later"]

    play(scenario)


def test_the_longest_overdue_is_claimed_first_and_no_more_than_asked(play):
    async def scenario(store):
        await store.append([create(f"e{at}", due(at)) for at in (500, 100, 400, 200, 300)])
        assert await claimed(store, limit=2) == ["e100", "e200"]
        assert await claimed(store, limit=2) == ["e300", "e400"]
        assert await claimed(store, limit=0) == []

    play(scenario)


def test_an_execution_can_be_claimed_by_name_whether_it_needs_attention_or_not(play):
    async def scenario(store):
        await store.append([create("parked", PARKED), create("ended", ended(5)), create("ready", READY)])
        named = ["parked", "ended", "unknown"]
        claims = await store.claim("w1", now=0, lease=LEASE, limit=9, only=named)
        assert [claim.execution for claim in claims] == ["parked"]
        assert await store.claim("w2", now=0, lease=LEASE, limit=9, only=["parked"]) == []
        assert await claimed(store, "w2") == ["ready"]

    play(scenario)


def test_a_log_tells_who_holds_the_execution_and_under_which_fence(play):
    async def scenario(store):
        await store.append([create("e1", READY)])
        log = await store.load("e1")
        assert (log.owner, log.fence) == (None, 0)
        await store.claim("w1", now=0, lease=LEASE, limit=1)
        log = await store.load("e1", limit=0)
        assert (log.owner, log.fence) == ("w1", 1)

    play(scenario)


def test_a_claim_raises_the_fence_and_fences_the_one_before(play):
    async def scenario(store):
        await store.append([create("e1", READY)])
        assert await store.claim("w1", now=0, lease=10, limit=9) == [Claim("e1", 1, 1)]
        assert await store.claim("w2", now=9, lease=10, limit=9) == []
        assert await store.claim("w2", now=10, lease=10, limit=9) == [Claim("e1", 2, 2)]
        assert await store.append([further("e1", 3, 4, READY, fence=1, hold="w1")]) == [CONFLICT]
        assert await store.append([further("e1", 3, 4, READY, fence=2, hold="w2")]) == [DONE]

    play(scenario)


def test_who_creates_may_hold_from_the_first_batch(play):
    async def scenario(store):
        assert await store.renew("w1", now=0, lease=LEASE) is False
        await store.append([create("e1", READY, hold="w1"), create("e2", READY)])
        assert await claimed(store, "w2", now=0) == ["e2"]
        assert await store.append([further("e1", 3, 4, READY, fence=1, hold="w1")]) == [DONE]
        assert await claimed(store, "w2", now=0) == []

    play(scenario)


def test_an_owner_without_a_lease_holds_nothing(play):
    async def scenario(store):
        await store.append([create("e1", READY, hold="nobody")])
        assert await store.claim("w1", now=0, lease=LEASE, limit=9) == [Claim("e1", 2, 2)]

    play(scenario)


def test_a_batch_can_give_its_execution_back(play):
    async def scenario(store):
        await store.append([create("e1", READY)])
        (claim,) = await store.claim("w1", now=0, lease=LEASE, limit=1)
        await store.append([further("e1", 3, 4, due(70), fence=claim.fence)])
        assert await store.claim("w2", now=70, lease=LEASE, limit=1) == [Claim("e1", 2, 1)]

    play(scenario)


def test_a_finished_execution_is_nobodys(play):
    async def scenario(store):
        await store.append([create("e1", READY)])
        await store.claim("w1", now=0, lease=LEASE, limit=1)
        await store.append([further("e1", 3, 4, ended(5), fence=1, hold="w1")])
        await store.send([Letter("e1", "redrive", b"{}")])
        assert await store.claim("w2", now=9, lease=LEASE, limit=1) == [Claim("e1", 2, 1)]

    play(scenario)


def test_a_renewed_lease_lives_on(play):
    async def scenario(store):
        await store.append([create("e1", READY)])
        await store.claim("w1", now=0, lease=10, limit=1)
        assert await store.renew("w1", now=9, lease=10) is True
        assert await claimed(store, "w2", now=18) == []
        assert await store.renew("w1", now=19, lease=10) is False
        assert await claimed(store, "w2", now=19) == ["e1"]

    play(scenario)


def test_a_claim_does_not_extend_the_lease(play):
    async def scenario(store):
        await store.append([create("e1", READY)])
        await store.claim("w1", now=0, lease=10, limit=1)
        assert await claimed(store, "w1", now=9) == []
        assert await claimed(store, "w2", now=10) == ["e1"]

    play(scenario)


def test_who_comes_back_after_its_lease_begins_with_nothing(play):
    async def scenario(store):
        await store.append([create("e1", READY)])
        await store.claim("w1", now=0, lease=10, limit=1)
        assert await store.claim("w1", now=50, lease=10, limit=1) == [Claim("e1", 2, 2)]

    play(scenario)


def test_release_gives_back_unless_claimed_again(play):
    async def scenario(store):
        await store.append([create("e1", READY)])
        (old,) = await store.claim("w1", now=0, lease=10, limit=1)
        (new,) = await store.claim("w2", now=10, lease=10, limit=1)
        await store.release([old, Claim("ghost", 1, 1)])
        assert await claimed(store, "w3", now=11) == []
        await store.release([new])
        assert await store.claim("w3", now=11, lease=10, limit=1) == [Claim("e1", 3, 1)]

    play(scenario)


def test_claims_are_counted_until_something_is_achieved(play):
    async def scenario(store):
        await store.append([create("e1", READY)])
        for count in (1, 2, 3):
            (claim,) = await store.claim(f"w{count}", now=count * 100, lease=10, limit=1)
            assert claim.claims == count
            started = further("e1", 2 + count, 3 + count, READY, fence=claim.fence, hold=f"w{count}")
            await store.append([started])
        await store.append([further("e1", 6, 7, READY, fence=3, hold="w3", closed=[2])])
        (claim,) = await store.claim("w4", now=400, lease=10, limit=1)
        assert claim.claims == 1

    play(scenario)


def test_a_letter_is_accepted_once(play):
    async def scenario(store):
        await store.append([create("e1"), create("e2")])
        letters = [
            Letter("e1", "a", b"1"),
            Letter("e1", "a", b"2"),
            Letter("e2", "a", b"3"),
            Letter("no", "a", b""),
        ]
        assert await store.send(letters) == [DONE, EXISTS, DONE, MISSING]
        assert sorted(await claimed(store)) == ["e1", "e2"]
        assert [(m.execution, m.body) for m in await store.inbox("w1", limit=9)] == [
            ("e1", b"1"),
            ("e2", b"3"),
        ]

    play(scenario)


def test_a_message_is_drained_by_the_batch_it_causes(play):
    async def scenario(store):
        await store.append([create("e1", READY)])
        await store.claim("w1", now=0, lease=LEASE, limit=1)
        await store.send([Letter("e1", "a", b"1"), Letter("e1", "b", b"2")])
        first, second = await store.inbox("w1", limit=9)
        assert (await store.unread("e1"), await store.unread("no")) == (2, 0)
        stale = further("e1", 2, 5, fence=1, hold="w1", drained=[first.number])
        assert await store.append([stale]) == [CONFLICT]
        assert len(await store.inbox("w1", limit=9)) == 2
        await store.append([further("e1", 3, 5, fence=1, hold="w1", drained=[first.number])])
        assert await store.inbox("w1", limit=9) == [second]
        assert await store.unread("e1") == 1
        assert await store.send([Letter("e1", "a", b"again")]) == [EXISTS]
        await store.append([further("e1", 5, 5, fence=1, drained=[second.number])])
        assert await claimed(store) == []

    play(scenario)


def test_a_batch_drains_no_message_of_another_execution(play):
    async def scenario(store):
        await store.append([create("e1", READY), create("e2")])
        await store.send([Letter("e2", "a", b"1")])
        assert await claimed(store) == ["e1", "e2"]
        (message,) = await store.inbox("w1", limit=9)
        await store.append([further("e1", 3, 4, drained=[message.number])])
        assert await store.inbox("w1", limit=9) == [message]

    play(scenario)


def test_messages_come_in_pages_and_only_to_the_holder(play):
    async def scenario(store):
        await store.append([create("e1"), create("e2")])
        await store.send([Letter("e1", f"k{n}", b"%d" % n) for n in range(5)])
        assert await claimed(store) == ["e1"]
        await store.send([Letter("e2", "other", b"x")])
        first = await store.inbox("w1", limit=3)
        rest = await store.inbox("w1", after=first[-1].number, limit=3)
        assert [m.body for m in first + rest] == [b"0", b"1", b"2", b"3", b"4"]
        assert await store.inbox("w2", limit=3) == []

    play(scenario)


def test_the_oldest_message_is_claimed_first_after_what_is_due(play):
    async def scenario(store):
        await store.append([create(id) for id in ("e1", "e2", "e3")] + [create("e4", due(1))])
        await store.send([Letter(id, "a", b"") for id in ("e3", "e4", "e1", "e3", "e2")])
        assert await claimed(store, limit=3) == ["e4", "e3", "e1"]
        assert await claimed(store, limit=3) == ["e2"]

    play(scenario)


def test_the_end_of_a_child_reaches_its_parent_in_one_transaction(play):
    async def scenario(store):
        await store.append([create("parent"), create("child")])
        end = Letter("parent", "child ended", b"{}")
        lost = further("child", 9, 10, ended(5), letters=[end])
        assert await store.append([lost]) == [CONFLICT]
        assert await claimed(store) == []
        nowhere = Letter("ghost", "x", b"")
        assert await store.append([further("child", 3, 4, ended(5), letters=[end, nowhere])]) == [DONE]
        assert await claimed(store) == ["parent"]
        assert [m.body for m in await store.inbox("w1", limit=9)] == [b"{}"]

    play(scenario)


def test_the_messages_of_a_deleted_execution_are_gone(play):
    async def scenario(store):
        await store.append([create("e1"), create("e2")])
        await store.send([Letter("e1", "a", b"1"), Letter("e2", "a", b"2")])
        await claimed(store)
        (_, second) = await store.inbox("w1", limit=9)
        await store.delete(["e1", "e2"])
        await store.append([create("e1", READY)])
        await store.send([Letter("e1", "a", b"3")])
        assert await claimed(store) == ["e1"]
        (message,) = await store.inbox("w1", limit=9)
        assert message.number > second.number, "a number is never used twice"

    play(scenario)


def test_what_has_ended_goes_on_after_a_redrive(play):
    async def scenario(store):
        await store.append([create("e1", ended(9, "FAILED"))])
        assert await store.claim("w1", now=0, lease=LEASE, limit=9, only=["e1"]) == []
        assert await store.append([further("e1", 3, 4, READY)]) == [DONE]
        assert (await store.load("e1")).head == READY
        assert [found.record.id for found in await store.find(Query(ended_before=99))] == []
        assert await store.claim("w1", now=0, lease=LEASE, limit=9) == [Claim("e1", 1, 1)]
        assert await store.append([further("e1", 4, 5, ended(20), fence=1)]) == [DONE]
        assert (await store.load("e1")).owner is None

    play(scenario)


def test_whoever_redrives_holds_the_execution(play):
    async def scenario(store):
        await store.append([create("e1", ended(9, "FAILED"))])
        await store.renew("w1", now=0, lease=LEASE)
        fence = (await store.load("e1")).fence
        assert await store.append([further("e1", 3, 4, READY, fence=fence, hold="w1")]) == [DONE]
        assert await store.append([further("e1", 3, 4, READY, fence=fence, hold="w2")]) == [CONFLICT]
        assert (await store.load("e1")).owner == "w1"

    play(scenario)


def test_a_heartbeat_moves_its_deadline_forward_only(play):
    async def scenario(store):
        await store.append([create("e1", READY)])
        await store.claim("w1", now=0, lease=10, limit=1)
        beats = [Beat("e1", 2, 500, 1), Beat("e1", 2, 400), Beat("e1", 3, 100), Beat("ghost", 1, 1)]
        assert await store.beat(beats) == [DONE, DONE, DONE, MISSING]
        assert (await store.load("e1")).beats == {2: 500, 3: 100}
        await store.claim("w2", now=10, lease=10, limit=1)
        assert await store.beat([Beat("e1", 2, 900, 1), Beat("e1", 2, 700, 2)]) == [CONFLICT, DONE]
        await store.append([further("e1", 3, 4, fence=2, closed=[3, 9])])
        assert (await store.load("e1")).beats == {2: 700}

    play(scenario)


@pytest.mark.parametrize("new_store", ["memory", "sqlite"], indirect=True)
def test_the_only_engine_frees_what_the_one_before_it_held(play):
    async def scenario(store):
        await store.append([create("e1", READY)])
        assert await store.claim("w1", now=0, lease=LEASE, limit=1) == [Claim("e1", 1, 1)]
        await store.close()
        await store.open(engine=True)
        assert await store.claim("w2", now=1, lease=LEASE, limit=1) == [Claim("e1", 2, 2)]
        assert await store.append([further("e1", 3, 4, fence=1)]) == [CONFLICT]

    play(scenario)


@pytest.mark.parametrize("new_store", ["postgres"], indirect=True)
def test_an_engine_that_joins_a_fleet_leaves_the_others_what_they_hold(play):
    async def scenario(store):
        await store.append([create("e1", READY)])
        assert await store.claim("w1", now=0, lease=LEASE, limit=1) == [Claim("e1", 1, 1)]
        await store.close()
        await store.open(engine=True)
        assert await store.claim("w2", now=LEASE - 1, lease=LEASE, limit=1) == []
        assert await store.claim("w2", now=LEASE, lease=LEASE, limit=1) == [Claim("e1", 2, 2)]

    play(scenario)


def test_without_the_engines_right_one_reads_and_sends(play):
    async def scenario(store):
        await store.append([create("e1", ended(1)), create("e2")])
        await store.close()
        await store.open(engine=False)
        assert (await store.load("e1")).last == 3
        assert await store.send([Letter("e2", "a", b"1")]) == [DONE]
        assert await store.beat([Beat("e2", 2, 9)]) == [DONE]
        assert await store.delete(["e1"]) == 1
        for refused in (
            store.append([create("e3")]),
            store.claim("w", now=0, lease=1, limit=1),
            store.renew("w", now=0, lease=1),
            store.release([]),
        ):
            with pytest.raises(StoreError, match="engine=True"):
                await refused

    play(scenario)


def test_a_closed_store_says_so(play):
    async def scenario(store):
        await store.close()
        await store.close()
        for refused in (store.load("e1"), store.append([]), store.send([])):
            with pytest.raises(StoreUnavailable, match="not open"):
                await refused

    play(scenario)


def test_nothing_is_a_group_too(play):
    async def scenario(store):
        assert await store.append([]) == []
        assert await store.send([]) == []
        assert await store.beat([]) == []
        assert await store.delete([]) == 0
        await store.release([])

    play(scenario)


def test_a_pause_is_seen_without_reading_the_log(play):
    async def scenario(store):
        paused = replaced(PARKED, paused=True)
        await store.append([create("e1", paused), create("e2", READY)])
        assert [one.head for one in await store.find(Query())] == [READY, paused]
        assert (await store.load("e1", limit=0)).head == paused
        assert await claimed(store) == ["e2"]
        await store.append([further("e1", 3, 4)])
        assert (await store.load("e1", limit=0)).head == PARKED
        held = {"fence": 1, "hold": "w1"}
        for last, head in ((4, READY), (5, paused), (6, PARKED), (7, paused), (8, ended(9))):
            await store.append([further("e2", last - 1, last, head, **held)])
            assert (await store.load("e2", limit=0)).head == head

    play(scenario)


def test_who_is_at_work_is_known_and_on_what(play):
    async def scenario(store):
        await store.append([create("e1", READY), create("e2", PARKED)])
        assert list(await store.owners()) == []
        await claimed(store, "w1")
        assert list(await store.owners()) == ["w1"]
        assert [one.owner for one in await store.find(Query())] == [None, "w1"]

    play(scenario)
