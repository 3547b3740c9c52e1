-- name: has_deliveries
-- Which of some SKUs the channel knows.
SELECT sku FROM deliveries WHERE channel = %s AND sku = ANY(%b) GROUP BY sku

-- name: keys_with_locale
-- Groups in which a text of a locale changed since a position.
SELECT DISTINCT e.key FROM events e
WHERE e.type = ANY(%(types)s) AND e.position > %(since)s
  AND EXISTS (
    SELECT 1 FROM json_array_elements(e.data -> 'changes') c
    WHERE c ->> 'locale' = %(locale)s OR starts_with(c ->> 'locale', %(locale)s || '-')
  )

-- name: chosen
-- How many facets and SKUs a choice covers.
SELECT count(*), count(DISTINCT d.sku) FROM deliveries d
WHERE d.channel = %(channel)s AND d.state = 'confirmed' AND d.desired IS NOT NULL AND d.desired_position > %(since)s
  AND (%(skus)s::text[] IS NULL OR d.sku = ANY(%(skus)s::text[]))
  AND (%(keys)s::text[] IS NULL OR d.key = ANY(%(keys)s::text[]))

-- name: chosen_lanes
-- The next lanes that a choice covers.
SELECT DISTINCT d.lane FROM deliveries d
WHERE d.channel = %(channel)s AND d.state = 'confirmed' AND d.desired IS NOT NULL AND d.desired_position > %(since)s
  AND (%(skus)s::text[] IS NULL OR d.sku = ANY(%(skus)s::text[]))
  AND (%(keys)s::text[] IS NULL OR d.key = ANY(%(keys)s::text[]))
  AND d.lane > %(after)s
ORDER BY d.lane LIMIT %(limit)s

-- name: mark_chosen
-- Makes what a choice covers due again.
UPDATE deliveries d SET state = 'due', again = true
WHERE d.channel = %(channel)s AND d.state = 'confirmed' AND d.desired IS NOT NULL AND d.desired_position > %(since)s
  AND (%(skus)s::text[] IS NULL OR d.sku = ANY(%(skus)s::text[]))
  AND (%(keys)s::text[] IS NULL OR d.key = ANY(%(keys)s::text[]))
  AND d.lane = ANY(%(lanes)s::text[])
RETURNING d.sku, d.lane

-- name: lanes_of_keys
-- The lanes of some product groups.
SELECT DISTINCT lane FROM deliveries WHERE channel = %s AND key = ANY(%s::text[]) ORDER BY lane

-- name: mark_distrusted
-- Due, tried before, and what the log says of it up to now counts for nothing: a receipt that is still unread must not
-- make it confirmed again.
UPDATE deliveries d
SET state = 'due', again = true, attempts = greatest(d.attempts, 1), receipt_position = greatest(d.receipt_position, h.position)
FROM head h
WHERE d.channel = %s AND d.key = ANY(%s::text[]) AND d.desired IS NOT NULL AND d.state IN ('confirmed', 'due')
