-- Every statement of the SQLite store, one name and one sentence each.

-- name: put_meta
-- Note a fact about the file.
INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value;

-- name: publish
-- Keep a definition; the same content under the same name is kept once, and becomes the latest again.
INSERT INTO machine (digest, name, definition, published_at) VALUES (?, ?, ?, ?)
ON CONFLICT (digest, name) DO UPDATE SET published_at = excluded.published_at;

-- name: machine
-- A definition by its content's digest.
SELECT digest, name, definition, published_at FROM machine WHERE digest = ? ORDER BY rowid LIMIT 1;

-- name: machine_named
-- The definition that was published last under a name.
SELECT digest, name, definition, published_at FROM machine WHERE name = ?
ORDER BY published_at DESC, rowid DESC LIMIT 1;

-- name: standing
-- Where executions stand, by their ids; as many question marks as ids are put in place of the marker.
SELECT id, key, status, due, ready, ended_at, paused, last, fence, claims, owner
FROM execution WHERE id IN (/* ids */);

-- name: next_key
-- The key for the next new execution.
SELECT coalesce(max(key), 0) + 1 FROM execution;

-- name: create
-- A new execution.
INSERT INTO execution
    (key, status, due, ready, ended_at, paused, last, fence, claims, owner,
     id, name, machine, digest, profile, started_at, parent, version, alias, origin)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: move
-- Where an execution stands from now on.
UPDATE execution
SET status = ?, due = ?, ready = ?, ended_at = ?, paused = ?, last = ?, fence = ?, claims = ?, owner = ?
WHERE key = ?;

-- name: advance
-- Where an execution stands that its owner keeps, if it stood where it was left: it was RUNNING, and stays so.
UPDATE execution
SET due = ?, ready = ?, paused = ?, last = ?, claims = CASE WHEN ? THEN 0 ELSE claims END
WHERE key = ? AND id = ? AND last = ? AND fence = ? AND owner = ? AND ended_at IS NULL;

-- name: finish
-- The end of an execution that had an owner, if it stood where it was left.
UPDATE execution
SET status = ?, due = ?, ready = ?, ended_at = ?, paused = FALSE, last = ?, claims = 0, owner = NULL
WHERE key = ? AND id = ? AND last = ? AND fence = ? AND owner = ? AND ended_at IS NULL;

-- name: append
-- One segment at the end of a log.
INSERT INTO segment (execution, after, last, control, payloads) VALUES (?, ?, ?, ?, ?);

-- name: put_blob
-- A large value, once per execution.
INSERT INTO blob (execution, digest, value) VALUES (?, ?, ?) ON CONFLICT DO NOTHING;

-- name: drain
-- A message that has been consumed: only its dedupe id stays.
UPDATE inbox SET body = NULL WHERE number = ? AND execution = ?;

-- name: close_beat
-- The heartbeat deadline of a pending that no longer waits.
DELETE FROM beat WHERE execution = ? AND pending = ?;

-- name: has_beats
-- Whether any task has a heartbeat deadline.
SELECT EXISTS (SELECT 1 FROM beat);

-- name: send
-- A letter into the inbox, unless its dedupe id is taken.
INSERT INTO inbox (execution, dedupe, body) SELECT key, ?, ? FROM execution WHERE id = ?
ON CONFLICT (execution, dedupe) DO NOTHING;

-- name: load
-- What is known of an execution beside its log.
SELECT key, last, owner, fence, status, due, ready, ended_at, paused, id, name, machine, digest, profile,
    started_at, parent, version, alias, origin
FROM execution WHERE id = ?;

-- name: segments
-- The log of an execution from an event on, without payloads.
SELECT after, last, control FROM segment WHERE execution = ? AND after >= ? ORDER BY after LIMIT ?;

-- name: beats
-- The heartbeat deadlines of an execution.
SELECT pending, due FROM beat WHERE execution = ?;

-- name: key
-- The key of an execution.
SELECT key FROM execution WHERE id = ?;

-- name: key_of_ended
-- The key of an execution, if it has ended.
SELECT key FROM execution WHERE id = ? AND ended_at IS NOT NULL;

-- name: payloads
-- The payloads of one segment.
SELECT payloads FROM segment WHERE execution = ? AND after = ?;

-- name: blob
-- One large value.
SELECT value FROM blob WHERE execution = ? AND digest = ?;

-- name: find
-- Executions, the latest created first; conditions are added in place of the marker.
SELECT key, owner, status, due, ready, ended_at, paused, id, name, machine, digest, profile, started_at, parent,
    version, alias, origin
FROM execution WHERE /* conditions */ ORDER BY key DESC LIMIT ?;

-- name: find_by_attribute
-- Executions with a search attribute, the latest created first; conditions are added in place of the marker.
SELECT key, owner, status, due, ready, ended_at, paused, id, name, machine, digest, profile, started_at, parent,
    version, alias, origin
FROM search_attribute CROSS JOIN execution ON execution.key = search_attribute.execution
WHERE /* conditions */ ORDER BY search_attribute.execution DESC LIMIT ?;

-- name: inbox
-- Messages to the executions an owner holds.
SELECT inbox.number, execution.id, inbox.body
FROM inbox CROSS JOIN execution ON execution.key = inbox.execution
WHERE inbox.body IS NOT NULL AND inbox.number > ? AND execution.owner = ?
ORDER BY inbox.number LIMIT ?;

-- name: unread
-- How many messages an execution has not taken yet.
SELECT count(*) FROM inbox
WHERE execution = (SELECT key FROM execution WHERE id = ?) AND body IS NOT NULL;

-- name: expired
-- Owners whose lease has run out.
SELECT name FROM owner WHERE lease_until <= ?;

-- name: owners
-- Everyone who has a lease.
SELECT name FROM owner;

-- name: lease_until
-- When the lease of an owner runs out.
SELECT lease_until FROM owner WHERE name = ?;

-- name: put_lease
-- A new or longer lease.
INSERT INTO owner (name, lease_until) VALUES (?, ?)
ON CONFLICT (name) DO UPDATE SET lease_until = excluded.lease_until;

-- name: end_lease
-- Forget the lease of an owner.
DELETE FROM owner WHERE name = ?;

-- name: give_back_all
-- Whatever an owner held is nobody's.
UPDATE execution SET owner = NULL WHERE owner = ?;

-- name: due
-- Executions that need attention by themselves and that nobody holds, the longest overdue first, without suspects.
SELECT key, id, fence, claims FROM execution
WHERE ended_at IS NULL AND owner IS NULL AND CASE WHEN ready THEN 0 ELSE due END <= ?
    AND (claims < ? OR NOT ready) AND /* machines */
ORDER BY CASE WHEN ready THEN 0 ELSE due END, key LIMIT ?;

-- name: next_queue
-- The next machine of which something waits that nobody holds.
SELECT min(machine) FROM execution
WHERE ended_at IS NULL AND owner IS NULL AND (ready OR due IS NOT NULL) AND machine > ?;

-- name: due_in_queue
-- Executions of a machine that need attention by themselves and that nobody holds, the longest overdue first, without suspects.
SELECT key, id, fence, claims, CASE WHEN ready THEN 0 ELSE due END AS wake FROM execution
WHERE ended_at IS NULL AND owner IS NULL AND (ready OR due IS NOT NULL) AND machine = ?
    AND CASE WHEN ready THEN 0 ELSE due END <= ? AND (claims < ? OR NOT ready)
ORDER BY CASE WHEN ready THEN 0 ELSE due END, key LIMIT ?;

-- name: suspect
-- An execution that is ready and was claimed again and again without coming further, the least often of them.
SELECT key, id, fence, claims FROM execution
WHERE ended_at IS NULL AND owner IS NULL AND CASE WHEN ready THEN 0 ELSE due END = 0
    AND ready AND claims >= ? AND /* machines */
ORDER BY claims, key LIMIT ?;

-- name: addressed
-- Executions with a message that nobody holds, the oldest message first.
SELECT execution.key, execution.id, execution.fence, execution.claims
FROM inbox CROSS JOIN execution ON execution.key = inbox.execution
WHERE inbox.body IS NOT NULL AND execution.owner IS NULL
    AND (execution.claims < ? OR NOT execution.ready) AND /* machines */
GROUP BY execution.key ORDER BY min(inbox.number) LIMIT ?;

-- name: wanting
-- Executions that wait for somebody who does one of these resources, the longest waiting first.
SELECT execution.key, execution.id, execution.fence, execution.claims
FROM want CROSS JOIN execution ON execution.key = want.execution
WHERE want.resource IN (/* resources */) AND execution.owner IS NULL AND /* machines */
GROUP BY execution.key ORDER BY min(want.since), execution.key LIMIT ?;

-- name: unheld
-- One unfinished execution, if nobody holds it.
SELECT key, id, fence, claims FROM execution WHERE id = ? AND ended_at IS NULL AND owner IS NULL;

-- name: claim
-- An execution gets an owner and a new fence.
UPDATE execution SET owner = ?, fence = fence + 1, claims = claims + 1 WHERE key = ?;

-- name: release
-- An execution is given back, unless it has been claimed again.
UPDATE execution SET owner = NULL, claims = 0 WHERE id = ? AND fence = ?;

-- name: fence
-- The key and the latest fence of an execution.
SELECT key, fence FROM execution WHERE id = ?;

-- name: beat
-- A heartbeat deadline, which never moves back.
INSERT INTO beat (execution, pending, due) VALUES (?, ?, ?)
ON CONFLICT (execution, pending) DO UPDATE SET due = max(due, excluded.due);

-- name: delete_segments
-- The log of a deleted execution.
DELETE FROM segment WHERE execution = ?;

-- name: delete_blobs
-- The large values of a deleted execution.
DELETE FROM blob WHERE execution = ?;

-- name: delete_inbox
-- The messages of a deleted execution.
DELETE FROM inbox WHERE execution = ?;

-- name: delete_beats
-- The heartbeat deadlines of a deleted execution.
DELETE FROM beat WHERE execution = ?;

-- name: delete_execution
-- The row of a deleted execution.
DELETE FROM execution WHERE key = ?;

-- name: document
-- One document.
SELECT collection, id, body, revision, number FROM document WHERE collection = ? AND id = ?;

-- name: documents
-- The documents of a collection, the first created first.
SELECT collection, id, body, revision, number FROM document WHERE collection = ? AND number > ?
ORDER BY number LIMIT ?;

-- name: create_document
-- A new document.
INSERT INTO document (collection, id, body, revision) VALUES (?, ?, ?, 1);

-- name: change_document
-- Another body for a document.
UPDATE document SET body = ?, revision = ? WHERE number = ?;

-- name: delete_document
-- A document is forgotten.
DELETE FROM document WHERE collection = ? AND id = ?;

-- name: make_ready
-- An execution that was handed over has work open.
UPDATE execution SET ready = 1
WHERE key = ? AND EXISTS (SELECT 1 FROM want WHERE want.execution = execution.key);

-- name: delete_wants
-- What an execution waited for.
DELETE FROM want WHERE execution = ?;

-- name: put_attribute
-- What an execution is found by.
INSERT INTO search_attribute (execution, attribute, value) VALUES (?, ?, ?) ON CONFLICT DO NOTHING;

-- name: delete_attributes
-- What a deleted execution was found by.
DELETE FROM search_attribute WHERE execution = ?;

-- name: delete_offers
-- Tasks of a deleted execution that anybody might have taken.
DELETE FROM offer WHERE execution = ?;

-- name: offer
-- A task that anybody may take.
INSERT INTO offer (execution, pending, resource) VALUES (?, ?, ?) ON CONFLICT DO NOTHING;

-- name: withdraw
-- A task that nobody waits for any more.
DELETE FROM offer WHERE execution = ? AND pending = ?;

-- name: enrol
-- What an owner says of itself.
UPDATE owner SET info = ? WHERE name = ?;

-- name: workers
-- The owners that live and have said something of themselves.
SELECT name, lease_until, info FROM owner WHERE info IS NOT NULL AND lease_until > ? ORDER BY name;

-- name: hand_over
-- An execution is given back to somebody who does more, unless it has been claimed again.
UPDATE execution SET owner = NULL, claims = 0, ready = 0 WHERE id = ? AND fence = ? AND ended_at IS NULL;

-- name: want
-- What it waits for.
INSERT INTO want (execution, resource, since) VALUES (?, ?, ?) ON CONFLICT DO NOTHING;

-- name: wanted
-- What executions wait for, and since when.
SELECT resource, count(*), min(since) FROM want GROUP BY resource ORDER BY resource;

-- name: first_offer
-- The first task that was offered of a resource and that nobody alive holds.
SELECT offer.number, execution.id, offer.pending
FROM offer CROSS JOIN execution ON execution.key = offer.execution
WHERE offer.resource = ?
    AND NOT EXISTS (SELECT 1 FROM owner WHERE owner.name = offer.holder AND lease_until > ?)
ORDER BY offer.number LIMIT 1;

-- name: take
-- Nobody else may take it.
UPDATE offer SET holder = ? WHERE number = ?;

-- name: hand_out
-- A task that somebody does from now on: it is offered no longer.
DELETE FROM offer WHERE execution = (SELECT key FROM execution WHERE id = ?) AND pending = ?;

-- name: put_back
-- A task that its holder has not handed out.
UPDATE offer SET holder = NULL
WHERE execution = (SELECT key FROM execution WHERE id = ?) AND pending = ? AND holder = ?;

-- name: free_dead_slots
-- Slots of owners that live no longer.
DELETE FROM slot WHERE resource = ?
    AND NOT EXISTS (SELECT 1 FROM owner WHERE owner.name = slot.owner AND lease_until > ?);

-- name: slots
-- The numbers of a resource that somebody has.
SELECT number FROM slot WHERE resource = ?;

-- name: take_slot
-- A number that nobody has.
INSERT INTO slot (resource, number, owner) VALUES (?, ?, ?);

-- name: free_slot
-- A slot that is needed no longer.
DELETE FROM slot WHERE resource = ? AND number = ? AND owner = ?;

-- name: held
-- The executions that an owner holds, with its claims.
SELECT id, fence, claims FROM execution WHERE owner = ?;

-- name: held_offers
-- The tasks that an owner has taken and not handed out.
SELECT execution.id, offer.pending
FROM offer CROSS JOIN execution ON execution.key = offer.execution
WHERE offer.holder = ? ORDER BY offer.number;

-- name: held_slots
-- The slots that an owner has.
SELECT resource, number FROM slot WHERE owner = ? ORDER BY resource, number;

-- name: forget_reservations
-- Keys that stand for nothing any more; a few at a time.
DELETE FROM reservation WHERE key IN (SELECT key FROM reservation WHERE until <= ? ORDER BY until LIMIT ?);

-- name: reserve
-- A key that stands for nothing yet, or for what another owner has left undone.
INSERT INTO reservation (key, request, answer, until, holder) VALUES (?, ?, x'', ?, ?)
ON CONFLICT (key) DO UPDATE
SET request = excluded.request, answer = excluded.answer, until = excluded.until, holder = excluded.holder
WHERE reservation.until <= ? OR reservation.holder = ?;

-- name: reservation
-- What a key stands for.
SELECT request, holder, answer FROM reservation WHERE key = ?;

-- name: settle
-- The answer to the request of a key.
UPDATE reservation SET answer = ?, holder = NULL WHERE key = ? AND holder = ?;

-- name: unreserve
-- A key whose request came to nothing.
DELETE FROM reservation WHERE key = ? AND holder = ?;

-- name: newest_pruned
-- The newest execution of a machine beyond those that are kept.
SELECT ended_at, key FROM execution WHERE machine = ? AND ended_at IS NOT NULL
ORDER BY ended_at DESC, key DESC LIMIT 1 OFFSET ?;

-- name: pruned
-- Finished executions of a machine up to one, the oldest first.
SELECT key FROM execution
WHERE machine = ? AND ended_at IS NOT NULL AND (ended_at, key) <= (?, ?)
    AND NOT EXISTS (
        SELECT 1 FROM execution AS parent
        WHERE parent.id = substr(execution.parent, 1, instr(execution.parent, '#') - 1)
            AND parent.ended_at IS NULL
    )
ORDER BY ended_at, key LIMIT ?;

-- name: tally
-- How many executions there are of each status.
SELECT status, count(*) FROM execution GROUP BY status;

-- name: size
-- The bytes of the file.
SELECT page_count * page_size FROM pragma_page_count, pragma_page_size;

-- name: machine_names
-- Every name under which something was published.
SELECT DISTINCT name FROM machine ORDER BY name;
