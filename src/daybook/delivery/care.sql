-- name: clock
-- Postgres's clock, and how many seconds it is behind the log's last event.
SELECT extract(epoch FROM clock_timestamp())::float8,
       (SELECT extract(epoch FROM recorded_at - clock_timestamp())::float8 FROM head WHERE position > 0)

-- name: wake_waiting
-- The clock was set back: what waits for a time is tried now, rather than that much later.
WITH waiting AS (
    SELECT channel, lane FROM lanes
    WHERE channel = ANY(%(channels)s::text[]) AND next_try > clock_timestamp()
    ORDER BY channel, lane COLLATE "C" FOR UPDATE SKIP LOCKED
)
UPDATE lanes l SET next_try = clock_timestamp() FROM waiting w WHERE l.channel = w.channel AND l.lane = w.lane

-- name: forget_dead
-- Workers whose time and whose session are over.
WITH dead AS (
    SELECT w.channel, w.owner FROM delivery_workers w
    WHERE w.channel = ANY(%(channels)s::text[])
      AND w.alive_until NOT BETWEEN clock_timestamp() AND clock_timestamp() + (%(lease)s + 1) * interval '1 second'
      AND NOT EXISTS (SELECT 1 FROM pg_stat_activity s WHERE s.pid = w.pid AND s.backend_start = w.session_began)
    FOR UPDATE SKIP LOCKED
)
DELETE FROM delivery_workers w USING dead d WHERE w.channel = d.channel AND w.owner = d.owner

-- name: own_up
-- What these workers were thought to be still at has ended, or was never sent: nothing more of it can come.
UPDATE doubts d SET pid = NULL
FROM unnest(%(channels)s::text[], %(owners)s::text[]) AS m(channel, owner)
WHERE d.channel = m.channel AND d.owner = m.owner AND d.pid IS NOT NULL
  AND (d.channel, d.lane) NOT IN (
      SELECT h.channel, h.lane FROM unnest(%(hand_channels)b::text[], %(hand_lanes)b::text[]) AS h(channel, lane))

-- name: end_doubts
-- A worker that lost its lanes is gone, or has told all: whatever it sent last, the newest state is brought once more.
WITH over AS (
    SELECT l.channel, l.lane, d.owner FROM doubts d JOIN lanes l ON l.channel = d.channel AND l.lane = d.lane
    WHERE d.channel = ANY(%(channels)s::text[])
      AND (d.pid IS NULL OR NOT EXISTS (
          SELECT 1 FROM pg_stat_activity s WHERE s.pid = d.pid AND s.backend_start = d.session_began))
      AND (l.leased_until IS NULL OR l.leased_until < clock_timestamp())
      AND NOT EXISTS (
          SELECT 1 FROM deliveries a WHERE a.channel = l.channel AND a.lane = l.lane AND a.state = 'accepted')
    ORDER BY l.channel, l.lane COLLATE "C" LIMIT %(limit)s FOR UPDATE OF l SKIP LOCKED
), cleared AS (
    DELETE FROM doubts d USING over o WHERE d.channel = o.channel AND d.lane = o.lane AND d.owner = o.owner
), woken AS (
    UPDATE lanes l SET next_try = clock_timestamp(), touched = true FROM over o
    WHERE l.channel = o.channel AND l.lane = o.lane
)
UPDATE deliveries d SET state = 'due', again = true, attempts = greatest(d.attempts, 1)
FROM (SELECT DISTINCT channel, lane FROM over) o
WHERE d.channel = o.channel AND d.lane = o.lane AND d.state IN ('due', 'confirmed')
RETURNING d.channel

-- name: refresh
-- What was confirmed long ago is due again, some thousands at a time.
WITH old AS (
    SELECT d.channel, d.sku, d.facet, d.lane FROM deliveries d
    WHERE d.channel = %(channel)s AND d.state = 'confirmed' AND d.desired IS NOT NULL
      AND (d.confirmed_at < clock_timestamp() - %(seconds)s * interval '1 second'
           OR d.confirmed_at > clock_timestamp() + interval '1 minute')  -- before the clock was set back
    LIMIT %(limit)s
), lanes_of AS (
    SELECT l.channel, l.lane FROM lanes l
    WHERE l.channel = %(channel)s AND l.lane IN (SELECT lane FROM old) ORDER BY l.lane COLLATE "C" FOR UPDATE
), woken AS (
    UPDATE lanes l SET next_try = coalesce(l.next_try, clock_timestamp())
    FROM lanes_of o WHERE l.channel = o.channel AND l.lane = o.lane
)
UPDATE deliveries d SET state = 'due', again = true FROM old o
WHERE d.channel = o.channel AND d.sku = o.sku AND d.facet = o.facet AND d.state = 'confirmed'

-- name: sweep
-- What no rule foresaw: after a failover a receipt may stand that the log does not have, something may be due in a lane
-- without a time, and a submission may have been made at a time that has not come since the clock was set back. Lanes
-- first: everybody locks in this order.
WITH top AS (
    SELECT position FROM head
), astray AS (
    SELECT DISTINCT d.lane
    FROM deliveries d LEFT JOIN lanes l ON l.channel = d.channel AND l.lane = d.lane, top
    WHERE d.channel = %(channel)s
      AND (d.receipt_position > top.position
           OR (d.state = 'accepted' AND d.submitted_at > clock_timestamp())
           OR (d.state IN ('due', 'accepted') AND l.next_try IS NULL
               AND (l.leased_until IS NULL OR l.leased_until < clock_timestamp())))
), woken AS (
    INSERT INTO lanes AS l (channel, lane, next_try)
    SELECT %(channel)s, a.lane, clock_timestamp() FROM astray a ORDER BY a.lane COLLATE "C"
    ON CONFLICT (channel, lane) DO UPDATE SET next_try = coalesce(l.next_try, excluded.next_try), touched = true
    RETURNING l.lane
)
UPDATE deliveries d
SET receipt_position = least(d.receipt_position, top.position),
    again = d.again OR d.receipt_position > top.position,
    state = CASE WHEN d.state = 'confirmed' AND d.receipt_position > top.position THEN 'due' ELSE d.state END,
    submitted_at = least(d.submitted_at, clock_timestamp())
FROM top, woken w
WHERE d.channel = %(channel)s AND d.lane = w.lane
  AND (d.receipt_position > top.position OR (d.state = 'accepted' AND d.submitted_at > clock_timestamp()))
