-- Every statement of the Postgres store, one name and one sentence each.
--
-- Whole groups go in as arrays, one element per row: a group of any size is one statement and one round trip.

-- name: publish
-- Keep a definition; the same content under the same name is kept once, and becomes the latest again.
INSERT INTO machine (digest, name, definition, published_at) VALUES ($1, $2, $3, $4)
ON CONFLICT (digest, name) DO UPDATE SET published_at = excluded.published_at;

-- name: machine
-- A definition by its content's digest.
SELECT digest, name, definition, published_at FROM machine WHERE digest = $1 ORDER BY number LIMIT 1;

-- name: machine_named
-- The definition that was published last under a name.
SELECT digest, name, definition, published_at FROM machine WHERE name = $1
ORDER BY published_at DESC, number DESC LIMIT 1;

-- name: create
-- New executions, except those whose id is taken; an owner without a lease holds nothing.
WITH holder AS MATERIALIZED (SELECT name FROM owner WHERE name = ANY ($8) FOR KEY SHARE)
INSERT INTO execution
    (status, due, ready, ended_at, paused, last, fence, owner, claims,
     id, name, machine, digest, profile, started_at, parent, version, alias, origin)
SELECT
    status, due, ready, ended_at, paused, last, fence,
    (SELECT holder.name FROM holder WHERE holder.name = hold), claims,
    id, name, machine, digest, profile, started_at, parent, version, alias, origin
FROM unnest(
    $1::text[], $2::bigint[], $3::boolean[], $4::bigint[], $5::boolean[], $6::bigint[], $7::bigint[], $8::text[],
    $9::bigint[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[], $15::bigint[], $16::text[],
    $17::text[], $18::text[], $19::text[]
) AS batch (status, due, ready, ended_at, paused, last, fence, hold, claims,
            id, name, machine, digest, profile, started_at, parent, version, alias, origin)
ON CONFLICT (id) DO NOTHING
RETURNING id, key;

-- name: move
-- Where executions stand from now on, if they still stand where their batches begin: the compare-and-set.
WITH holder AS MATERIALIZED (SELECT name FROM owner WHERE name = ANY ($11) FOR KEY SHARE)
UPDATE execution
SET status = batch.status, due = batch.due, ready = batch.ready, ended_at = batch.ended_at,
    paused = batch.paused, last = batch.last,
    owner = CASE WHEN batch.changes_hands
        THEN (SELECT holder.name FROM holder WHERE holder.name = batch.hold) ELSE execution.owner END,
    claims = CASE WHEN batch.counts_afresh THEN 0 ELSE execution.claims END
FROM unnest(
    $1::text[], $2::bigint[], $3::bigint[], $4::text[], $5::bigint[], $6::boolean[], $7::bigint[],
    $8::boolean[], $9::bigint[], $10::boolean[], $11::text[], $12::boolean[]
) AS batch (id, after, fence, status, due, ready, ended_at, paused, last, changes_hands, hold, counts_afresh)
WHERE execution.id = batch.id AND execution.last = batch.after
    AND (batch.fence IS NULL OR execution.fence = batch.fence)
RETURNING execution.id, execution.key;

-- name: append
-- Segments at the end of their logs.
INSERT INTO segment (execution, after, last, control, payloads)
SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bytea[], $5::bytea[]);

-- name: put_blob
-- Large values, once per execution.
INSERT INTO blob (execution, digest, value)
SELECT * FROM unnest($1::bigint[], $2::text[], $3::bytea[]) ON CONFLICT DO NOTHING;

-- name: drain
-- Messages that have been consumed: only their dedupe ids stay.
UPDATE inbox SET body = NULL FROM unnest($1::bigint[], $2::bigint[]) AS message (execution, number)
WHERE inbox.number = message.number AND inbox.execution = message.execution;

-- name: close_beat
-- The heartbeat deadlines of pendings that no longer wait.
DELETE FROM beat USING unnest($1::bigint[], $2::bigint[]) AS closed (execution, pending)
WHERE beat.execution = closed.execution AND beat.pending = closed.pending;

-- name: known
-- Executions that exist, and go on existing until this transaction has ended.
SELECT id, key, fence FROM execution WHERE id = ANY ($1) ORDER BY key FOR KEY SHARE;

-- name: send
-- Letters into the inbox, except those whose dedupe id is taken.
INSERT INTO inbox (execution, dedupe, body)
SELECT * FROM unnest($1::bigint[], $2::text[], $3::bytea[])
ON CONFLICT (execution, dedupe) DO NOTHING
RETURNING execution, dedupe;

-- name: load
-- What is known of an execution beside its log.
SELECT key, last, owner, fence, status, due, ready, ended_at, paused, id, name, machine, digest, profile,
    started_at, parent, version, alias, origin
FROM execution WHERE id = $1;

-- name: segments
-- The log of an execution from an event on, without payloads.
SELECT after, last, control FROM segment WHERE execution = $1 AND after >= $2 ORDER BY after LIMIT $3;

-- name: beats
-- The heartbeat deadlines of an execution.
SELECT pending, due FROM beat WHERE execution = $1;

-- name: key
-- The key of an execution.
SELECT key FROM execution WHERE id = $1;

-- name: payloads
-- The payloads of segments.
SELECT after, payloads FROM segment WHERE execution = $1 AND after = ANY ($2);

-- name: blobs
-- Large values.
SELECT digest, value FROM blob WHERE execution = $1 AND digest = ANY ($2);

-- name: find
-- Executions, the latest created first; conditions are added in place of the marker.
SELECT key, owner, status, due, ready, ended_at, paused, id, name, machine, digest, profile, started_at, parent,
    version, alias, origin
FROM execution WHERE /* conditions */ ORDER BY key DESC LIMIT $1;

-- name: find_by_attribute
-- Executions with a search attribute, the latest created first; conditions are added in place of the marker.
SELECT key, owner, status, due, ready, ended_at, paused, id, name, machine, digest, profile, started_at, parent,
    version, alias, origin
FROM search_attribute JOIN execution ON execution.key = search_attribute.execution
WHERE /* conditions */ ORDER BY search_attribute.execution DESC LIMIT $1;

-- name: inbox
-- Messages to the executions an owner holds, looked up from the message: few wait, many are held.
SELECT inbox.number, held.id, inbox.body
FROM inbox CROSS JOIN LATERAL (
    SELECT id FROM execution WHERE execution.key = inbox.execution AND execution.owner = $2 OFFSET 0
) AS held
WHERE inbox.body IS NOT NULL AND inbox.number > $1
ORDER BY inbox.number LIMIT $3;

-- name: unread
-- How many messages an execution has not taken yet.
SELECT count(*) FROM inbox
WHERE execution = (SELECT key FROM execution WHERE id = $1) AND body IS NOT NULL;

-- name: end_expired
-- Leases that have run out end, except those somebody else is ending or writing under.
DELETE FROM owner
WHERE name IN (
    SELECT name FROM owner WHERE lease_until <= lease_clock() ORDER BY name FOR UPDATE SKIP LOCKED
)
RETURNING name;

-- name: end_lease
-- The lease of an owner ends, once nobody writes under it.
DELETE FROM owner WHERE name = $1;

-- name: give_back_all
-- Whatever these owners held is nobody's; a statement of its own, so that it sees what they wrote last.
UPDATE execution SET owner = NULL WHERE owner = ANY ($1);

-- name: owners
-- Everyone whose lease lives.
SELECT name FROM owner WHERE lease_until > lease_clock();

-- name: begin_lease
-- A lease for an owner that has none.
INSERT INTO owner (name, lease_until) VALUES ($1, lease_clock() + $2) ON CONFLICT DO NOTHING;

-- name: keep_lease
-- An owner, whose lease nobody ends before this transaction has ended.
SELECT name FROM owner WHERE name = $1 FOR KEY SHARE;

-- name: extend_lease
-- A living lease lives longer.
UPDATE owner SET lease_until = lease_clock() + $2 WHERE name = $1 AND lease_until > lease_clock() RETURNING name;

-- name: claim_due
-- Executions that need attention by themselves and that nobody holds get an owner, the longest overdue first, without suspects.
WITH taken AS MATERIALIZED (
    SELECT key, wake FROM execution
    WHERE wake <= $2 AND (claims < $5 OR NOT ready) AND ($4::text[] IS NULL OR machine = ANY ($4))
    ORDER BY wake, key LIMIT $3 FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE execution SET owner = $1, fence = fence + 1, claims = claims + 1
FROM taken WHERE execution.key = taken.key
RETURNING execution.id, execution.fence, execution.claims, execution.key, taken.wake, taken.key AS place;

-- name: queues
-- The machines of which something waits, by their names, so many after one; and whether executions of it need attention now.
WITH RECURSIVE queue (machine, place) AS (
    (
        SELECT machine, 1 FROM execution
        WHERE wake IS NOT NULL AND machine <> '' AND machine > $4 AND ($2::text[] IS NULL OR machine = ANY ($2))
        ORDER BY machine LIMIT 1
    )
    UNION ALL
    SELECT next.machine, queue.place + 1 FROM queue CROSS JOIN LATERAL (
        SELECT machine FROM execution
        WHERE wake IS NOT NULL AND machine <> '' AND machine > queue.machine
            AND ($2::text[] IS NULL OR machine = ANY ($2))
        ORDER BY machine LIMIT 1
    ) AS next WHERE queue.place < $5
)
SELECT machine, (
    SELECT due.key FROM execution AS due
    WHERE due.machine <> '' AND due.machine = queue.machine AND due.wake <= $1 AND (due.claims < $3 OR NOT due.ready)
    ORDER BY due.wake, due.key LIMIT 1
) IS NOT NULL FROM queue ORDER BY place;

-- name: claim_queues
-- As claim_due, so many of each of some machines at most.
WITH taken AS MATERIALIZED (
    SELECT due.key, due.wake FROM unnest($4::text[]) AS queue (machine) CROSS JOIN LATERAL (
        SELECT execution.key, execution.wake FROM execution
        WHERE execution.machine <> '' AND execution.machine = queue.machine AND execution.wake <= $2
            AND (execution.claims < $5 OR NOT execution.ready)
        ORDER BY execution.wake, execution.key LIMIT $6 FOR NO KEY UPDATE SKIP LOCKED
    ) AS due
    ORDER BY due.wake, due.key LIMIT $3
)
UPDATE execution SET owner = $1, fence = fence + 1, claims = claims + 1
FROM taken WHERE execution.key = taken.key
RETURNING execution.id, execution.fence, execution.claims, execution.key, taken.wake, taken.key AS place;

-- name: claim_suspect
-- An execution that is ready and was claimed again and again without coming further, the least often of them.
WITH taken AS MATERIALIZED (
    SELECT key FROM execution
    WHERE wake = 0 AND ready AND claims >= $3 AND ($2::text[] IS NULL OR machine = ANY ($2))
    ORDER BY claims, key LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE execution SET owner = $1, fence = fence + 1, claims = claims + 1
FROM taken WHERE execution.key = taken.key
RETURNING execution.id, execution.fence, execution.claims, execution.key;

-- name: claim_addressed
-- Executions with a message that nobody holds get an owner, the oldest message first.
WITH addressed AS MATERIALIZED (
    SELECT execution, min(number) AS first FROM inbox WHERE body IS NOT NULL GROUP BY execution
), taken AS MATERIALIZED (
    SELECT execution.key, addressed.first FROM addressed JOIN execution ON execution.key = addressed.execution
    WHERE execution.owner IS NULL AND (execution.claims < $4 OR NOT execution.ready)
        AND ($3::text[] IS NULL OR execution.machine = ANY ($3))
    ORDER BY addressed.first LIMIT $2 FOR NO KEY UPDATE OF execution SKIP LOCKED
)
UPDATE execution SET owner = $1, fence = fence + 1, claims = claims + 1
FROM taken WHERE execution.key = taken.key
RETURNING execution.id, execution.fence, execution.claims, execution.key, taken.first;

-- name: claim_wanted
-- Executions that wait for somebody who does one of these resources get an owner, the longest waiting first.
WITH waiting AS MATERIALIZED (
    SELECT first.execution, min(first.since) AS since
    FROM unnest($3::text[]) AS done (resource) CROSS JOIN LATERAL (
        SELECT execution, since FROM want WHERE want.resource = done.resource
        ORDER BY since, execution LIMIT 4 * $2
    ) AS first
    GROUP BY first.execution
), taken AS MATERIALIZED (
    SELECT execution.key, waiting.since FROM waiting JOIN execution ON execution.key = waiting.execution
    WHERE execution.owner IS NULL AND ($4::text[] IS NULL OR execution.machine = ANY ($4))
    ORDER BY waiting.since, execution.key LIMIT $2 FOR NO KEY UPDATE OF execution SKIP LOCKED
)
UPDATE execution SET owner = $1, fence = fence + 1, claims = claims + 1
FROM taken WHERE execution.key = taken.key
RETURNING execution.id, execution.fence, execution.claims, execution.key, taken.since, taken.key AS place;

-- name: claim_named
-- Unfinished executions of these ids that nobody holds get an owner, in the order of the ids.
WITH taken AS MATERIALIZED (
    SELECT execution.key, wanted.place
    FROM unnest($2::text[]) WITH ORDINALITY AS wanted (id, place) JOIN execution ON execution.id = wanted.id
    WHERE ended_at IS NULL AND owner IS NULL
    ORDER BY wanted.place LIMIT $3 FOR NO KEY UPDATE OF execution SKIP LOCKED
)
UPDATE execution SET owner = $1, fence = fence + 1, claims = claims + 1
FROM taken WHERE execution.key = taken.key
RETURNING execution.id, execution.fence, execution.claims, execution.key, taken.place;

-- name: unwant
-- What was handed over is somebody's again: it is seen by its new owner what it waits for.
DELETE FROM want WHERE execution = ANY ($1) RETURNING execution;

-- name: make_ready
-- Executions with work open.
UPDATE execution SET ready = true WHERE key = ANY ($1);

-- name: release
-- Executions are given back, unless they have been claimed again.
UPDATE execution SET owner = NULL, claims = 0
FROM unnest($1::text[], $2::bigint[]) AS claim (id, fence)
WHERE execution.id = claim.id AND execution.fence = claim.fence;

-- name: beat
-- Heartbeat deadlines, which never move back.
INSERT INTO beat (execution, pending, due)
SELECT execution, pending, max(due)
FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS sign (execution, pending, due)
GROUP BY execution, pending ORDER BY execution, pending
ON CONFLICT (execution, pending) DO UPDATE SET due = greatest(beat.due, excluded.due);

-- name: delete_executions
-- The rows of deleted executions, of all or of those that have ended; nothing is appended to them afterwards.
DELETE FROM execution
WHERE key IN (
    SELECT key FROM execution WHERE id = ANY ($1) AND (ended_at IS NOT NULL OR NOT $2) ORDER BY key FOR UPDATE
)
RETURNING key;

-- name: delete_segments
-- The logs of deleted executions.
DELETE FROM segment WHERE execution = ANY ($1);

-- name: delete_blobs
-- The large values of deleted executions.
DELETE FROM blob WHERE execution = ANY ($1);

-- name: delete_inbox
-- The messages of deleted executions.
DELETE FROM inbox WHERE execution = ANY ($1);

-- name: delete_beats
-- The heartbeat deadlines of deleted executions.
DELETE FROM beat WHERE execution = ANY ($1);

-- name: document
-- One document.
SELECT collection, id, body, revision, number FROM document WHERE collection = $1 AND id = $2;

-- name: documents
-- The documents of a collection, the first created first.
SELECT collection, id, body, revision, number FROM document WHERE collection = $1 AND number > $2
ORDER BY number LIMIT $3;

-- name: create_document
-- A new document, unless there is one.
INSERT INTO document (collection, id, body, revision) VALUES ($1, $2, $3, 1)
ON CONFLICT (collection, id) DO NOTHING RETURNING number;

-- name: change_document
-- Another body for a document, if it is still what was read.
UPDATE document SET body = $3, revision = revision + 1 WHERE number = $1 AND revision = $2 RETURNING number;

-- name: delete_document
-- A document is forgotten, if it is still what was read.
DELETE FROM document WHERE number = $1 AND revision = $2 RETURNING number;

-- name: delete_wants
-- What deleted executions waited for.
DELETE FROM want WHERE execution = ANY ($1);

-- name: put_attribute
-- What executions are found by.
INSERT INTO search_attribute (execution, attribute, value)
SELECT * FROM unnest($1::bigint[], $2::text[], $3::bytea[]) ON CONFLICT DO NOTHING;

-- name: delete_attributes
-- What deleted executions were found by.
DELETE FROM search_attribute WHERE execution = ANY ($1);

-- name: delete_offers
-- Tasks of deleted executions that anybody might have taken.
DELETE FROM offer WHERE execution = ANY ($1);

-- name: offer
-- Tasks that anybody may take.
INSERT INTO offer (execution, pending, resource)
SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::text[]) ON CONFLICT DO NOTHING;

-- name: withdraw
-- Tasks that nobody waits for any more.
DELETE FROM offer USING unnest($1::bigint[], $2::bigint[]) AS gone (execution, pending)
WHERE offer.execution = gone.execution AND offer.pending = gone.pending;

-- name: now
-- The clock of the database, which measures leases.
SELECT lease_clock();

-- name: enrol
-- What an owner says of itself.
UPDATE owner SET info = $2 WHERE name = $1 RETURNING name;

-- name: workers
-- The owners that live and have said something of themselves.
SELECT name, lease_until, info FROM owner WHERE info IS NOT NULL AND lease_until > lease_clock() ORDER BY name;

-- name: hand_over
-- Executions are given back to somebody who does more, unless they have been claimed again.
UPDATE execution SET owner = NULL, claims = 0, ready = false
FROM unnest($1::text[], $2::bigint[]) AS given (id, fence)
WHERE execution.id = given.id AND execution.fence = given.fence AND execution.ended_at IS NULL
RETURNING execution.id, execution.key;

-- name: want
-- What they wait for.
INSERT INTO want (execution, resource, since)
SELECT * FROM unnest($1::bigint[], $2::text[], $3::bigint[]) ON CONFLICT DO NOTHING;

-- name: wanted
-- What executions wait for, and since when.
SELECT resource, count(*), min(since) FROM want GROUP BY resource ORDER BY resource;

-- name: take
-- The first task that was offered of a resource and that nobody alive holds, or is just taking.
-- Whoever took it between the begin of this statement and its lock shows in the row that is locked, not in the one seen.
UPDATE offer SET holder = $2 WHERE number = (
    SELECT number FROM offer WHERE resource = $1
        AND NOT EXISTS (SELECT FROM owner WHERE owner.name = offer.holder AND lease_until > lease_clock())
        AND holder IS NOT DISTINCT FROM (SELECT seen.holder FROM offer AS seen WHERE seen.number = offer.number)
    ORDER BY number LIMIT 1 FOR UPDATE SKIP LOCKED
)
RETURNING (SELECT id FROM execution WHERE key = offer.execution), offer.pending;

-- name: hand_out
-- A task that somebody does from now on: it is offered no longer.
DELETE FROM offer USING execution WHERE execution.key = offer.execution AND execution.id = $1 AND pending = $2;

-- name: put_back
-- A task that its holder has not handed out.
UPDATE offer SET holder = NULL FROM execution
WHERE execution.key = offer.execution AND execution.id = $1 AND pending = $2 AND holder = $3;

-- name: free_dead_slots
-- Slots of owners that live no longer.
DELETE FROM slot WHERE resource = $1
    AND NOT EXISTS (SELECT FROM owner WHERE owner.name = slot.owner AND lease_until > lease_clock());

-- name: take_slot
-- A number that nobody has, unless somebody else is just taking it.
INSERT INTO slot (resource, number, owner)
SELECT $1, number, $2 FROM generate_series(1, $3::integer) AS number
WHERE NOT EXISTS (SELECT FROM slot WHERE slot.resource = $1 AND slot.number = number.number)
ORDER BY random() LIMIT 1
ON CONFLICT DO NOTHING RETURNING number;

-- name: free_slots
-- Slots that are needed no longer.
DELETE FROM slot USING unnest($2::text[], $3::integer[]) AS freed (resource, number)
WHERE slot.resource = freed.resource AND slot.number = freed.number AND slot.owner = $1;

-- name: held
-- The executions that an owner holds, with its claims.
SELECT id, fence, claims FROM execution WHERE owner = $1;

-- name: held_offers
-- The tasks that an owner has taken and not handed out.
SELECT execution.id, offer.pending
FROM offer JOIN execution ON execution.key = offer.execution
WHERE offer.holder = $1 ORDER BY offer.number;

-- name: held_slots
-- The slots that an owner has.
SELECT resource, number FROM slot WHERE owner = $1 ORDER BY resource, number;

-- name: forget_reservations
-- Keys that stand for nothing any more; a few at a time.
DELETE FROM reservation WHERE key IN (
    SELECT key FROM reservation WHERE until <= $1 ORDER BY until LIMIT $2 FOR UPDATE SKIP LOCKED
)
RETURNING key;

-- name: reserve
-- A key that stands for nothing yet, or for what another owner has left undone.
INSERT INTO reservation (key, request, answer, until, holder) VALUES ($1, $2, '', $3, $4)
ON CONFLICT (key) DO UPDATE
SET request = excluded.request, answer = excluded.answer, until = excluded.until, holder = excluded.holder
WHERE reservation.until <= $5 OR reservation.holder = $6
RETURNING key;

-- name: reservation
-- What a key stands for.
SELECT request, holder, answer FROM reservation WHERE key = $1;

-- name: settle
-- The answer to the request of a key.
UPDATE reservation SET answer = $3, holder = NULL WHERE key = $1 AND holder = $2;

-- name: unreserve
-- A key whose request came to nothing.
DELETE FROM reservation WHERE key = $1 AND holder = $2;

-- name: newest_pruned
-- The newest execution of a machine beyond those that are kept.
SELECT ended_at, key FROM execution WHERE machine = $1 AND ended_at IS NOT NULL
ORDER BY ended_at DESC, key DESC OFFSET $2 LIMIT 1;

-- name: prune
-- Finished executions of a machine up to one, the oldest first, unless somebody is at work on their rows.
DELETE FROM execution WHERE key IN (
    SELECT key FROM execution
    WHERE machine = $1 AND ended_at IS NOT NULL AND (ended_at, key) <= ($2::bigint, $3::bigint)
        AND NOT EXISTS (
            SELECT FROM execution AS parent
            WHERE parent.id = split_part(execution.parent, '#', 1) AND parent.ended_at IS NULL
        )
    ORDER BY ended_at, key LIMIT $4 FOR UPDATE SKIP LOCKED
)
RETURNING key;

-- name: tally
-- How many executions there are of each status.
SELECT status, count(*) FROM execution GROUP BY status;

-- name: size
-- The bytes of all tables with their indexes.
SELECT coalesce(sum(pg_total_relation_size(oid)), 0)::bigint FROM pg_class
WHERE relnamespace = 'detent'::regnamespace AND relkind = 'r';

-- name: machine_names
-- Every name under which something was published.
SELECT DISTINCT name FROM machine ORDER BY name;
