-- name: chosen_skus
-- The SKUs that a choice covers, with their lanes.
SELECT d.sku, min(d.lane), bool_and(d.state = 'confirmed') FROM deliveries d
WHERE d.channel = %(channel)s AND d.desired IS NOT NULL
  AND (%(skus)s::text[] IS NULL OR d.sku = ANY(%(skus)s::text[]))
  AND (%(keys)s::text[] IS NULL OR d.key = ANY(%(keys)s::text[]))
GROUP BY d.sku HAVING max(d.desired_position) > %(since)s
ORDER BY d.sku

-- name: acknowledged
-- What the channel acknowledged, facet by facet: the payload as it was sent, as far as it is known.
SELECT d.lane, d.sku, d.facet, d.key, d.acknowledged, d.receipt_position, d.desired_position, d.state,
       coalesce(b.body::text, CASE WHEN l.hash = d.acknowledged THEN l.payload::text END)
FROM deliveries d
LEFT JOIN bodies b ON b.hash = d.acknowledged
LEFT JOIN {listings} l ON l.sku = d.sku AND l.facet = d.facet
WHERE d.channel = %s AND d.lane = ANY(%b) AND d.acknowledged IS NOT NULL
ORDER BY d.lane, d.sku, d.rank

-- name: still_acknowledged
-- Which facets are still as they were when the channel was read.
SELECT d.sku, d.facet FROM unnest(%b::text[], %b::text[], %b::bytea[], %b::bigint[]) AS u(sku, facet, mark, receipt)
JOIN deliveries d ON d.channel = %s AND d.sku = u.sku AND d.facet = u.facet
WHERE d.state = 'confirmed' AND d.desired IS NOT NULL AND d.acknowledged = u.mark AND d.receipt_position = u.receipt

-- name: mark_drifted
-- A listing that is not there any more counts as never acknowledged, so that it is made first, whatever else is due.
-- And as tried: it is looked for before it is made, and taken off should it be unwanted before that.
UPDATE deliveries d
SET state = 'due', again = true,
    acknowledged = CASE WHEN u.gone THEN NULL ELSE d.acknowledged END,
    attempts = CASE WHEN u.gone THEN 1 ELSE d.attempts END
FROM unnest(%b::text[], %b::text[], %b::boolean[]) AS u(sku, facet, gone)
WHERE d.channel = %s AND d.sku = u.sku AND d.facet = u.facet

-- name: workers_alive
-- How many workers a channel has.
SELECT count(*) FROM delivery_workers WHERE channel = %s AND alive_until >= clock_timestamp()
