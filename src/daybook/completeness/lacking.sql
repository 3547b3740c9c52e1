-- name: page
-- What products lack for the channels on which they are sold, in the order of SKUs. What they lack where a channel has
-- no settings may be anything.
SELECT l.sku, l.facet, l.payload::text, l.position, e.recorded_at
FROM {listings} l LEFT JOIN events e ON e.position = l.position
WHERE l.facet NOT LIKE '%%@%%' AND (l.sku, l.facet) > (%(sku_after)s, %(facet_after)s)
  AND (%(everything)s OR json_array_length(l.payload -> 'missing') > 0)
  AND (%(sku)s::text IS NULL OR l.sku = %(sku)s)
  AND (%(channel)s::text IS NULL OR l.facet = %(channel)s)
  AND (%(locale)s::text IS NULL OR l.payload ->> 'locale' = %(locale)s
       OR l.payload #>> '{{missing,0,field}}' = 'settings')
  AND (%(family)s::text IS NULL OR l.payload ->> 'family' = %(family)s)
  AND (%(missing)s::text IS NULL OR EXISTS (
      SELECT FROM json_array_elements(l.payload -> 'missing') m
      WHERE m ->> 'field' IN (%(missing)s, 'settings') OR split_part(m ->> 'field', '@', 1) = %(missing)s))
ORDER BY l.sku, l.facet LIMIT %(limit)s

-- name: counts
-- By channel: how many products are sold there, how many of them lack nothing, and what most of the others lack.
WITH one AS (
    SELECT facet AS channel, payload -> 'missing' AS missing FROM {listings} WHERE facet NOT LIKE '%%@%%'
), lacked AS (
    SELECT channel, m ->> 'field' AS field, count(*) AS products
    FROM one, json_array_elements(missing) m GROUP BY 1, 2
)
SELECT o.channel, count(*), count(*) FILTER (WHERE json_array_length(o.missing) = 0),
       (SELECT json_object_agg(field, products ORDER BY products DESC, field) FROM lacked k WHERE k.channel = o.channel)
FROM one o GROUP BY o.channel ORDER BY o.channel
