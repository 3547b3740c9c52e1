-- name: take_attempts_back
-- What did not reach the channel was no attempt.
UPDATE deliveries d SET attempts = d.attempts - 1 FROM unnest(%b::text[], %b::text[]) AS u(sku, facet)
WHERE d.channel = %s AND d.sku = u.sku AND d.facet = u.facet AND d.state = 'due' AND d.attempts > 0

-- name: release_lanes
-- Lets go of lanes that are still this worker's, and says when each is due again.
UPDATE lanes l
SET owner = NULL, leased_until = NULL, attempts = r.attempts, last_error = r.error,
    next_try = CASE
        -- Nothing failed, and there is news that this worker has not seen.
        WHEN r.wait IS NOT NULL AND r.error IS NULL AND l.touched THEN clock_timestamp()
        WHEN r.wait IS NOT NULL THEN clock_timestamp() + r.wait * interval '1 second'
        WHEN EXISTS (SELECT 1 FROM deliveries d WHERE d.channel = l.channel AND d.lane = l.lane
                     AND d.state IN ('due', 'accepted')) THEN clock_timestamp() END
FROM unnest(%b::text[], %b::int[], %b::float8[], %b::text[]) AS r(lane, attempts, wait, error)
WHERE l.channel = %s AND l.lane = r.lane AND l.owner = %s

-- name: wake_groups
-- A root is there: what waited for it goes now.
WITH waiting AS (
    SELECT l.channel, l.lane FROM lanes l
    WHERE l.channel = %s AND l.leased_until IS NULL AND (l.next_try > clock_timestamp() OR l.next_try IS NULL)
      AND l.lane IN (
        SELECT d.lane FROM deliveries d WHERE d.channel = l.channel AND d.key = ANY(%b) AND d.state = 'due'
    )
    ORDER BY l.lane COLLATE "C" FOR UPDATE
)
UPDATE lanes l SET next_try = clock_timestamp(), attempts = 0
FROM waiting w WHERE l.channel = w.channel AND l.lane = w.lane

-- name: put_bodies
-- Keeps payloads by hash.
INSERT INTO bodies (hash, body) SELECT b.hash, b.body::json FROM unnest(%b::bytea[], %b::text[]) AS b(hash, body)
ORDER BY b.hash ON CONFLICT DO NOTHING

-- name: wait_for_the_disk
-- What this transaction writes survives a crash of Postgres.
SET LOCAL synchronous_commit = on

-- name: keep_bodies
-- Keeps payloads by hash for good. One that is there is written again: who put it may not have waited for the disk.
INSERT INTO bodies (hash, body) SELECT b.hash, b.body::json FROM unnest(%b::bytea[], %b::text[]) AS b(hash, body)
ORDER BY b.hash ON CONFLICT (hash) DO UPDATE SET body = excluded.body

-- name: put_attempts
-- Writes the journal.
INSERT INTO attempts (at, channel, sku, facet, position, payload, outcome, detail, method, url, request, status, answer,
                      milliseconds)
SELECT a.at, %s, a.sku, a.facet, a.position, a.payload, a.outcome, a.detail, a.method, a.url, a.request, a.status, a.answer, a.ms
FROM unnest(%b::timestamptz[], %b::text[], %b::text[], %b::bigint[], %b::bytea[], %b::text[], %b::text[], %b::text[],
            %b::text[], %b::bytea[], %b::int[], %b::text[], %b::real[])
     AS a(at, sku, facet, position, payload, outcome, detail, method, url, request, status, answer, ms)

-- name: doubt
-- Somebody else had these lanes meanwhile: what this worker sent may have come after what was newer.
INSERT INTO doubts (channel, lane, owner)
SELECT l.channel, l.lane, %(owner)s FROM lanes l
WHERE l.channel = %(channel)s AND l.lane = ANY(%(lanes)b::text[]) AND l.owner IS DISTINCT FROM %(owner)s
ON CONFLICT (channel, lane, owner) DO UPDATE SET pid = NULL

-- name: is_paused
-- Whether a channel is paused, by whomever.
SELECT paused FROM projections WHERE name = %s

-- name: stop
-- Pauses a channel that wants no more calls.
UPDATE projections SET paused = true, paused_because = %s WHERE name = %s
