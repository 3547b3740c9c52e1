-- name: make_bare_states
CREATE TABLE IF NOT EXISTS {states} (key text NOT NULL, state json NOT NULL, uses text[] NOT NULL)

-- name: make_bare_listings
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
ALTER TABLE {states} ADD PRIMARY KEY (key)

-- name: key_listings
ALTER TABLE {listings} ADD PRIMARY KEY (sku, facet)

-- name: listed_twice
-- What keeps the key of the listings from being made: of each facet the groups that list it, the earliest first.
SELECT sku, facet, array_agg(key ORDER BY position, key) FROM {listings}
GROUP BY sku, facet HAVING count(*) > 1 ORDER BY min(position), sku, facet

-- name: forget_states
DELETE FROM {states} WHERE key = ANY(%b::text[])

-- name: forget_listings
DELETE FROM {listings} WHERE key = ANY(%b::text[])

-- name: analyze_states
ANALYZE {states}

-- name: analyze_listings
ANALYZE {listings}

-- name: drop_tables
DROP TABLE IF EXISTS {states}, {listings}

-- name: copy_states
COPY {states} (key, state, uses) FROM STDIN (FORMAT BINARY)

-- name: copy_listings
COPY {listings} (sku, facet, key, payload, held, hash, position) FROM STDIN (FORMAT BINARY)

-- name: tune
-- Without waiting for the disk: a range and its mark are of one transaction, so both are lost or neither.
SELECT set_config('synchronous_commit', 'off', false), set_config('jit', 'off', false),
       set_config('work_mem', '64MB', false), set_config('maintenance_work_mem', '256MB', false)

-- name: cut
-- Keys that cut the log into ranges of about the same number of events, from a sample of its pages.
SELECT percentile_disc(%(parts)s::float8[]) WITHIN GROUP (ORDER BY key)
FROM events TABLESAMPLE SYSTEM ({percent}) REPEATABLE (0) WHERE key <> '@reference' AND position <= %(upto)s

-- name: put_ranges
INSERT INTO rebuild_ranges (projection, generation, number, from_key, to_key)
SELECT %s, %s, r.number, r.from_key, r.to_key
FROM unnest(%s::int[], %s::text[], %s::text[]) AS r(number, from_key, to_key)

-- name: take_range
-- The row's lock is the claim: it is free again when its owner dies.
SELECT number, from_key, to_key FROM rebuild_ranges
WHERE projection = %s AND generation = %s AND done_at IS NULL ORDER BY number LIMIT 1 FOR UPDATE SKIP LOCKED

-- name: await_range
-- Somebody works on what is left: what a killed rebuild's last worker is still at is waited for.
SELECT number, from_key, to_key FROM rebuild_ranges
WHERE projection = %s AND generation = %s AND done_at IS NULL ORDER BY number LIMIT 1 FOR UPDATE

-- name: of_range
SELECT position, event_id::text, stream, version, type, sku, key, recorded_at, actor, reason, source,
       correlation_id, causation_id, command_id, data::text
FROM events
WHERE key >= %(from_key)s AND (%(to_key)s::text IS NULL OR key < %(to_key)s) AND key <> '@reference'
  AND position <= %(upto)s
ORDER BY key, position

-- name: range_done
UPDATE rebuild_ranges SET done_at = clock_timestamp(), events = %s, groups = %s
WHERE projection = %s AND generation = %s AND number = %s AND done_at IS NULL
  AND EXISTS (SELECT 1 FROM leases WHERE name = %s AND token = %s)

-- name: progress
SELECT count(*), count(done_at), coalesce(sum(events), 0), coalesce(sum(groups), 0)
FROM rebuild_ranges WHERE projection = %s AND generation = %s

-- name: reference_count
SELECT count(*) FROM events WHERE key = '@reference' AND position <= %s

-- name: discarded
SELECT (data->>'position')::bigint FROM events
WHERE stream = %s AND type LIKE 'projection.event\_discarded.%%' AND position <= %s

-- name: unfinished
SELECT generation, fill_to, code, origin, state, position,
       (SELECT count(*) FROM rebuild_ranges r WHERE r.projection = g.projection AND r.generation = g.generation)
FROM generations g WHERE projection = %s AND state IN ('building', 'ready') ORDER BY generation

-- name: next_number
SELECT max(generation) + 1 FROM generations WHERE projection = %s

-- name: begin_generation
INSERT INTO generations (projection, generation, code_version, state, fill_to, code, origin)
VALUES (%s, %s, %s, 'building', %s, %s, %s)

-- name: filled
UPDATE generations SET position = fill_to, moved_at = clock_timestamp(), state = %s
WHERE projection = %s AND generation = %s AND state = 'building'
  AND EXISTS (SELECT 1 FROM leases WHERE name = %s AND token = %s)

-- name: drop_ranges
DELETE FROM rebuild_ranges WHERE projection = %s AND generation = %s

-- name: drop_parked
DELETE FROM parked WHERE projection = %s AND generation = %s

-- name: drop_generation
DELETE FROM generations WHERE projection = %s AND generation = %s AND state <> 'live'

-- name: generations
SELECT g.generation, g.state, g.code_version, g.position, g.created_at, g.kept_at, g.origin, g.code, g.plan::text,
       p.live = g.generation
FROM generations g JOIN projections p ON p.name = g.projection WHERE g.projection = %s ORDER BY g.generation

-- name: put_plan
UPDATE generations SET plan = %s::json, state = 'ready'
WHERE projection = %s AND generation = %s AND state IN ('building', 'ready')
  AND EXISTS (SELECT 1 FROM leases WHERE name = %s AND token = %s)

-- name: moving_groups
SELECT count(DISTINCT key) FROM events WHERE position > %s AND position <= %s AND key <> '@reference'

-- name: compare
-- Facets that differ, in order of SKU. Groups with events between the two checkpoints are left out: they move.
SELECT coalesce(n.sku, o.sku), coalesce(n.facet, o.facet), o.payload::text, n.payload::text, o.held, n.held,
       o.sku IS NOT NULL, n.sku IS NOT NULL
FROM {listings} n FULL JOIN {live} o ON o.sku = n.sku AND o.facet = n.facet
WHERE n.hash IS DISTINCT FROM o.hash
  AND coalesce(n.key, o.key) NOT IN (
      SELECT key FROM events WHERE position > %(low)s AND position <= %(high)s AND key <> '@reference')
ORDER BY 1, 2

-- name: calls
-- By SKU: what the switch would ask the channel to change. Only facets count of which something else is desired than
-- before; one that the channel shows already needs no call.
WITH facets AS (
    SELECT coalesce(l.sku, d.sku) AS sku, coalesce(l.facet, d.facet) AS facet,
           CASE WHEN l.payload IS NOT NULL THEN l.hash END AS hash, d.acknowledged, d.desired, d.state
    FROM {listings} l FULL JOIN (SELECT * FROM deliveries WHERE channel = %(channel)s) d
         ON d.sku = l.sku AND d.facet = l.facet
    WHERE coalesce(l.key, d.key) NOT IN (
        SELECT key FROM events WHERE position > %(low)s AND position <= %(high)s AND key <> '@reference')
), roots AS (
    SELECT sku, hash, acknowledged, desired FROM facets WHERE facet = %(root)s
), due AS (
    SELECT f.sku, f.facet,
           CASE WHEN f.facet = %(root)s AND f.hash IS NULL THEN 'remove'
                WHEN r.acknowledged IS NULL THEN 'create'
                WHEN r.hash IS NULL THEN 'remove'
                ELSE 'update ' || f.facet END AS operation
    FROM facets f LEFT JOIN roots r ON r.sku = f.sku
    WHERE f.hash IS DISTINCT FROM f.desired AND f.hash IS DISTINCT FROM f.acknowledged
)
SELECT operation, count(DISTINCT sku) FROM due GROUP BY operation ORDER BY operation

-- name: lock_projection
SELECT live FROM projections WHERE name = %s FOR NO KEY UPDATE

-- name: holds_lease
SELECT 1 FROM leases WHERE name = %s AND token = %s

-- name: state_of
SELECT state, origin, code, code_version FROM generations WHERE projection = %s AND generation = %s

-- name: newest
SELECT generation FROM generations WHERE projection = %s AND state = %s
ORDER BY kept_at DESC NULLS LAST, generation DESC LIMIT 1

-- name: set_position
UPDATE generations SET position = %s, moved_at = clock_timestamp() WHERE projection = %s AND generation = %s

-- name: receipts_between
SELECT position, event_id::text, stream, version, type, sku, key, recorded_at, actor, reason, source,
       correlation_id, causation_id, command_id, data::text
FROM events WHERE position > %s AND position <= %s AND type LIKE 'listing.%%' ORDER BY position

-- name: differences
CREATE TEMP TABLE differences ON COMMIT DROP AS
SELECT coalesce(l.sku, d.sku) AS sku, coalesce(l.facet, d.facet) AS facet, coalesce(l.key, d.key) AS key,
       CASE WHEN {by_group} THEN coalesce(l.key, d.key) ELSE coalesce(l.sku, d.sku) END AS lane,
       CASE WHEN l.payload IS NOT NULL THEN l.hash END AS hash
FROM {listings} l FULL JOIN (SELECT * FROM deliveries WHERE channel = {channel}) d
     ON d.sku = l.sku AND d.facet = l.facet
WHERE (CASE WHEN l.payload IS NOT NULL THEN l.hash END) IS DISTINCT FROM d.desired

-- name: lock_difference_lanes
INSERT INTO lanes AS l (channel, lane, next_try)
SELECT %(channel)s, n.lane, clock_timestamp()
FROM (SELECT lane FROM differences UNION SELECT unnest(%(receipts)s::text[])) AS n(lane) ORDER BY n.lane COLLATE "C"
ON CONFLICT (channel, lane) DO UPDATE
SET next_try = CASE
        WHEN NOT EXISTS (SELECT 1 FROM differences x WHERE x.lane = l.lane) THEN l.next_try
        WHEN l.attempts = 0 THEN excluded.next_try
        ELSE coalesce(l.next_try, excluded.next_try) END

-- name: want_differences
-- By the rules of the query `want`, all at once. Positions of what is desired only ever rise, as channels that guard
-- against late requests by them expect.
INSERT INTO deliveries AS d (channel, sku, facet, lane, key, rank, desired, desired_position, state)
SELECT %(channel)s, x.sku, x.facet, x.lane, x.key,
       coalesce(array_position(%(facets)s::text[], x.facet) - 1, cardinality(%(facets)s::text[])), x.hash, %(position)s,
       CASE WHEN x.hash IS NULL THEN 'confirmed' ELSE 'due' END
FROM differences x ORDER BY x.sku, x.facet
ON CONFLICT (channel, sku, facet) DO UPDATE
SET desired = excluded.desired, desired_position = greatest(excluded.desired_position, d.desired_position),
    lane = excluded.lane, key = excluded.key, rank = excluded.rank, reasons = NULL,
    state = CASE WHEN d.state = 'accepted' THEN 'accepted'
                 WHEN d.state = 'due' AND d.attempts > 0 THEN 'due'
                 WHEN d.state = 'rejected' AND d.rank = 0 AND excluded.desired IS NULL AND EXISTS (
                     SELECT 1 FROM remote_ids i WHERE i.channel = d.channel AND i.sku = d.sku) THEN 'due'
                 WHEN excluded.desired IS NOT DISTINCT FROM d.acknowledged THEN 'confirmed'
                 ELSE 'due' END

-- name: reconsider_differences
UPDATE deliveries SET state = 'due', reasons = NULL
WHERE channel = %s AND sku IN (SELECT sku FROM differences) AND rank = 0 AND state = 'rejected'
  AND desired IS NOT NULL AND acknowledged IS NULL

-- name: become_live
UPDATE generations
SET state = 'live', kept_at = NULL, plan = NULL, level_at = coalesce(level_at, clock_timestamp())
WHERE projection = %s AND generation = %s

-- name: become_kept
UPDATE generations SET state = 'kept', kept_at = clock_timestamp() WHERE projection = %s AND generation = %s

-- name: set_live
UPDATE projections SET live = %s WHERE name = %s AND live = %s

-- name: waiting
-- What the rebuild's connections are at, longest first.
SELECT pid, state, wait_event_type, wait_event, pg_blocking_pids(pid), left(query, 120),
       extract(epoch FROM clock_timestamp() - coalesce(query_start, backend_start))::float8
FROM pg_stat_activity WHERE application_name = %s AND datname = current_database() AND pid <> pg_backend_pid()
ORDER BY query_start

-- name: parked_count
SELECT count(*) FROM parked WHERE projection = %s AND generation = %s

-- name: runs
SELECT count(*) FROM leases WHERE name = %s AND held_until > clock_timestamp()

-- name: has_key
SELECT 1 FROM pg_index WHERE indrelid = %s::regclass AND indisprimary

-- name: alive_workers
SELECT count(*) FROM delivery_workers WHERE channel = %s AND alive_until >= clock_timestamp()

-- name: forget_projection
WITH a AS (DELETE FROM deliveries WHERE channel = %(name)s), b AS (DELETE FROM lanes WHERE channel = %(name)s),
     c AS (DELETE FROM remote_ids WHERE channel = %(name)s), d AS (DELETE FROM breakers WHERE channel = %(name)s),
     e AS (DELETE FROM delivery_workers WHERE channel = %(name)s),
     f AS (DELETE FROM start_failures WHERE channel = %(name)s),
     g AS (DELETE FROM parked WHERE projection = %(name)s), h AS (DELETE FROM rebuild_ranges WHERE projection = %(name)s),
     i AS (DELETE FROM generations WHERE projection = %(name)s)
DELETE FROM projections WHERE name = %(name)s
