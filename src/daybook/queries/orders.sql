-- name: newest
-- The newest orders before a position, by the event that placed them; of some channels, or of all; or those that sold
-- more than there was.
SELECT position, key FROM events
WHERE type = 'order.placed.v1' AND position < %(before)s
  AND (%(channels)s::text[] IS NULL OR split_part(substr(stream, 7), ':', 1) = ANY(%(channels)s::text[]))
  AND (NOT %(oversold)s OR data::jsonb @? '$.allocations[*] ? (@.oversold > 0)')
ORDER BY position DESC LIMIT %(limit)s

-- name: newest_of
-- The newest orders of one state before a position. Looked for from the newest on: of an old state among many orders
-- that have another one it takes long.
SELECT p.position, p.key FROM events p
CROSS JOIN LATERAL (
    SELECT coalesce(sum(q.pieces) FILTER (WHERE e.type = 'order.shipped.v1'), 0) AS shipped,
           coalesce(sum(q.pieces) FILTER (WHERE e.type = 'order.cancelled.v1'), 0) AS cancelled,
           coalesce(sum(q.pieces) FILTER (WHERE e.type = 'order.returned.v1'), 0) AS returned
    FROM events e CROSS JOIN LATERAL (
        SELECT sum((one ->> 'quantity')::bigint) AS pieces FROM jsonb_array_elements(e.data::jsonb -> 'lines') one) q
    WHERE e.key = p.key AND e.type IN ('order.shipped.v1', 'order.cancelled.v1', 'order.returned.v1')
) m CROSS JOIN LATERAL (
    SELECT sum((one ->> 'quantity')::bigint) AS pieces FROM jsonb_array_elements(p.data::jsonb -> 'lines') one
) ordered
WHERE p.type = 'order.placed.v1' AND p.position < %(before)s
  AND (%(channels)s::text[] IS NULL OR split_part(substr(p.stream, 7), ':', 1) = ANY(%(channels)s::text[]))
  AND (NOT %(oversold)s OR p.data::jsonb @? '$.allocations[*] ? (@.oversold > 0)')
  AND %(state)s = CASE WHEN ordered.pieces > m.shipped + m.cancelled THEN
                           CASE WHEN m.shipped > 0 THEN 'partly_shipped' ELSE 'open' END
                       WHEN m.shipped = 0 THEN 'cancelled'
                       WHEN m.returned = m.shipped THEN 'returned' ELSE 'shipped' END
ORDER BY p.position DESC LIMIT %(limit)s

-- name: told
-- What outside systems are told about an order, and how far that is.
SELECT d.channel, d.facet, d.state FROM projections p
JOIN deliveries d ON d.channel = p.name AND d.sku = %(order)s

-- name: of_keys
-- All events of these keys, in order.
SELECT position, event_id::text, stream, version, type, sku, key, recorded_at, actor, reason, source,
       correlation_id, causation_id, command_id, access, data::text
FROM events WHERE key = ANY(%(keys)s) ORDER BY position
