-- name: newest
-- The newest orders before a position, by the event that placed them; of some channels, or of all.
SELECT position, key FROM events
WHERE type = 'order.placed.v1' AND position < %(before)s
  AND (%(channels)s::text[] IS NULL OR split_part(substr(stream, 7), ':', 1) = ANY(%(channels)s::text[]))
ORDER BY position DESC LIMIT %(limit)s

-- name: of_keys
-- All events of these keys, in order.
SELECT position, event_id::text, stream, version, type, sku, key, recorded_at, actor, reason, source,
       correlation_id, causation_id, command_id, access, data::text
FROM events WHERE key = ANY(%(keys)s) ORDER BY position
