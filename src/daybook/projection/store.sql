-- name: states
-- The states of some groups.
SELECT key, state::text FROM {states} WHERE key = ANY(%b)

-- name: states_using
-- The next groups, by key, that use one of some definitions and are not parked.
SELECT key, state::text FROM {states} s
WHERE key > %(after)s AND uses && %(codes)b::text[]
  AND NOT EXISTS (SELECT 1 FROM parked p WHERE p.projection = %(projection)s AND p.generation = %(generation)s AND p.key = s.key)
ORDER BY key LIMIT %(limit)s

-- name: parked_keys
-- The groups that stand aside.
SELECT key FROM parked WHERE projection = %s AND generation = %s

-- name: signatures
-- What is listed of some groups, as hashes.
SELECT key, sku, facet, hash FROM {listings} WHERE key = ANY(%b)

-- name: owners
-- Which of these facets another group lists. Each is looked up by itself, so that a table without statistics is not read whole.
SELECT n.sku, n.facet, l.key FROM unnest(%b::text[], %b::text[], %b::text[]) AS n(sku, facet, key)
CROSS JOIN LATERAL (
    SELECT s.key FROM {listings} s WHERE s.sku = n.sku AND s.facet = n.facet AND s.key <> n.key LIMIT 1
) AS l

-- name: rest_of_command
-- What follows a position within its own command.
SELECT position, event_id::text, stream, version, type, sku, key, recorded_at, actor, reason, source,
       correlation_id, causation_id, command_id, access, data::text
FROM events WHERE command_id = %s AND position > %s ORDER BY position

-- name: move_checkpoint
-- Moves the checkpoint from where it was thought to be, under the lease; fails when either is another's.
WITH moved AS (
UPDATE generations
SET position = %(to)s, reference_from = %(reference_from)s, reference_codes = %(reference_codes)s,
    moved_at = clock_timestamp(), failure = NULL,
    level_at = CASE WHEN level_at IS NULL AND %(to)s >= (SELECT least(level_from, h.position) FROM head h)
                    THEN clock_timestamp()
                    ELSE level_at END
WHERE projection = %(projection)s AND generation = %(generation)s AND position = %(from)s AND epoch = %(epoch)s
  AND reference_from IS NOT DISTINCT FROM %(reference_was)s
  AND (%(lease)s::text IS NULL OR EXISTS (SELECT 1 FROM leases WHERE name = %(lease)s AND token = %(token)s))
RETURNING position
)
SELECT must_have_moved(count(*)) FROM moved

-- name: beat
-- Says that the runner lives and has nothing to do.
UPDATE generations
SET moved_at = clock_timestamp(),
    level_at = CASE WHEN level_at IS NULL AND generations.position >= (SELECT least(level_from, h.position) FROM head h)
                    THEN clock_timestamp()
                    ELSE level_at END
WHERE projection = %s AND generation = %s

-- name: beat_all
-- The same for many live generations.
UPDATE generations g
SET moved_at = clock_timestamp(),
    level_at = CASE WHEN g.level_at IS NULL AND g.position >= (SELECT least(g.level_from, h.position) FROM head h)
                    THEN clock_timestamp()
                    ELSE g.level_at END
FROM unnest(%s::text[], %s::int[]) AS n(projection, generation)
WHERE g.projection = n.projection AND g.generation = n.generation

-- name: note_failure
-- Keeps what went wrong where people look.
UPDATE generations SET failure = %(failure)s::json WHERE projection = %(projection)s AND generation = %(generation)s

-- name: put_states
-- Writes states, and which definitions they use where that is given.
INSERT INTO {states} (key, state, uses)
SELECT s.key, s.state::json,
       coalesce(string_to_array(s.uses, E'\n'), (SELECT b.uses FROM {states} b WHERE b.key = s.key), '{{}}')
FROM unnest(%b::text[], %b::text[], %b::text[]) AS s(key, state, uses)
ON CONFLICT (key) DO UPDATE SET state = excluded.state, uses = excluded.uses

-- name: put_uses
-- Writes which definitions some groups use now.
UPDATE {states} s SET uses = string_to_array(u.uses, E'\n') FROM unnest(%b::text[], %b::text[]) AS u(key, uses)
WHERE s.key = u.key AND s.uses IS DISTINCT FROM string_to_array(u.uses, E'\n')

-- name: put_listings
-- Writes rendered facets.
INSERT INTO {listings} (sku, facet, key, payload, held, hash, position)
SELECT l.sku, l.facet, l.key, l.payload::json, CASE WHEN l.held IS NULL THEN NULL ELSE string_to_array(l.held, E'\n') END,
       l.hash, l.position
FROM unnest(%b::text[], %b::text[], %b::text[], %b::text[], %b::text[], %b::bytea[], %b::bigint[])
     AS l(sku, facet, key, payload, held, hash, position)
ON CONFLICT (sku, facet) DO UPDATE
SET key = excluded.key, payload = excluded.payload, held = excluded.held, hash = excluded.hash,
    position = excluded.position

-- name: drop_listings
-- Removes facets that are not rendered any more.
DELETE FROM {listings} l USING unnest(%b::text[], %b::text[]) AS g(sku, facet)
WHERE l.sku = g.sku AND l.facet = g.facet

-- name: park
-- Puts groups aside, with the event that could not be folded.
INSERT INTO parked AS p (projection, generation, key, position, event_id, type, sku, error, place, events)
SELECT %s, %s, n.key, n.position, n.event_id, n.type, n.sku, n.error, n.place, n.events
FROM unnest(%s::text[], %s::bigint[], %s::uuid[], %s::text[], %s::text[], %s::text[], %s::text[], %s::bigint[])
     AS n(key, position, event_id, type, sku, error, place, events)
ON CONFLICT (projection, generation, key) DO NOTHING

-- name: pass_by
-- Counts the events that wait behind a parked group.
UPDATE parked p SET events = p.events + n.events FROM unnest(%b::text[], %b::bigint[]) AS n(key, events)
WHERE p.projection = %s AND p.generation = %s AND p.key = n.key

-- name: unpark
-- Brings groups back.
DELETE FROM parked WHERE projection = %(projection)s AND generation = %(generation)s AND key = ANY(%(keys)b)
