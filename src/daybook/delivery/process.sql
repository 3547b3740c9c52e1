-- name: wait_for_nobody
-- For the connection of the leases: whoever locks what it needs is left out or told of, and not waited for.
SET lock_timeout = '500ms'

-- name: due
-- Which channels have something to do now, and how long until one has. Those that are paused have nothing to do.
SELECT p.name,
       EXISTS (SELECT 1 FROM lanes l WHERE l.channel = p.name AND l.next_try <= clock_timestamp()
               AND (l.leased_until IS NULL OR l.leased_until < clock_timestamp()
                    OR l.leased_until > clock_timestamp() + (%(lease)s + 1) * interval '1 second')),
       extract(epoch FROM (SELECT min(l.next_try) FROM lanes l
               WHERE l.channel = p.name AND l.next_try > clock_timestamp()
                 AND l.next_try <= clock_timestamp() + %(within)s * interval '1 second') - clock_timestamp())::float8
FROM projections p WHERE p.name = ANY(%(channels)s::text[]) AND NOT p.paused

-- name: alive
-- These workers live; how many do for each channel. A time further off than any lease was written before the clock was set.
WITH mine AS (
    SELECT * FROM unnest(%(channels)s::text[], %(owners)s::text[]) AS m(channel, owner)
), me AS (
    INSERT INTO delivery_workers AS w (channel, owner, alive_until, pid, session_began)
    SELECT m.channel, m.owner, clock_timestamp() + %(lease)s * interval '1 second', s.pid, s.backend_start
    FROM pg_stat_activity s, mine m WHERE s.pid = pg_backend_pid()
    ON CONFLICT (channel, owner) DO UPDATE
    SET alive_until = excluded.alive_until, pid = excluded.pid, session_began = excluded.session_began
)
SELECT m.channel, 1 + count(w.owner) FROM mine m
LEFT JOIN delivery_workers w ON w.channel = m.channel AND w.owner <> m.owner
    AND w.alive_until BETWEEN clock_timestamp() AND clock_timestamp() + (%(lease)s + 1) * interval '1 second'
GROUP BY m.channel

-- name: not_alive
-- Workers say that they end.
DELETE FROM delivery_workers w USING unnest(%(channels)s::text[], %(owners)s::text[]) AS m(channel, owner)
WHERE w.channel = m.channel AND w.owner = m.owner

-- name: breakers
-- What the workers know of the channels' health. What was written before the clock was set back counts as over.
SELECT channel, changed_at, failures,
       CASE WHEN changed_at > clock_timestamp() THEN 0
            ELSE greatest(extract(epoch FROM open_until - clock_timestamp())::float8, 0) END,
       CASE WHEN changed_at > clock_timestamp() THEN 0
            ELSE greatest(extract(epoch FROM quiet_until - clock_timestamp())::float8, 0) END,
       reason
FROM breakers WHERE channel = ANY(%(channels)s::text[])

-- name: keep_leases
-- Keeps lanes of all channels for longer. A lane that somebody has locked is left out this time: nobody waits for it.
WITH hand AS (
    SELECT * FROM unnest(%(channels)b::text[], %(owners)b::text[], %(lanes)b::text[]) AS h(channel, owner, lane)
), mine AS (
    SELECT l.channel, l.lane FROM lanes l JOIN hand h ON h.channel = l.channel AND h.lane = l.lane AND h.owner = l.owner
    WHERE l.leased_until IS NOT NULL
), free AS (
    SELECT l.channel, l.lane FROM lanes l JOIN hand h ON h.channel = l.channel AND h.lane = l.lane AND h.owner = l.owner
    WHERE l.leased_until IS NOT NULL FOR UPDATE OF l SKIP LOCKED
), kept AS (
    UPDATE lanes l SET leased_until = clock_timestamp() + %(lease)s * interval '1 second'
    FROM free f WHERE l.channel = f.channel AND l.lane = f.lane
    RETURNING l.channel, l.lane
)
SELECT m.channel, m.lane, k.lane IS NOT NULL FROM mine m LEFT JOIN kept k ON k.channel = m.channel AND k.lane = m.lane
