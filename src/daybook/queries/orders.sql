-- name: newest
-- The newest orders before a position, by the event that placed them; of some channels, or of all; or those that sold
-- more than there was.
SELECT position, key FROM events
WHERE type = 'order.placed.v1' AND position < %(before)s
  AND (%(channels)s::text[] IS NULL OR split_part(substr(stream, 7), ':', 1) = ANY(%(channels)s::text[]))
  AND (NOT %(oversold)s OR data::jsonb @? '$.allocations[*] ? (@.oversold > 0)')
ORDER BY position DESC LIMIT %(limit)s

-- name: told
-- What outside systems are told about an order, and how far that is.
SELECT d.channel, d.facet, d.state FROM projections p
JOIN deliveries d ON d.channel = p.name AND d.sku = %(order)s

-- name: of_keys
-- All events of these keys, in order.
SELECT position, event_id::text, stream, version, type, sku, key, recorded_at, actor, reason, source,
       correlation_id, causation_id, command_id, access, data::text
FROM events WHERE key = ANY(%(keys)s) ORDER BY position
