-- name: waiting_projections
-- Every live generation with what it has not read, who runs it, and what its channel says of itself.
SELECT p.name, p.paused, p.paused_because, h.position - g.position, g.position > h.position OR g.beyond IS NOT NULL,
       coalesce(g.beyond, h.position), g.position, g.failure::text, g.moved_at,
       (SELECT e.recorded_at FROM events e WHERE e.position = g.position + 1),
       EXISTS (SELECT 1 FROM leases l WHERE l.name = 'project:' || p.name AND l.held_until >= clock_timestamp()),
       (SELECT count(*) FROM delivery_workers w WHERE w.channel = p.name AND w.alive_until >= clock_timestamp()),
       coalesce(b.failures, 0), b.reason,
       CASE WHEN p.paused AND p.paused_because IS NULL THEN
           (SELECT e.actor FROM events e WHERE e.stream = 'projection/' || p.name AND e.type = 'channel.paused.v1'
            ORDER BY e.version DESC LIMIT 1) END, p.live
FROM projections p JOIN generations g ON g.projection = p.name AND g.generation = p.live
LEFT JOIN breakers b ON b.channel = p.name, head h ORDER BY p.name

-- name: waiting_deliveries
-- Facets that are not where they should be, by channel and way of waiting. What failed waits since the first try that
-- failed after the last that did not; a submission since it was accepted; all else since the change that is not shown,
-- or since the channel last took anything: a long queue that moves does not stand. Tries are looked up for the oldest
-- so many facets of a channel alone: in a long outage all of them have failed.
WITH open_facet AS (
    SELECT d.channel, d.sku, d.desired_position, d.submitted_at, l.last_error,
           CASE WHEN d.state = 'accepted' THEN 'submission'
                WHEN d.state = 'rejected' THEN 'rejected'
                WHEN root.state = 'rejected' AND root.acknowledged IS NULL THEN 'blocked'
                WHEN l.next_try IS NULL AND (l.leased_until IS NULL OR l.leased_until < clock_timestamp())
                    THEN 'lane_without_time'
                -- Longer than any rule waits: only a fault, or a clock that was set, puts a time so far away.
                WHEN l.leased_until > clock_timestamp() + %(stranded)s * interval '1 second'
                  OR abs(extract(epoch FROM l.next_try - clock_timestamp())) > %(stranded)s THEN 'stranded'
                WHEN l.last_error IS NOT NULL THEN 'failing'
                ELSE 'due' END AS kind
    FROM deliveries d LEFT JOIN lanes l ON l.channel = d.channel AND l.lane = d.lane
    LEFT JOIN deliveries root ON root.channel = d.channel AND root.sku = d.sku AND root.rank = 0 AND d.rank > 0
    WHERE d.state <> 'confirmed' AND (d.desired IS NOT NULL OR d.acknowledged IS NOT NULL)
), in_order AS (
    SELECT *, row_number() OVER (PARTITION BY channel, kind ORDER BY desired_position) AS nth FROM open_facet
), tried AS (
    SELECT o.*, failed.since, CASE WHEN failed.outcome = 'waiting' THEN 'not_there_yet' ELSE o.kind END AS way
    FROM in_order o LEFT JOIN LATERAL (
        SELECT min(a.at) AS since, (array_agg(a.outcome ORDER BY a.id DESC))[1] AS outcome
        FROM attempts a
        -- In here, and not where it is joined: else all of them are looked up, and thrown away.
        WHERE o.kind = 'failing' AND o.nth <= %(looked_up)s AND a.channel = o.channel AND a.sku = o.sku
          AND a.id > coalesce((
              SELECT max(s.id) FROM attempts s WHERE s.channel = o.channel AND s.sku = o.sku
                AND s.outcome IN ('confirmed', 'accepted', 'rejected')), 0)
    ) failed ON true
), counted AS (
    SELECT channel, way, count(*) AS facets, min(desired_position) AS position, min(since) AS failed_since,
           min(submitted_at) AS submitted_since, min(sku) AS any_sku,
           (array_agg(sku ORDER BY nth) FILTER (WHERE nth <= %(looked_up)s))[1] AS first_sku,
           (array_agg(last_error ORDER BY nth) FILTER (WHERE nth <= %(looked_up)s AND last_error IS NOT NULL))[1] AS error
    FROM tried GROUP BY channel, way
), took AS (
    SELECT channel, max(greatest(confirmed_at, submitted_at)) AS at FROM deliveries GROUP BY channel
)
SELECT c.channel, c.way, c.facets, coalesce(c.first_sku, c.any_sku), c.error,
       CASE c.way WHEN 'submission' THEN c.submitted_since
           WHEN 'due' THEN greatest(e.recorded_at, t.at)
           ELSE coalesce(c.failed_since, e.recorded_at) END
FROM counted c LEFT JOIN events e ON e.position = c.position LEFT JOIN took t ON t.channel = c.channel
ORDER BY c.channel, c.way

-- name: waiting_parked
-- Product groups that a projection's code could not fold or render.
SELECT k.projection, count(*), min(k.parked_at), (array_agg(k.key || ': ' || k.error ORDER BY k.parked_at))[1]
FROM parked k JOIN projections p ON p.name = k.projection AND p.live = k.generation GROUP BY k.projection

-- name: waiting_held
-- SKUs that can't be shown as they are, with the reason that is given most often.
SELECT count(DISTINCT l.sku), mode() WITHIN GROUP (ORDER BY l.held[1]),
       (SELECT e.recorded_at FROM events e WHERE e.position = min(l.position))
FROM {listings} l WHERE l.held IS NOT NULL

-- name: waiting_unaccounted
-- Facets of which the delivery was told something else than the live listing says. Both are written in one transaction,
-- so there is none unless something broke.
SELECT count(*), min(f.sku), (SELECT e.recorded_at FROM events e WHERE e.position = min(f.position))
FROM (
    SELECT coalesce(l.sku, d.sku) AS sku, coalesce(l.position, d.desired_position) AS position
    FROM {listings} l FULL JOIN (SELECT * FROM deliveries WHERE channel = %s) d ON d.sku = l.sku AND d.facet = l.facet
    WHERE CASE WHEN l.payload IS NOT NULL THEN l.hash END IS DISTINCT FROM d.desired
) f

-- name: waiting_doubts
-- Lanes that were taken from a worker that may still send.
SELECT channel, count(DISTINCT lane), min(since), count(pid) FROM doubts GROUP BY channel

-- name: waiting_starts
-- What could not be started, said a moment ago.
SELECT channel, role, error, since FROM start_failures
WHERE said_at > clock_timestamp() - make_interval(secs => %s) ORDER BY channel, role

-- name: waiting_rebuilds
-- Generations that are being filled or wait for a person, with the time of their last step.
SELECT g.projection, g.generation, g.state, greatest(g.moved_at, g.created_at, max(r.done_at)),
       count(r.number), count(r.done_at)
FROM generations g LEFT JOIN rebuild_ranges r ON r.projection = g.projection AND r.generation = g.generation
WHERE g.state IN ('building', 'ready')
GROUP BY g.projection, g.generation, g.state, g.moved_at, g.created_at ORDER BY 1, 2

-- name: waiting_erasures
-- Erasures that have not taken every step, the oldest first.
SELECT count(*), (array_agg(person::text ORDER BY begun_at))[1], min(begun_at)
FROM erasures WHERE finished_at IS NULL HAVING count(*) > 0

-- name: waiting_people
-- People's values of which nobody said what became of them.
SELECT count(*), min(sealed_at) FROM sealed_people WHERE NOT settled HAVING count(*) > 0

-- name: waiting_heard
-- Orders that channels told and nobody decided on.
SELECT channel, count(*), min(since) FROM heard_orders WHERE state = 'waiting' GROUP BY channel ORDER BY channel

-- name: waiting_refused
-- Orders that channels told and that can't be taken, with the oldest of each channel.
SELECT channel, count(*), (array_agg(channel || ':' || number ORDER BY since))[1],
       (array_agg(reason ORDER BY since))[1], min(since)
FROM heard_orders WHERE state = 'refused' GROUP BY channel ORDER BY channel

-- name: waiting_inbox
-- Since when nobody reads the inbox; and how many messages of it were refused, since when, and why the first one.
SELECT (SELECT noted_at FROM inbox_position
        WHERE stream IS NOT NULL AND noted_at < clock_timestamp() - interval '10 seconds'), count(*), min(refused_at),
       (array_agg(reason ORDER BY number))[1]
FROM inbox_refused

-- name: waiting_unshipped
-- Of the newest orders those with pieces that are to be sent, by channel: how many, how many of them in part, how many
-- sold what was not there, and the oldest of either.
SELECT split_part(substr(w.stream, 7), ':', 1), count(*), count(*) FILTER (WHERE w.shipped > 0), min(w.recorded_at),
       (array_agg(substr(w.stream, 7) ORDER BY w.position))[1],
       count(*) FILTER (WHERE w.oversold), min(w.recorded_at) FILTER (WHERE w.oversold),
       (array_agg(substr(w.stream, 7) ORDER BY w.position) FILTER (WHERE w.oversold))[1]
FROM (
    SELECT p.stream, p.position, p.recorded_at, m.shipped,
           p.data::jsonb @? '$.allocations[*] ? (@.oversold > 0)' AS oversold
    FROM (SELECT * FROM events WHERE type = 'order.placed.v1' ORDER BY position DESC LIMIT 10000) p
CROSS JOIN LATERAL (
    SELECT coalesce(sum(q.pieces) FILTER (WHERE e.type = 'order.shipped.v1'), 0) AS shipped,
           coalesce(sum(q.pieces) FILTER (WHERE e.type = 'order.cancelled.v1'), 0) AS cancelled
    FROM events e CROSS JOIN LATERAL (
        SELECT sum((one ->> 'quantity')::bigint) AS pieces FROM jsonb_array_elements(e.data::jsonb -> 'lines') one) q
    WHERE e.key = p.key AND e.type IN ('order.shipped.v1', 'order.cancelled.v1')
) m CROSS JOIN LATERAL (
    SELECT sum((one ->> 'quantity')::bigint) AS pieces FROM jsonb_array_elements(p.data::jsonb -> 'lines') one
) ordered
    WHERE ordered.pieces > m.shipped + m.cancelled
) w GROUP BY 1 ORDER BY 1

-- name: waiting_unasked
-- Channels that could not be asked for their orders, or that nobody asks.
SELECT channel, coalesce(failing, asked_at), error FROM order_cursors
WHERE wanted AND (failing IS NOT NULL OR asked_at < clock_timestamp() - interval '15 minutes') ORDER BY channel

-- name: waiting_clock
-- Planned changes whose moment has come; and events about them that nobody has folded, which the clock does at once.
SELECT count(*), min(w.since)
FROM (
    SELECT due_at AS since FROM schedules
    WHERE state = 'planned' AND due_at <= (SELECT greatest(recorded_at, clock_timestamp()) FROM head)
    UNION ALL
    SELECT recorded_at FROM events WHERE key = '@schedule' AND position > (SELECT position FROM schedules_read)
) w HAVING count(*) > 0

-- name: waiting_refused_changes
-- Planned changes that were refused when their moment came.
SELECT count(*), (array_agg(refused ORDER BY refused_at DESC))[1], min(refused_at)
FROM schedules WHERE state = 'refused' HAVING count(*) > 0
