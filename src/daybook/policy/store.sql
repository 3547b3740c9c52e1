-- name: begin
-- A policy that the book never ran: what came before is folded, then every group is decided once.
INSERT INTO policies (name, version, decides_from) SELECT %(name)s, %(version)s, position FROM head
ON CONFLICT (name) DO NOTHING

-- name: row
-- How far it is.
SELECT version, position, decides_from, retried, swept FROM policies WHERE name = %s

-- name: move
-- On from exactly where it was, or not at all.
UPDATE policies SET position = %(position)s, retried = %(retried)s, swept = %(swept)s, moved_at = clock_timestamp(),
    failing = NULL, failing_since = NULL
WHERE name = %(name)s AND version = %(version)s AND position = %(was)s AND retried = %(was_retried)s
    AND swept IS NOT DISTINCT FROM %(was_swept)s::text

-- name: start_over
-- Another version of its code: all is folded anew.
UPDATE policies SET version = %(version)s, position = 0, swept = NULL, moved_at = clock_timestamp(),
    decides_from = (SELECT position FROM head), failing = NULL, failing_since = NULL
WHERE name = %(name)s

-- name: drop_groups
-- What was kept of the groups.
DELETE FROM policy_groups WHERE policy = %s

-- name: drop_parked
-- Which groups stood aside.
DELETE FROM policy_parked WHERE policy = %s

-- name: fail
-- The policy as a whole can't go on.
UPDATE policies SET failing = %(reason)s, failing_since = coalesce(failing_since, clock_timestamp()) WHERE name = %(name)s

-- name: groups
-- What is kept of these groups.
SELECT key, kept::text FROM policy_groups WHERE policy = %s AND key = ANY(%s)

-- name: groups_behind
-- The next groups in order of key.
SELECT key, kept::text FROM policy_groups
WHERE policy = %(policy)s AND key > %(after)s
    AND NOT EXISTS (SELECT 1 FROM policy_parked p WHERE p.policy = policy_groups.policy AND p.key = policy_groups.key)
ORDER BY key LIMIT %(limit)s

-- name: keep
-- What is kept of a group now.
INSERT INTO policy_groups (policy, key, kept)
SELECT %(policy)s, one.key, one.kept::json FROM unnest(%(keys)s::text[], %(kept)s::text[]) AS one(key, kept)
ON CONFLICT (policy, key) DO UPDATE SET kept = excluded.kept

-- name: park
-- A group stands aside; since when, if it did before.
INSERT INTO policy_parked (policy, key, position, reason) VALUES (%(policy)s, %(key)s, %(position)s, %(reason)s)
ON CONFLICT (policy, key) DO UPDATE SET position = excluded.position, reason = excluded.reason

-- name: unpark
-- These groups take part again.
DELETE FROM policy_parked WHERE policy = %s AND key = ANY(%s)

-- name: parked_of
-- Which of these groups stand aside.
SELECT key FROM policy_parked WHERE policy = %s AND key = ANY(%s)

-- name: parked_page
-- The groups that stand aside, in order of key.
SELECT key, position, reason, since FROM policy_parked WHERE policy = %(policy)s AND key > %(after)s ORDER BY key LIMIT %(limit)s

-- name: statuses
-- How far all of them are, how many groups they keep aside, and whether somebody runs them.
SELECT p.name, p.version, p.position, p.decides_from, p.swept, p.moved_at, p.failing, p.failing_since,
       (SELECT count(*) FROM policy_parked k WHERE k.policy = p.name),
       (SELECT min(since) FROM policy_parked k WHERE k.policy = p.name),
       coalesce((SELECT held_until > clock_timestamp() FROM leases l WHERE l.name = '@policy/' || p.name), false),
       h.position, (SELECT e.recorded_at FROM events e WHERE e.position = p.position + 1)
FROM policies p CROSS JOIN head h ORDER BY p.name

-- name: events_of
-- Events of some groups and types up to a position, in order.
SELECT position, event_id::text, stream, version, type, sku, key, recorded_at, actor, reason, source,
       correlation_id, causation_id, command_id, access, data::text
FROM events WHERE key = ANY(%(keys)s) AND type = ANY(%(types)s) AND position <= %(upto)s ORDER BY position
