-- name: mark_beyond
-- Marks a generation that is ahead of the log, and gives what is known of one that is or was: see the migration.
UPDATE generations g SET beyond = coalesce(g.beyond, h.position) FROM head h
WHERE g.projection = %(projection)s AND g.generation = %(generation)s
  AND (g.beyond IS NOT NULL OR g.position > h.position)
RETURNING g.position, g.beyond

-- name: true_position
-- Up to where a generation has surely folded what the log has, and nothing else.
SELECT least(g.position, coalesce(g.beyond, h.position)) FROM generations g, head h
WHERE g.projection = %(projection)s AND g.generation = %(generation)s

-- name: found_beyond
-- The projections whose live generation is ahead of the log, or was.
SELECT p.name FROM projections p JOIN generations g ON g.projection = p.name AND g.generation = p.live, head h
WHERE g.beyond IS NOT NULL OR g.position > h.position ORDER BY p.name
