-- name: found
-- A page of what matches, in order of SKU.
SELECT l.sku, l.key, l.position, l.payload::jsonb - '{{words,near,marks}}'::text[] FROM {listings} l
WHERE <conditions>
  AND l.sku > %(after)s
ORDER BY l.sku LIMIT %(limit)s

-- name: skus
-- SKUs and groups of what matches, in order of SKU.
SELECT l.sku, l.key FROM {listings} l
WHERE <conditions>
  AND l.sku > %(after)s
ORDER BY l.sku LIMIT %(limit)s

-- name: total
-- How many match, counted up to a limit.
SELECT count(*) FROM (SELECT FROM {listings} l WHERE <conditions> LIMIT %(limit)s) AS matching

-- name: counts
-- How many of what matches, up to a limit, have each mark of a kind.
SELECT substr(mark, length(%(prefix)s) + 1), count(*) FROM (
    SELECT l.marks FROM {listings} l WHERE <conditions> LIMIT %(most)s
) AS matching CROSS JOIN LATERAL unnest(matching.marks) AS mark
WHERE starts_with(mark, %(prefix)s) GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT %(limit)s

-- name: any_has
-- One product that has a mark, where there is one.
SELECT 1 FROM {listings} l WHERE l.marks && %(mark)s::text[] AND <conditions> LIMIT 1

-- name: live
-- The live generation of a projection, and where it stands.
SELECT p.live, g.position FROM projections p JOIN generations g ON g.projection = p.name AND g.generation = p.live
WHERE p.name = %(projection)s
