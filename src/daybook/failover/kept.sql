-- name: failover
-- How far the failover came that is under way.
SELECT failover::text FROM stream_state

-- name: keep_failover
-- Keeps how far it came; null: it is done.
UPDATE stream_state SET failover = %s

-- name: accept_server
-- The server that was told of a newer timeline is the right one all the same: it takes appends again.
UPDATE head SET system = server_system(), timeline = server_timeline() WHERE server_timeline() > 0

-- name: known_commands
-- Where the commands stand that the log has, of some: what was lost and sent again.
SELECT c.id, e.position FROM unnest(%s::text[]) AS c(id)
CROSS JOIN LATERAL (SELECT min(position) AS position FROM events WHERE command_id = c.id) AS e
WHERE e.position IS NOT NULL

-- name: channels_of
-- The channels that have something of these product groups, or are about to get it.
SELECT DISTINCT channel FROM deliveries WHERE key = ANY(%s::text[])
