-- name: of_correlation
-- All that has this cause, in order.
SELECT position, event_id::text, stream, version, type, sku, key, recorded_at, actor, reason, source,
       correlation_id, causation_id, command_id, access, data::text
FROM events WHERE correlation_id = %(correlation)s ORDER BY position LIMIT %(limit)s

-- name: correlation_at
-- The cause of the event at a position.
SELECT correlation_id FROM events WHERE position = %(position)s

-- name: listings
-- What channels should show because of these changes, and how far that is.
SELECT d.channel, d.sku, d.facet, d.desired_position, d.state, b.body::text
FROM projections p CROSS JOIN unnest(%(skus)s::text[]) AS s(sku)
JOIN deliveries d ON d.channel = p.name AND d.sku = s.sku
LEFT JOIN bodies b ON b.hash = d.desired
WHERE d.desired_position = ANY(%(positions)s::bigint[])

-- name: calls
-- The requests that brought these changes to channels.
SELECT a.channel, a.sku, a.facet, a.position, a.at, a.outcome, a.detail, a.method, a.status, a.milliseconds, b.body::text
FROM projections p CROSS JOIN unnest(%(skus)s::text[]) AS s(sku)
JOIN attempts a ON a.channel = p.name AND a.sku = s.sku
LEFT JOIN bodies b ON b.hash = a.payload
WHERE a.position = ANY(%(positions)s::bigint[])
ORDER BY a.id LIMIT %(limit)s
