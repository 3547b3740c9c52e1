-- name: make_versions
-- What was listed, and from which position to which: the row whose interval holds P is what was listed at P. The one that
-- still stands has the greatest bigint as its end, not null, so that both bounds are conditions of the index.
CREATE TABLE IF NOT EXISTS {versions} (
    key         text NOT NULL,
    sku         text NOT NULL,
    facet       text NOT NULL,
    until       bigint NOT NULL DEFAULT 9223372036854775807,
    position    bigint NOT NULL CHECK (position < until),
    payload     json,
    held        text[],
    hash        bytea NOT NULL,
    recorded_at timestamptz NOT NULL,
    until_at    timestamptz
)

-- name: make_whole
-- The same with its key and its indexes, for a generation that begins: see the migrations.
SELECT make_versions(%(projection)s, %(number)s, %(searched)s)

-- name: has_key
-- Whether the table has its key yet.
SELECT 1 FROM pg_index WHERE indrelid = %s::regclass AND indisprimary

-- name: key_versions
-- Gives the table its key.
ALTER TABLE {versions} ADD PRIMARY KEY (key, sku, facet, until, position)

-- name: analyze_versions
-- Tells Postgres what stands in the table.
ANALYZE {versions}

-- name: copy_versions
-- Takes versions that a rebuild has made.
COPY {versions} (key, sku, facet, until, position, payload, held, hash, recorded_at, until_at) FROM STDIN (FORMAT BINARY)

-- name: make_versions_by_key
-- These two are only of the facet that is searched: it changes seldom, so there is little of it, however often others do.
CREATE INDEX IF NOT EXISTS {by_key} ON {versions} (key, until, position) WHERE facet = {searched}

-- name: make_versions_by_content
-- Finds versions by what is searched in them.
CREATE INDEX IF NOT EXISTS {by_content} ON {versions} USING gin ((payload::jsonb) jsonb_path_ops) WHERE facet = {searched}

-- name: end_versions
-- Each is looked up by itself, by the key. As a plain join, Postgres reads the whole table for it as long as it has no
-- statistics of the table, which is while a generation is filled: seconds for a batch instead of milliseconds.
UPDATE {versions} v
SET until = n.position, until_at = (SELECT recorded_at FROM events WHERE position = n.position)
FROM unnest(%b::text[], %b::text[], %b::text[], %b::bigint[]) AS n(key, sku, facet, position)
CROSS JOIN LATERAL (
    SELECT s.ctid AS place FROM {versions} s
    WHERE s.key = n.key AND s.sku = n.sku AND s.facet = n.facet AND s.until = 9223372036854775807
      AND s.position < n.position
    LIMIT 1
) AS standing
WHERE v.ctid = standing.place

-- name: put_versions
-- Keeps versions that have ended or begun.
INSERT INTO {versions} (key, sku, facet, until, position, payload, held, hash, recorded_at, until_at)
SELECT n.key, n.sku, n.facet, coalesce(n.until, 9223372036854775807), n.position, n.payload::json,
       CASE WHEN n.held IS NULL THEN NULL ELSE string_to_array(n.held, E'\n') END, n.hash,
       coalesce((SELECT recorded_at FROM events WHERE position = n.position), '-infinity'),
       (SELECT recorded_at FROM events WHERE position = n.until)
FROM unnest(%b::text[], %b::text[], %b::text[], %b::bigint[], %b::bigint[], %b::text[], %b::text[], %b::bytea[])
     AS n(key, sku, facet, until, position, payload, held, hash)
ON CONFLICT DO NOTHING

-- name: forget_versions
-- Forgets a group's history, to be told again.
DELETE FROM {versions} WHERE key = %s

-- name: forget_listings
-- Forgets what a group lists, to be told again.
DELETE FROM {listings} WHERE key = %s

-- name: coverage
-- Which positions a projection can be asked about.
SELECT p.live, g.position, g.code_version, to_regclass('versions_' || p.name || '_' || p.live) IS NOT NULL,
       EXISTS (SELECT FROM parked k WHERE k.projection = p.name AND k.generation = p.live AND k.position <= %(upto)s),
       EXISTS (SELECT FROM events WHERE stream = %(stream)s)
FROM projections p JOIN generations g ON g.projection = p.name AND g.generation = p.live WHERE p.name = %(projection)s

-- name: cut_keys
-- The groups of the command that goes on behind a position: of these the log, not the timeline, knows the state between.
SELECT DISTINCT e.key FROM events e
WHERE e.command_id = (SELECT a.command_id FROM events a JOIN events b ON b.position = a.position + 1
                      WHERE a.position = %(position)s AND b.position = %(position)s + 1 AND a.command_id = b.command_id)
  AND e.position <= %(position)s AND left(e.key, 1) <> '@'

-- name: keys
-- A page of the groups that were listed at a position.
SELECT key FROM (
    (SELECT key FROM {versions}
     WHERE facet = {searched} AND until > %(position)s AND position <= %(position)s AND key > %(after)s AND key <> ALL(%(cut)b::text[])
     ORDER BY key LIMIT %(limit)s)
    UNION ALL
    (SELECT cut AS key FROM unnest(%(cut)b::text[]) AS cut WHERE cut > %(after)s)
) AS found ORDER BY key LIMIT %(limit)s

-- name: matching_keys
-- The same, of those whose searched facet contains what is asked for.
SELECT key FROM (
    (SELECT key FROM {versions}
     WHERE facet = {searched} AND until > %(position)s AND position <= %(position)s AND key > %(after)s AND key <> ALL(%(cut)b::text[])
       AND payload::jsonb @> %(wanted)s::jsonb
     ORDER BY key LIMIT %(limit)s)
    UNION ALL
    (SELECT cut AS key FROM unnest(%(cut)b::text[]) AS cut WHERE cut > %(after)s)
) AS found ORDER BY key LIMIT %(limit)s

-- name: keys_within
-- The same, of those that lie within one of the given scopes.
SELECT key FROM (
    (SELECT key FROM {versions}
     WHERE facet = {searched} AND until > %(position)s AND position <= %(position)s AND key > %(after)s AND key <> ALL(%(cut)b::text[])
       AND payload::jsonb @> %(wanted)s::jsonb
       AND EXISTS (
           SELECT FROM jsonb_array_elements(%(within)s::jsonb) AS scope
           WHERE (NOT scope ? 'categories' OR payload::jsonb->'categories' ?| ARRAY(SELECT jsonb_array_elements_text(scope->'categories')))
             AND (NOT scope ? 'listed_on' OR payload::jsonb->'listed_on' ?| ARRAY(SELECT jsonb_array_elements_text(scope->'listed_on'))))
     ORDER BY key LIMIT %(limit)s)
    UNION ALL
    (SELECT cut AS key FROM unnest(%(cut)b::text[]) AS cut WHERE cut > %(after)s)
) AS found ORDER BY key LIMIT %(limit)s

-- name: versions_of
-- What some groups listed at a position.
SELECT key, sku, facet, payload::text FROM {versions}
WHERE key = ANY(%(keys)b::text[]) AND position <= %(position)s AND until > %(position)s AND payload IS NOT NULL ORDER BY key
