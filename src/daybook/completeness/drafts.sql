-- name: live
-- The live generation of a projection.
SELECT live FROM projections WHERE name = %s

-- name: page
-- Texts that machines draft, as they stand, in the order of SKUs.
SELECT l.sku, l.facet, l.payload::text, l.position, e.recorded_at
FROM {listings} l LEFT JOIN events e ON e.position = l.position
WHERE l.facet LIKE '%%@%%' AND (l.sku, l.facet) > (%(sku_after)s, %(facet_after)s)
  AND (%(sku)s::text IS NULL OR l.sku = %(sku)s)
  AND (%(state)s::text IS NULL OR l.payload ->> 'state' = %(state)s)
  AND (%(locale)s::text IS NULL OR l.payload ->> 'locale' = %(locale)s)
ORDER BY l.sku, l.facet LIMIT %(limit)s

-- name: counts
-- How many there are in each state and locale, with their characters: what drafts cost, and what is wanted would.
-- A refusal stands in the deliveries until other inputs are due, so only of what is not drafted.
SELECT l.payload ->> 'engine', l.payload ->> 'locale', l.payload ->> 'state', count(*),
       sum((l.payload ->> 'characters')::bigint), min(e.recorded_at), count(d.sku)
FROM {listings} l LEFT JOIN events e ON e.position = l.position
     LEFT JOIN deliveries d ON d.channel = l.payload ->> 'engine' AND d.sku = l.sku AND d.facet = l.facet
                           AND d.state = 'rejected' AND l.payload ->> 'state' IN ('wanted', 'stale')
WHERE l.facet LIKE '%%@%%' GROUP BY 1, 2, 3 ORDER BY 1, 2, 3

-- name: billed
-- What each engine billed in this calendar month (UTC).
SELECT data ->> 'engine', sum((data ->> 'characters')::bigint)
FROM events WHERE type = 'text.drafted.v1' AND recorded_at >= date_trunc('month', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC'
GROUP BY 1 ORDER BY 1

-- name: refused
-- Which of these products' texts an engine refused, and why.
SELECT sku, facet, reasons::text FROM deliveries WHERE channel = %s AND state = 'rejected' AND sku = ANY(%s)

-- name: held
-- Which of these products' texts are not sent to an engine, and why.
SELECT sku, facet, held FROM {listings} WHERE held IS NOT NULL AND sku = ANY(%s)
