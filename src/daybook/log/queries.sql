-- name: append
SELECT command, outcome, first_position, last_position, first_intent, stream, actual, at
FROM append_commands(
    %b::text[], %b::bigint[], %b::text[], %b::text[], %b::text[], %b::text[], %b::text[],
    %b::bigint[], %b::uuid[], %b::text[], %b::bigint[], %b::text[], %b::text[], %b::text[], %b::text[])

-- name: append_one
SELECT command, outcome, first_position, last_position, first_intent, stream, actual, at
FROM append_one(
    %b::text, %b::bigint, %b::text, %b::text, %b::text, %b::text, %b::text,
    %b::text::uuid, %b::text, %b::bigint, %b::text, %b::text, %b::text, %b::text)

-- name: head
SELECT position FROM head

-- name: position_at
SELECT position_at(%s)

-- name: after
SELECT position, event_id::text, stream, version, type, sku, key, recorded_at, actor, reason, source,
       correlation_id, causation_id, command_id, data::text
FROM events WHERE position > %s AND position <= %s ORDER BY position LIMIT %s

-- name: last
SELECT position, event_id::text, stream, version, type, sku, key, recorded_at, actor, reason, source,
       correlation_id, causation_id, command_id, data::text
FROM events ORDER BY position DESC LIMIT %s

-- name: of_key
SELECT position, event_id::text, stream, version, type, sku, key, recorded_at, actor, reason, source,
       correlation_id, causation_id, command_id, data::text
FROM events WHERE key = %s AND position > %s AND position <= %s ORDER BY position

-- name: of_types
SELECT position, event_id::text, stream, version, type, sku, key, recorded_at, actor, reason, source,
       correlation_id, causation_id, command_id, data::text
FROM events WHERE type = ANY(%s) AND position > %s ORDER BY position

-- name: of_stream
SELECT position, event_id::text, stream, version, type, sku, key, recorded_at, actor, reason, source,
       correlation_id, causation_id, command_id, data::text
FROM events WHERE stream = %s AND version > %s AND position <= %s ORDER BY version

-- name: of_command
SELECT min(position), max(position), min(intent), min(recorded_at) FROM events WHERE command_id = %s

-- name: key_of
SELECT key FROM events WHERE stream = %s AND version = 1

-- name: keys
SELECT DISTINCT key FROM events WHERE key > %s AND key <> '@reference' AND position <= %s ORDER BY key LIMIT %s

-- name: stream_events
SELECT stream, version, type, data::text FROM events
WHERE stream = %s AND version > %s AND version <= %s ORDER BY version

-- name: count_by_type
SELECT type, count(*), min(recorded_at), max(recorded_at) FROM events GROUP BY type ORDER BY type

-- name: size
SELECT (SELECT position FROM head), (SELECT recorded_at FROM head), pg_table_size('events'),
       pg_indexes_size('events')

-- name: notifications
SELECT position, stream, version, type, data::text FROM events
WHERE position > %s AND position <= %s AND (cardinality(%s::text[]) = 0 OR type = ANY(%s::text[]))
ORDER BY position LIMIT %s

-- name: take_turn
SELECT position, greatest(recorded_at, clock_timestamp()) FROM head FOR UPDATE

-- name: versions_of
SELECT s.stream, e.version FROM unnest(%b::text[]) AS s(stream)
CROSS JOIN LATERAL (SELECT version FROM events WHERE stream = s.stream ORDER BY version DESC LIMIT 1) AS e

-- name: known_commands
SELECT c.id FROM unnest(%b::text[]) AS c(id)
WHERE (SELECT position FROM events WHERE command_id = c.id LIMIT 1) IS NOT NULL

-- name: of_commands
SELECT c.id, e.first_position, e.last_position, e.intent, e.at FROM unnest(%b::text[]) AS c(id)
CROSS JOIN LATERAL (
    SELECT min(position) AS first_position, max(position) AS last_position, min(intent) AS intent, min(recorded_at) AS at
    FROM events WHERE command_id = c.id
) AS e WHERE e.first_position IS NOT NULL

-- name: copy_in
COPY events (position, version, recorded_at, event_id, stream, type, sku, key, actor, reason, source, correlation_id,
             causation_id, command_id, intent, data) FROM STDIN (FORMAT BINARY)

-- name: move_head
UPDATE head SET position = %s, recorded_at = %s

-- name: put_snapshot
INSERT INTO snapshots AS s (stream, version, type, state) VALUES (%s, %s, %s, %s::json)
ON CONFLICT (stream) DO UPDATE
SET version = excluded.version, type = excluded.type, state = excluded.state, taken_at = clock_timestamp()
WHERE s.version < excluded.version OR s.type <> excluded.type

-- name: snapshot_of
SELECT stream, version, type, state::text FROM snapshots
WHERE stream = %s AND version > %s AND version <= %s AND type = ANY(%s)
