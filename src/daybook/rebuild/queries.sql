-- name: make_bare_states
-- A generation's states, without keys: they are made when it is filled.
CREATE TABLE IF NOT EXISTS {states} (key text NOT NULL, state json NOT NULL, uses text[] NOT NULL)

-- name: make_bare_listings
-- A generation's listings, without keys.
CREATE TABLE IF NOT EXISTS {listings} (
    sku      text NOT NULL,
    facet    text NOT NULL,
    key      text NOT NULL,
    payload  json,
    held     text[],
    hash     bytea NOT NULL,
    position bigint NOT NULL
)

-- name: key_states
-- Gives the states their key.
ALTER TABLE {states} ADD PRIMARY KEY (key)

-- name: key_listings
-- Gives the listings their key.
ALTER TABLE {listings} ADD PRIMARY KEY (sku, facet)

-- name: listed_twice
-- What keeps the key of the listings from being made: of each facet the groups that list it, the earliest first.
SELECT sku, facet, array_agg(key ORDER BY position, key) FROM {listings}
GROUP BY sku, facet HAVING count(*) > 1 ORDER BY min(position), sku, facet

-- name: forget_states
-- Takes the states of some groups away.
DELETE FROM {states} WHERE key = ANY(%b::text[])

-- name: forget_listings
-- Takes the listings of some groups away.
DELETE FROM {listings} WHERE key = ANY(%b::text[])

-- name: analyze_states
-- Tells Postgres what stands in the states.
ANALYZE {states}

-- name: analyze_listings
-- Tells Postgres what stands in the listings.
ANALYZE {listings}

-- name: drop_tables
-- Drops a generation's tables.
DROP TABLE IF EXISTS {states}, {listings}

-- name: copy_states
-- Takes states that a rebuild has made.
COPY {states} (key, state, uses) FROM STDIN (FORMAT BINARY)

-- name: copy_listings
-- Takes listings that a rebuild has made.
COPY {listings} (sku, facet, key, payload, held, hash, position) FROM STDIN (FORMAT BINARY)

-- name: tune
-- Without waiting for the disk: a range and its mark are of one transaction, so both are lost or neither.
SELECT set_config('synchronous_commit', 'off', false), set_config('jit', 'off', false),
       set_config('work_mem', '64MB', false), set_config('maintenance_work_mem', '256MB', false)

-- name: cut
-- Keys that cut the log into ranges of about the same number of events, from a sample of its pages.
SELECT percentile_disc(%(parts)s::float8[]) WITHIN GROUP (ORDER BY key)
FROM events TABLESAMPLE SYSTEM ({percent}) REPEATABLE (0) WHERE {wanted} AND position <= %(upto)s

-- name: put_ranges
-- The ranges of keys that a generation is filled by.
INSERT INTO rebuild_ranges (projection, generation, number, from_key, to_key)
SELECT %(projection)s, %(generation)s, r.number, r.from_key, r.to_key
FROM unnest(%(numbers)s::int[], %(starts)s::text[], %(ends)s::text[]) AS r(number, from_key, to_key)

-- name: take_range
-- The row's lock is the claim: it is free again when its owner dies.
SELECT number, from_key, to_key FROM rebuild_ranges
WHERE projection = %s AND generation = %s AND done_at IS NULL ORDER BY number LIMIT 1 FOR UPDATE SKIP LOCKED

-- name: await_range
-- Somebody works on what is left: what a killed rebuild's last worker is still at is waited for.
SELECT number, from_key, to_key FROM rebuild_ranges
WHERE projection = %s AND generation = %s AND done_at IS NULL ORDER BY number LIMIT 1 FOR UPDATE

-- name: of_range
-- The events of a range of keys that a projection folds, group by group.
SELECT position, event_id::text, stream, version, type, sku, key, recorded_at, actor, reason, source,
       correlation_id, causation_id, command_id, access, data::text
FROM events
WHERE key >= %(from_key)s AND (%(to_key)s::text IS NULL OR key < %(to_key)s) AND {wanted}
  AND position <= %(upto)s
ORDER BY key, position

-- name: range_done
-- Marks a range as filled, under the lease that the rebuild still has.
UPDATE rebuild_ranges SET done_at = clock_timestamp(), events = %(events)s, groups = %(groups)s
WHERE projection = %(projection)s AND generation = %(generation)s AND number = %(number)s AND done_at IS NULL
  AND EXISTS (SELECT 1 FROM leases WHERE name = %(lease)s AND token = %(token)s)

-- name: progress
-- How many ranges there are, how many are filled, and of how many events and groups.
SELECT count(*), count(done_at), coalesce(sum(events), 0), coalesce(sum(groups), 0)
FROM rebuild_ranges WHERE projection = %s AND generation = %s

-- name: not_of_products
-- How many events are about no product group: few, so this is the quick way to the number of the others.
SELECT count(*) FROM events WHERE key LIKE '@%%' AND position <= %s

-- name: folded_count
-- How many events a projection folds.
SELECT count(*) FROM events WHERE {wanted} AND position <= %s

-- name: discarded
-- Positions that a person had the projection leave out.
SELECT (data->>'position')::bigint FROM events
WHERE stream = %s AND type LIKE 'projection.event\_discarded.%%' AND position <= %s

-- name: unfinished
-- Rebuilds that were begun, with the ranges that they have.
SELECT generation, fill_to, code, origin, state, position,
       (SELECT count(*) FROM rebuild_ranges r WHERE r.projection = g.projection AND r.generation = g.generation)
FROM generations g WHERE projection = %s AND state IN ('building', 'ready') ORDER BY generation

-- name: next_number
-- The number of the next generation.
SELECT max(generation) + 1 FROM generations WHERE projection = %s

-- name: begin_generation
-- A generation that is to be filled up to a position.
INSERT INTO generations (projection, generation, code_version, state, fill_to, code, origin)
VALUES (%(projection)s, %(generation)s, %(version)s, 'building', %(upto)s, %(code)s, %(origin)s)

-- name: filled
-- Every range is filled: the generation stands where its filling ends.
UPDATE generations SET position = fill_to, moved_at = clock_timestamp(), state = %(state)s
WHERE projection = %(projection)s AND generation = %(generation)s AND state = 'building'
  AND EXISTS (SELECT 1 FROM leases WHERE name = %(lease)s AND token = %(token)s)

-- name: drop_ranges
-- Drops what a filled generation no longer needs.
DELETE FROM rebuild_ranges WHERE projection = %s AND generation = %s

-- name: drop_parked
-- Drops what was parked in a generation.
DELETE FROM parked WHERE projection = %s AND generation = %s

-- name: drop_generation
-- Drops a generation's row, never the live one's.
DELETE FROM generations WHERE projection = %s AND generation = %s AND state <> 'live'

-- name: generations
-- A projection's generations, with their plans.
SELECT g.generation, g.state, g.code_version, g.position, g.created_at, g.kept_at, g.origin, g.code, g.plan::text,
       p.live = g.generation
FROM generations g JOIN projections p ON p.name = g.projection WHERE g.projection = %s ORDER BY g.generation

-- name: put_plan
-- Keeps what a switch would change.
UPDATE generations SET plan = %(plan)s::json, state = 'ready'
WHERE projection = %(projection)s AND generation = %(generation)s AND state IN ('building', 'ready')
  AND EXISTS (SELECT 1 FROM leases WHERE name = %(lease)s AND token = %(token)s)

-- name: moving_groups
-- How many groups have events between the two checkpoints.
SELECT count(DISTINCT key) FROM events WHERE position > %s AND position <= %s AND {wanted}

-- name: compare
-- Facets that differ, in order of SKU. Groups with events between the two checkpoints are left out: they move.
SELECT coalesce(n.sku, o.sku), coalesce(n.facet, o.facet), o.payload::text, n.payload::text, o.held, n.held,
       o.sku IS NOT NULL, n.sku IS NOT NULL
FROM {listings} n FULL JOIN {live} o ON o.sku = n.sku AND o.facet = n.facet
WHERE n.hash IS DISTINCT FROM o.hash
  AND coalesce(n.key, o.key) NOT IN (
      SELECT key FROM events WHERE position > %(low)s AND position <= %(high)s)
ORDER BY 1, 2

-- name: lock_projection
-- The live generation, held still.
SELECT live FROM projections WHERE name = %s FOR NO KEY UPDATE

-- name: holds_lease
-- Whether the rebuild still has its lease.
SELECT 1 FROM leases WHERE name = %s AND token = %s

-- name: state_of
-- What a generation is, and which code made it.
SELECT state, origin, code, code_version FROM generations WHERE projection = %s AND generation = %s

-- name: newest
-- The newest generation of a state.
SELECT generation FROM generations WHERE projection = %s AND state = %s
ORDER BY kept_at DESC NULLS LAST, generation DESC LIMIT 1

-- name: set_position
-- Moves a generation's checkpoint.
UPDATE generations SET position = %(position)s, moved_at = clock_timestamp() WHERE projection = %(projection)s AND generation = %(generation)s

-- name: receipts_between
-- What channels answered between two positions.
SELECT position, event_id::text, stream, version, type, sku, key, recorded_at, actor, reason, source,
       correlation_id, causation_id, command_id, access, data::text
FROM events WHERE position > %s AND position <= %s AND type LIKE 'listing.%%' ORDER BY position

-- name: become_live
-- Makes a generation the live one.
UPDATE generations
SET state = 'live', kept_at = NULL, plan = NULL, level_at = coalesce(level_at, clock_timestamp())
WHERE projection = %s AND generation = %s

-- name: become_kept
-- Makes a generation one that is kept.
UPDATE generations SET state = 'kept', kept_at = clock_timestamp() WHERE projection = %s AND generation = %s

-- name: set_live
-- Names the live generation, when it is still the one that was read.
UPDATE projections SET live = %(to)s WHERE name = %(projection)s AND live = %(was)s

-- name: waiting
-- What the rebuild's connections are at, longest first.
SELECT pid, state, wait_event_type, wait_event, pg_blocking_pids(pid), left(query, 120),
       extract(epoch FROM clock_timestamp() - coalesce(query_start, backend_start))::float8
FROM pg_stat_activity WHERE application_name = %s AND datname = current_database() AND pid <> pg_backend_pid()
ORDER BY query_start

-- name: parked_count
-- How many groups are parked in a generation.
SELECT count(*) FROM parked WHERE projection = %s AND generation = %s

-- name: runs
-- Whether somebody holds a lease. One that runs longer than any does was given before the clock was set back.
SELECT count(*) FROM leases
WHERE name = %s AND held_until BETWEEN clock_timestamp() AND clock_timestamp() + interval '1 minute'

-- name: has_key
-- Whether a table has its key yet.
SELECT 1 FROM pg_index WHERE indrelid = %s::regclass AND indisprimary
