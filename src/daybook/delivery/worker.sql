-- name: claim
-- Takes lanes that have something to do, and counts the tries that begin. One statement, one commit. What is due first
-- comes first: an update returns its rows in whatever order it touched them.
WITH may AS (
    SELECT p.live FROM projections p JOIN generations g ON g.projection = p.name AND g.generation = p.live
    WHERE p.name = %(channel)s AND NOT p.paused AND g.level_at IS NOT NULL
), free AS (
    SELECT channel, lane, owner FROM lanes
    WHERE EXISTS (SELECT 1 FROM may) AND channel = %(channel)s AND next_try <= clock_timestamp()
      AND (leased_until IS NULL OR leased_until < clock_timestamp()
           -- No lease is that long: it was given before the clock was set back.
           OR leased_until > clock_timestamp() + (%(lease)s + 1) * interval '1 second')
      AND NOT lane = ANY(%(hand)b::text[])
    ORDER BY next_try LIMIT %(limit)s FOR UPDATE SKIP LOCKED
), claimed AS (
    UPDATE lanes l SET owner = %(owner)s, leased_until = clock_timestamp() + %(lease)s * interval '1 second', touched = false
    FROM free WHERE l.channel = free.channel AND l.lane = free.lane
    RETURNING l.lane, l.attempts, l.next_try
), doubted AS (
    -- Its owner fell silent and still has a session: stopped, perhaps with a request on its way. See the table.
    INSERT INTO doubts (channel, lane, owner, pid, session_began)
    SELECT f.channel, f.lane, f.owner, w.pid, w.session_began
    FROM free f JOIN delivery_workers w ON w.channel = f.channel AND w.owner = f.owner
    JOIN pg_stat_activity s ON s.pid = w.pid AND s.backend_start = w.session_began
    WHERE f.owner <> %(owner)s
    ON CONFLICT (channel, lane, owner) DO NOTHING
), begun AS (
    UPDATE deliveries d SET attempts = d.attempts + 1
    FROM claimed c WHERE d.channel = %(channel)s AND d.lane = c.lane AND d.state = 'due'
)
SELECT c.lane, c.attempts, may.live FROM claimed c, may ORDER BY c.next_try

-- name: wake_failed
-- The channel answers again: what waited for that goes now.
WITH waiting AS (
    SELECT channel, lane FROM lanes
    WHERE channel = %s AND attempts > 0 AND next_try > clock_timestamp() AND leased_until IS NULL
    ORDER BY lane COLLATE "C" FOR UPDATE
)
UPDATE lanes l SET next_try = clock_timestamp(), attempts = 0
FROM waiting w WHERE l.channel = w.channel AND l.lane = w.lane
