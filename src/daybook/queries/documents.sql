-- name: live
-- The live generation.
SELECT live FROM projections WHERE name = %s

-- name: listing_of_group
-- One statement, so that the listings are those of the position.
SELECT g.position, l.sku, l.facet, l.payload::text
FROM generations g LEFT JOIN {listings} l ON l.key = %(key)s AND l.payload IS NOT NULL
WHERE g.projection = %(projection)s AND g.generation = %(generation)s
ORDER BY l.sku, l.facet
