-- name: rejections
-- A page of what channels refused, filtered.
SELECT d.channel, d.sku, d.facet, d.key, d.desired_position, e.recorded_at, d.acknowledged IS NOT NULL, d.reasons::text
FROM deliveries d LEFT JOIN events e ON e.position = d.receipt_position
WHERE d.state = 'rejected' AND d.receipt_position > %(since)s
  AND (%(channel)s::text IS NULL OR d.channel = %(channel)s)
  AND (%(skus)s::text[] IS NULL OR d.sku = ANY(%(skus)s::text[]))
  AND (%(facet)s::text IS NULL OR d.facet = %(facet)s)
  AND (%(code)s::text IS NULL OR EXISTS (
    SELECT 1 FROM json_array_elements(d.reasons) r WHERE r ->> 'code' = %(code)s))
  AND (d.channel, d.sku, d.facet) > (%(after_channel)s, %(after_sku)s, %(after_facet)s)
ORDER BY d.channel, d.sku, d.facet LIMIT %(limit)s

-- name: rejected_lanes
-- Lanes with something refused.
SELECT DISTINCT d.lane FROM deliveries d
WHERE d.channel = %(channel)s AND d.state = 'rejected'
  AND (%(skus)s::text[] IS NULL OR d.sku = ANY(%(skus)s::text[]))
  AND (%(code)s::text IS NULL OR EXISTS (
    SELECT 1 FROM json_array_elements(d.reasons) r WHERE r ->> 'code' = %(code)s))

-- name: rejected_facets
-- How much of that there is.
SELECT count(*) FROM deliveries d
WHERE d.channel = %(channel)s AND d.state = 'rejected'
  AND (%(skus)s::text[] IS NULL OR d.sku = ANY(%(skus)s::text[]))
  AND (%(code)s::text IS NULL OR EXISTS (
    SELECT 1 FROM json_array_elements(d.reasons) r WHERE r ->> 'code' = %(code)s))

-- name: offer_again
-- Makes what was refused due again.
UPDATE deliveries d SET state = 'due', reasons = NULL
WHERE d.channel = %(channel)s AND d.state = 'rejected' AND d.lane = ANY(%(lanes)s::text[])
  AND (%(skus)s::text[] IS NULL OR d.sku = ANY(%(skus)s::text[]))
  AND (%(code)s::text IS NULL OR EXISTS (
    SELECT 1 FROM json_array_elements(d.reasons) r WHERE r ->> 'code' = %(code)s))
RETURNING d.sku, d.lane

-- name: wake_lanes_at_once
-- Gives lanes a time, also those that wait after a failure.
UPDATE lanes SET next_try = clock_timestamp(), attempts = 0, touched = true WHERE channel = %s AND lane = ANY(%b)
