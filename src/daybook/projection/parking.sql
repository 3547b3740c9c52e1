-- name: parked
-- What stands aside, the oldest first.
SELECT key, position, event_id::text, type, sku, error, place, events, parked_at
FROM parked WHERE projection = %s AND generation = %s ORDER BY parked_at, key
