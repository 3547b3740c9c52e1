-- name: status
-- Every projection's live generation, and how it is doing.
SELECT p.name, p.live, p.paused, g.position, g.reference_from IS NOT NULL, g.level_at, g.moved_at, g.failure::text,
       (SELECT count(*) FROM parked k WHERE k.projection = p.name AND k.generation = p.live)
FROM projections p JOIN generations g ON g.projection = p.name AND g.generation = p.live ORDER BY p.name

-- name: listed_counts
-- How many SKUs have something to show, and how many are held.
SELECT count(DISTINCT sku) FILTER (WHERE payload IS NOT NULL), count(DISTINCT sku) FILTER (WHERE held IS NOT NULL)
FROM {listings}

-- name: delivery_counts
-- How many facets are in which state, by channel.
SELECT channel,
       CASE WHEN state = 'due' AND rank > 0 AND EXISTS (
                SELECT 1 FROM deliveries c
                WHERE c.channel = d.channel AND c.sku = d.sku AND c.rank = 0 AND c.state = 'rejected' AND c.acknowledged IS NULL)
            THEN 'blocked' ELSE state END,
       count(*)
FROM deliveries d WHERE desired IS NOT NULL OR acknowledged IS NOT NULL GROUP BY 1, 2

-- name: lane_counts
-- How many lanes are being worked, and what failed last, by channel.
SELECT channel, count(*) FILTER (WHERE leased_until > clock_timestamp()), min(next_try) FILTER (WHERE attempts > 0),
       max(last_error) FILTER (WHERE attempts > 0)
FROM lanes GROUP BY channel

-- name: rejected
-- What a channel refused and nobody changed since.
SELECT sku, facet, desired_position, reasons::text FROM deliveries
WHERE channel = %s AND state = 'rejected' ORDER BY sku, rank

-- name: held
-- What can't be shown, and why.
SELECT sku, facet, held FROM {listings} WHERE held IS NOT NULL ORDER BY sku

-- name: listing_of
-- A SKU's facets with how their delivery stands.
SELECT l.facet, l.payload::text, l.held, encode(l.hash, 'hex'), l.position, d.state, encode(d.acknowledged, 'hex'),
       d.attempts, d.reasons::text
FROM {listings} l LEFT JOIN deliveries d ON d.channel = %s AND d.sku = l.sku AND d.facet = l.facet
WHERE l.sku = %s ORDER BY d.rank NULLS LAST, l.facet

-- name: attempts_of
-- What was tried for a SKU, in order. An address that may hold a person's data is for nobody's eyes.
SELECT at, facet, position, outcome, detail, method, CASE WHEN people IS NULL THEN url END, status, milliseconds
FROM attempts WHERE channel = %s AND sku = %s ORDER BY id

-- name: pause
-- Pauses a projection's delivery, or lets it go on.
UPDATE projections SET paused = %s, paused_because = NULL WHERE name = %s RETURNING name

-- name: health
-- By channel: who paused it, what its breaker says, how many workers live. A time that has passed is null.
SELECT p.name, p.paused_because,
       CASE WHEN p.paused AND p.paused_because IS NULL THEN
           (SELECT e.actor FROM events e WHERE e.stream = 'projection/' || p.name AND e.type = 'channel.paused.v1'
            ORDER BY e.version DESC LIMIT 1) END,
       b.failures, b.reason, b.changed_at,
       CASE WHEN b.open_until > clock_timestamp() THEN b.open_until END,
       CASE WHEN b.quiet_until > clock_timestamp() THEN b.quiet_until END,
       (SELECT count(*) FROM delivery_workers w WHERE w.channel = p.name AND w.alive_until >= clock_timestamp())
FROM projections p LEFT JOIN breakers b ON b.channel = p.name
