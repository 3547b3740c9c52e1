-- name: behind
-- Whether a runner that is at work has not folded an event of some age. Receipts do not count: these it puts off.
SELECT EXISTS (
    SELECT FROM projections p
    JOIN generations g ON g.projection = p.name AND g.generation = p.live
    JOIN leases l ON l.name = 'project:' || p.name AND l.held_until > clock_timestamp()
    CROSS JOIN LATERAL (SELECT * FROM events WHERE position > g.position ORDER BY position LIMIT 50) AS e
    WHERE e.recorded_at < clock_timestamp() - %(seconds)s * interval '1 second' AND e.type NOT LIKE 'listing.%%'
)
