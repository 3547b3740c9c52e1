-- name: work
-- All rows of some lanes, with payloads, in the order in which a lane is worked.
SELECT d.lane, d.sku, d.facet, d.key, d.rank, d.state, d.attempts, d.acknowledged, l.payload::text, l.hash,
       d.desired_position, e.event_id::text, e.correlation_id, d.submission, d.submitted, b.body::text,
       extract(epoch FROM clock_timestamp() - d.submitted_at)::float8, d.receipt_position, a.body::text,
       EXISTS (SELECT 1 FROM doubts x WHERE x.channel = d.channel AND x.lane = d.lane AND x.pid IS NULL)
FROM deliveries d
LEFT JOIN {listings} l ON l.sku = d.sku AND l.facet = d.facet AND l.payload IS NOT NULL
LEFT JOIN events e ON e.position = d.desired_position
LEFT JOIN bodies b ON d.state = 'accepted' AND b.hash = d.submitted
LEFT JOIN bodies a ON d.facet = %(counting)s AND a.hash = d.acknowledged
WHERE d.channel = %(channel)s AND d.lane = ANY(%(lanes)b)
ORDER BY d.lane, d.sku <> d.key, d.sku, d.rank

-- name: ids_of_lanes
-- The channel's ids of all SKUs of the groups in some lanes.
SELECT key, sku, remote_id FROM remote_ids
WHERE channel = %(channel)s
  AND key IN (SELECT d.key FROM deliveries d WHERE d.channel = %(channel)s AND d.lane = ANY(%(lanes)b::text[]))

-- name: lock_lanes
-- Locks lanes in the order that everybody keeps to.
SELECT lane FROM lanes WHERE channel = %s AND lane = ANY(%b) ORDER BY lane COLLATE "C" FOR UPDATE

-- name: wake_lanes
-- Gives lanes a time, but leaves those that wait after a failure.
UPDATE lanes
SET touched = true,
    next_try = CASE WHEN attempts = 0 OR last_error IS NULL OR next_try IS NULL THEN clock_timestamp() ELSE next_try END
WHERE channel = %s AND lane = ANY(%b)
