-- name: touch_lanes
-- Gives lanes with news a time to be worked.
INSERT INTO lanes AS l (channel, lane, next_try)
-- What must not be sold any more goes before everything that waits.
SELECT %s, t.lane, clock_timestamp() - CASE WHEN t.lane = ANY(%b::text[]) THEN interval '1 day' ELSE interval '0' END
FROM unnest(%b::text[]) AS t(lane)
ON CONFLICT (channel, lane) DO UPDATE
SET touched = l.touched OR l.lane = ANY(%b::text[]),
    next_try = CASE
        -- Only a receipt came round: the worker that wrote it has set the time already.
        WHEN l.lane <> ALL(%b::text[]) THEN l.next_try
        -- A lane in which nothing failed only asks after a submission, less and less often: news are a reason to go now.
        WHEN l.attempts = 0 OR l.last_error IS NULL THEN excluded.next_try
        ELSE coalesce(l.next_try, excluded.next_try) END

-- name: want
-- Sets what a facet should show, and whether that differs from what was acknowledged.
INSERT INTO deliveries AS d (channel, sku, facet, lane, key, rank, desired, desired_position, state)
SELECT %s, w.sku, w.facet, w.lane, w.key, w.rank, w.hash, w.position,
       CASE WHEN w.hash IS NULL THEN 'confirmed' ELSE 'due' END
FROM unnest(%b::text[], %b::text[], %b::text[], %b::text[], %b::smallint[], %b::bytea[], %b::bigint[])
     AS w(sku, facet, lane, key, rank, hash, position)
WHERE w.hash IS NOT NULL
   OR EXISTS (SELECT 1 FROM deliveries x WHERE x.channel = %s AND x.sku = w.sku AND x.facet = w.facet)
ON CONFLICT (channel, sku, facet) DO UPDATE
SET desired = excluded.desired, desired_position = excluded.desired_position, lane = excluded.lane, key = excluded.key,
    rank = excluded.rank, reasons = NULL,
    state = CASE WHEN d.state = 'accepted' THEN 'accepted'
                 -- What became of the last try is not known: the channel may show something else by now.
                 WHEN d.state = 'due' AND (d.attempts > 0 OR d.again) THEN 'due'
                 -- Accepted first and refused later: it has an id there, and only taking it off makes sure.
                 WHEN d.state = 'rejected' AND d.rank = 0 AND excluded.desired IS NULL AND EXISTS (
                     SELECT 1 FROM remote_ids i WHERE i.channel = d.channel AND i.sku = d.sku) THEN 'due'
                 WHEN excluded.desired IS NOT DISTINCT FROM d.acknowledged THEN 'confirmed'
                 ELSE 'due' END

-- name: reconsider
-- A listing that was refused whole may be taken with another price: any change of the SKU is a reason to offer it again.
UPDATE deliveries SET state = 'due', reasons = NULL
WHERE channel = %s AND sku = ANY(%b) AND rank = 0 AND state = 'rejected' AND desired IS NOT NULL AND acknowledged IS NULL

-- name: settle
-- Applies receipts, the newest of each facet; an older one changes nothing.
INSERT INTO deliveries AS d (channel, sku, facet, lane, key, rank, acknowledged, receipt_position, state, submitted,
                             submission, reasons, submitted_at, confirmed_at)
SELECT %s, r.sku, r.facet, r.lane, r.key, r.rank, CASE r.kind WHEN 'confirmed' THEN r.hash END, r.position, r.kind, r.hash,
       r.submission, r.reasons::json, 
       -- The log's times never fall: after the clock was set back they are ahead of it for a while.
       CASE r.kind WHEN 'accepted' THEN least(r.at, clock_timestamp()) END,
       CASE r.kind WHEN 'confirmed' THEN least(r.at, clock_timestamp()) END
FROM unnest(%b::text[], %b::text[], %b::text[], %b::text[], %b::smallint[], %b::text[], %b::bytea[], %b::bigint[],
            %b::text[], %b::text[], %b::timestamptz[])
     AS r(sku, facet, lane, key, rank, kind, hash, position, submission, reasons, at)
ON CONFLICT (channel, sku, facet) DO UPDATE
SET receipt_position = excluded.receipt_position,
    attempts = 0,
    again = false,
    acknowledged = CASE excluded.state WHEN 'confirmed' THEN excluded.submitted ELSE d.acknowledged END,
    submitted = excluded.submitted,
    submission = excluded.submission,
    submitted_at = excluded.submitted_at,
    confirmed_at = coalesce(excluded.confirmed_at, d.confirmed_at),
    reasons = CASE WHEN d.desired IS NOT DISTINCT FROM excluded.submitted THEN excluded.reasons END,
    state = CASE WHEN excluded.state = 'accepted' THEN 'accepted'
                 WHEN d.desired IS NOT DISTINCT FROM excluded.submitted THEN excluded.state
                 WHEN excluded.state = 'rejected' AND d.desired IS NOT DISTINCT FROM d.acknowledged THEN 'confirmed'
                 ELSE 'due' END
WHERE d.receipt_position < excluded.receipt_position

-- name: settle_unwanted
-- What is not wanted any more and was acknowledged is to be taken off.
UPDATE deliveries SET state = 'due'
WHERE channel = %s AND sku = ANY(%b) AND desired IS NULL AND acknowledged IS NOT NULL AND state = 'confirmed'

-- name: forget_gone
-- Forgets what is neither wanted nor there.
DELETE FROM deliveries
WHERE channel = %s AND sku = ANY(%b) AND desired IS NULL AND acknowledged IS NULL AND state = 'confirmed'
  -- A stopped worker may yet bring it back: it is taken off once more when that one has ended.
  AND NOT EXISTS (SELECT 1 FROM doubts x WHERE x.channel = deliveries.channel AND x.lane = deliveries.lane)

-- name: learn_ids
-- Keeps the channel's ids.
INSERT INTO remote_ids (channel, sku, key, remote_id)
SELECT %s, r.sku, r.key, r.remote_id FROM unnest(%b::text[], %b::text[], %b::text[]) AS r(sku, key, remote_id)
ON CONFLICT (channel, sku) DO UPDATE SET key = excluded.key, remote_id = excluded.remote_id

-- name: learn_ids_and_renew
-- The same, and when the root of a group has another id than before, its variants went with the old one: they are due.
WITH learned AS (
    INSERT INTO remote_ids AS i (channel, sku, key, remote_id)
    SELECT %s, r.sku, r.key, r.remote_id FROM unnest(%b::text[], %b::text[], %b::text[]) AS r(sku, key, remote_id)
    ON CONFLICT (channel, sku) DO UPDATE SET key = excluded.key, remote_id = excluded.remote_id
    RETURNING NEW.channel, NEW.sku, NEW.key, NEW.remote_id, OLD.remote_id AS was
), renewed AS (
    SELECT channel, key FROM learned WHERE sku = key AND was <> remote_id
), forgotten AS (
    DELETE FROM remote_ids i USING renewed n WHERE i.channel = n.channel AND i.key = n.key AND i.sku <> n.key
)
UPDATE deliveries d SET state = 'due', acknowledged = NULL FROM renewed n
WHERE d.channel = n.channel AND d.key = n.key AND d.sku <> n.key AND d.state = 'confirmed' AND d.desired IS NOT NULL

-- name: forget_ids
-- Forgets the ids of what was taken off.
DELETE FROM remote_ids WHERE channel = %s AND sku = ANY(%b)

-- name: calls
-- By SKU: what the switch would ask the channel to change. Only facets count of which something else is desired than
-- before; one that the channel shows already needs no call.
WITH facets AS (
    SELECT coalesce(l.sku, d.sku) AS sku, coalesce(l.facet, d.facet) AS facet,
           CASE WHEN l.payload IS NOT NULL THEN l.hash END AS hash, d.acknowledged, d.desired, d.state
    FROM {listings} l FULL JOIN (SELECT * FROM deliveries WHERE channel = %(channel)s) d
         ON d.sku = l.sku AND d.facet = l.facet
    WHERE coalesce(l.key, d.key) NOT IN (
        SELECT key FROM events WHERE position > %(low)s AND position <= %(high)s)
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

-- name: calls_of_work
-- By facet: how often a switch would have something done, done anew with other inputs, or undone.
SELECT CASE WHEN f.hash IS NULL THEN 'undo ' WHEN f.acknowledged IS NULL THEN 'do ' ELSE 'redo ' END || f.facet, count(*)
FROM (
    SELECT coalesce(l.facet, d.facet) AS facet, CASE WHEN l.payload IS NOT NULL THEN l.hash END AS hash,
           d.acknowledged, d.desired
    FROM {listings} l FULL JOIN (SELECT * FROM deliveries WHERE channel = %(channel)s) d
         ON d.sku = l.sku AND d.facet = l.facet
    WHERE coalesce(l.key, d.key) NOT IN (
        SELECT key FROM events WHERE position > %(low)s AND position <= %(high)s)
) f
WHERE f.hash IS DISTINCT FROM f.desired AND f.hash IS DISTINCT FROM f.acknowledged
GROUP BY 1 ORDER BY 1

-- name: differences
-- What a generation shows otherwise than what is desired, in a table of this transaction.
CREATE TEMP TABLE differences ON COMMIT DROP AS
SELECT coalesce(l.sku, d.sku) AS sku, coalesce(l.facet, d.facet) AS facet, coalesce(l.key, d.key) AS key,
       CASE WHEN {by_group} THEN coalesce(l.key, d.key) ELSE coalesce(l.sku, d.sku) END AS lane,
       CASE WHEN l.payload IS NOT NULL THEN l.hash END AS hash
FROM {listings} l FULL JOIN (SELECT * FROM deliveries WHERE channel = {channel}) d
     ON d.sku = l.sku AND d.facet = l.facet
WHERE (CASE WHEN l.payload IS NOT NULL THEN l.hash END) IS DISTINCT FROM d.desired

-- name: lock_difference_lanes
-- Locks the lanes of what differs and of receipts, and gives the former a time.
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
-- A listing that was refused whole is offered again with any change of its SKU.
UPDATE deliveries SET state = 'due', reasons = NULL
WHERE channel = %s AND sku IN (SELECT sku FROM differences) AND rank = 0 AND state = 'rejected'
  AND desired IS NOT NULL AND acknowledged IS NULL

-- name: forget_projection
-- Drops all rows of a projection but its journal.
WITH a AS (DELETE FROM deliveries WHERE channel = %(name)s), b AS (DELETE FROM lanes WHERE channel = %(name)s),
     c AS (DELETE FROM remote_ids WHERE channel = %(name)s), d AS (DELETE FROM breakers WHERE channel = %(name)s),
     e AS (DELETE FROM delivery_workers WHERE channel = %(name)s),
     j AS (DELETE FROM doubts WHERE channel = %(name)s),
     f AS (DELETE FROM start_failures WHERE channel = %(name)s),
     g AS (DELETE FROM parked WHERE projection = %(name)s), h AS (DELETE FROM rebuild_ranges WHERE projection = %(name)s),
     i AS (DELETE FROM generations WHERE projection = %(name)s)
DELETE FROM projections WHERE name = %(name)s

-- name: alive_workers
-- How many workers a channel has.
SELECT count(*) FROM delivery_workers WHERE channel = %(channel)s AND alive_until >= clock_timestamp()
