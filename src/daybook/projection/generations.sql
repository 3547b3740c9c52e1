-- name: make_generation
-- Makes the tables of folded states, a row for each product group, and of rendered facets: see the migrations.
SELECT make_generation(%s, %s)

-- name: open_generation
-- Lets the roles that there are at a generation's tables.
SELECT open_generation(%s, %s)

-- name: make_states_index
-- Finds the groups that use a definition.
CREATE INDEX IF NOT EXISTS {by_uses} ON {states} USING gin (uses)

-- name: make_listings_index
-- Finds a group's facets.
CREATE INDEX IF NOT EXISTS {by_key} ON {listings} (key)

-- name: live_generation
-- The live generation of a projection, and its checkpoint.
SELECT p.live, g.position, g.reference_from, g.reference_codes, g.epoch
FROM projections p JOIN generations g ON g.projection = p.name AND g.generation = p.live
WHERE p.name = %s

-- name: checkpoint
-- Where a generation stands.
SELECT position, reference_from, reference_codes, epoch FROM generations WHERE projection = %s AND generation = %s

-- name: hold_generation
-- Nobody else writes this generation until the transaction ends; whoever was about to starts over.
UPDATE generations SET epoch = epoch + 1 WHERE projection = %s AND generation = %s
RETURNING position, reference_from, reference_codes, epoch

-- name: add_projection
-- Makes a projection known; its first generation is live. Whether it is paused, and whether by itself, the log knows.
INSERT INTO projections (name, live, paused, paused_because)
SELECT new.name, 1, coalesce(last.type = 'channel.paused.v1', false),
       CASE WHEN last.type = 'channel.paused.v1' AND last.source = 'delivery' THEN last.reason END
FROM (SELECT %s::text AS name) AS new LEFT JOIN LATERAL (
    SELECT e.type, e.source, e.reason FROM events e
    WHERE e.stream = 'projection/' || new.name AND e.type IN ('channel.paused.v1', 'channel.resumed.v1')
    ORDER BY e.version DESC LIMIT 1
) AS last ON true
WHERE NOT EXISTS (SELECT 1 FROM projections p WHERE p.name = new.name)
ON CONFLICT DO NOTHING

-- name: add_generation
-- Of a projection that has none: after a switch the first one may have been dropped. It is level once it has read what
-- the log has now: what comes later may come without end, and no receipt of its own is among it before it delivers.
INSERT INTO generations (projection, generation, code_version, level_from)
SELECT p.name, p.live, %s, h.position FROM projections p, head h
WHERE p.name = %s AND NOT EXISTS (SELECT 1 FROM generations g WHERE g.projection = p.name)
ON CONFLICT DO NOTHING
