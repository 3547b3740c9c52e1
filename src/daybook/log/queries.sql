-- name: append
-- Many commands at once: arrays, in the order in which the function declares them.
SELECT command, outcome, first_position, last_position, first_intent, stream, actual, at
FROM append_commands(
    %b::text[], %b::bigint[], %b::text[], %b::text[], %b::text[], %b::text[], %b::text[], %b::text[],
    %b::bigint[], %b::uuid[], %b::text[], %b::bigint[], %b::text[], %b::text[], %b::text[], %b::text[])

-- name: append_one
-- One command, in the order in which the function declares its parameters.
SELECT command, outcome, first_position, last_position, first_intent, stream, actual, at
FROM append_one(
    %b::text, %b::bigint, %b::text, %b::text, %b::text, %b::text, %b::text, %b::text,
    %b::text::uuid, %b::text, %b::bigint, %b::text, %b::text, %b::text, %b::text)

-- name: now
-- The book's time: never before that of its last event, also when the server's clock was set back.
SELECT greatest(recorded_at, clock_timestamp()) FROM head

-- name: head
-- The log's end.
SELECT position FROM head

-- name: position_at
-- Now is the log's end also while the clock, which was set back, shows a time before that of the last event.
SELECT CASE WHEN h.recorded_at > clock_timestamp() AND asked >= clock_timestamp() - interval '5 seconds'
            THEN h.position ELSE position_at(asked) END
FROM head h, CAST(%s AS timestamptz) AS asked

-- name: after
-- Events in order of position: the columns that `reader.recorded` decodes, as in all that follow.
SELECT position, event_id::text, stream, version, type, sku, key, recorded_at, actor, reason, source,
       correlation_id, causation_id, command_id, access, data::text
FROM events WHERE position > %(after)s AND position <= %(upto)s ORDER BY position LIMIT %(limit)s

-- name: page
-- The same, but no more once the events so far have so many bytes; the first one always. What is not compressed is
-- measured as it lies, so that only long events are looked into.
SELECT position, event_id::text, stream, version, type, sku, key, recorded_at, actor, reason, source,
       correlation_id, causation_id, command_id, access, data::text
FROM (
    SELECT *, sum(CASE WHEN pg_column_compression(data) IS NULL THEN pg_column_size(data) ELSE octet_length(data::text) END)
              OVER (ORDER BY position ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS bytes_before
    FROM (SELECT * FROM events WHERE position > %(after)s AND position <= %(upto)s ORDER BY position LIMIT %(limit)s) AS candidates
) AS measured
WHERE bytes_before IS NULL OR bytes_before < %(bytes)s ORDER BY position

-- name: digest
-- What `log/digest.py` makes of the same events. E'\x1f' stands between columns, E'\x1e' for one that is null.
SELECT count(*), sha256(convert_to(string_agg(line, E'\n'), 'UTF8'))
FROM (
    SELECT concat_ws(E'\x1f', position, event_id, stream, version, type, coalesce(sku, E'\x1e'), key,
                     encode(timestamptz_send(recorded_at), 'hex'), actor, coalesce(reason, E'\x1e'), source,
                     correlation_id, coalesce(causation_id, E'\x1e'), command_id, coalesce(access, E'\x1e'), data) AS line
    FROM events WHERE position > %s AND position <= %s ORDER BY position
) AS lines

-- name: last
-- The newest events, newest first.
SELECT position, event_id::text, stream, version, type, sku, key, recorded_at, actor, reason, source,
       correlation_id, causation_id, command_id, access, data::text
FROM events ORDER BY position DESC LIMIT %s

-- name: of_key
-- A product group's events.
SELECT position, event_id::text, stream, version, type, sku, key, recorded_at, actor, reason, source,
       correlation_id, causation_id, command_id, access, data::text
FROM events WHERE key = %(key)s AND position > %(after)s AND position <= %(upto)s ORDER BY position

-- name: of_types
-- Every event of some types.
SELECT position, event_id::text, stream, version, type, sku, key, recorded_at, actor, reason, source,
       correlation_id, causation_id, command_id, access, data::text
FROM events WHERE type = ANY(%s) AND position > %s ORDER BY position

-- name: of_types_after
-- A page of the events of some types.
SELECT position, event_id::text, stream, version, type, sku, key, recorded_at, actor, reason, source,
       correlation_id, causation_id, command_id, access, data::text
FROM events WHERE type = ANY(%(types)s) AND position > %(after)s AND position <= %(upto)s
ORDER BY position LIMIT %(limit)s

-- name: of_stream
-- A stream's events.
SELECT position, event_id::text, stream, version, type, sku, key, recorded_at, actor, reason, source,
       correlation_id, causation_id, command_id, access, data::text
FROM events WHERE stream = %(stream)s AND version > %(after)s AND position <= %(upto)s ORDER BY version

-- name: of_command
-- What a command that was carried out before has appended.
SELECT min(position), max(position), min(intent), min(recorded_at) FROM events WHERE command_id = %s

-- name: products_of
-- How many products a group has.
SELECT count(*) FROM events WHERE key = %s AND type = 'product.created.v1'

-- name: key_of
-- The group of a product's stream.
SELECT key FROM events WHERE stream = %s AND version = 1

-- name: groups_after
-- Product groups in order of key, with the position of their first event. One probe of the index for each, however many
-- events it has; keys of no group are passed over in one go.
WITH RECURSIVE walk AS (
    (SELECT key, position FROM events WHERE key > %s AND left(key, 1) <> '@' ORDER BY key, position LIMIT 1)
    UNION ALL
    SELECT n.key, n.position FROM walk w CROSS JOIN LATERAL (
        SELECT key, position FROM events WHERE key > w.key AND left(key, 1) <> '@' ORDER BY key, position LIMIT 1) n
)
SELECT key, position FROM walk LIMIT %s

-- name: stream_events
-- A stream's events as the library wants them.
SELECT stream, version, type, data::text FROM events
WHERE stream = %(stream)s AND version > %(after)s AND version <= %(upto)s ORDER BY version

-- name: count_by_type
-- How many events of each type there are.
SELECT type, count(*), min(recorded_at), max(recorded_at) FROM events GROUP BY type ORDER BY type

-- name: size
-- How large the log is.
SELECT (SELECT position FROM head), (SELECT recorded_at FROM head), pg_table_size('events'),
       pg_indexes_size('events')

-- name: notifications
-- Events in order of position as the library wants them.
SELECT position, stream, version, type, data::text FROM events
WHERE position > %(after)s AND position <= %(upto)s AND (cardinality(%(types)s::text[]) = 0 OR type = ANY(%(types)s::text[]))
ORDER BY position LIMIT %(limit)s

-- name: take_turn
-- Holds the log's end still: one append after the other.
SELECT position, greatest(recorded_at, clock_timestamp()) FROM head FOR UPDATE

-- name: versions_of
-- The version of some streams.
SELECT s.stream, e.version FROM unnest(%b::text[]) AS s(stream)
CROSS JOIN LATERAL (SELECT version FROM events WHERE stream = s.stream ORDER BY version DESC LIMIT 1) AS e

-- name: known_commands
-- Which of these commands were carried out before.
SELECT c.id FROM unnest(%b::text[]) AS c(id)
WHERE (SELECT position FROM events WHERE command_id = c.id LIMIT 1) IS NOT NULL

-- name: of_commands
-- What commands that were carried out before have appended.
SELECT c.id, e.first_position, e.last_position, e.intent, e.at FROM unnest(%b::text[]) AS c(id)
CROSS JOIN LATERAL (
    SELECT min(position) AS first_position, max(position) AS last_position, min(intent) AS intent, min(recorded_at) AS at
    FROM events WHERE command_id = c.id
) AS e WHERE e.first_position IS NOT NULL

-- name: copy_in
-- Takes events of an import.
COPY events (position, version, recorded_at, event_id, stream, type, sku, key, actor, reason, source, correlation_id,
             causation_id, command_id, intent, access, data) FROM STDIN (FORMAT BINARY)

-- name: move_head
-- Moves the log's end behind what was copied.
UPDATE head SET position = %s, recorded_at = %s

-- name: put_snapshot
-- Keeps the newest, and none that was taken at an event that the log does not have.
INSERT INTO snapshots AS s (stream, version, type, state, event_id)
SELECT %(stream)s, %(version)s, %(type)s, %(state)s::json, e.event_id
FROM events e WHERE e.stream = %(stream)s AND e.version = %(version)s
ON CONFLICT (stream) DO UPDATE
SET version = excluded.version, type = excluded.type, state = excluded.state, event_id = excluded.event_id,
    taken_at = clock_timestamp()
WHERE s.version < excluded.version OR s.type <> excluded.type OR s.event_id IS DISTINCT FROM
      (SELECT e.event_id FROM events e WHERE e.stream = s.stream AND e.version = s.version)

-- name: stream_from
-- A stream's events from a version on, each with its own id: what a state that is known goes on with.
SELECT event_id::text, version, type, data::text FROM events WHERE stream = %s AND version >= %s ORDER BY version

-- name: streams_from
-- The same of several streams, each from a version of its own on.
SELECT w.stream, e.event_id::text, e.version, e.type, e.data::text
FROM unnest(%b::text[], %b::bigint[]) AS w(stream, since)
CROSS JOIN LATERAL (SELECT event_id, version, type, data FROM events
                    WHERE stream = w.stream AND version >= w.since ORDER BY version) AS e
ORDER BY w.stream, e.version

-- name: snapshot_of
-- A stream's snapshot, if its version lies within bounds and its event is still the log's.
SELECT s.stream, s.version, s.type, s.state::text, s.event_id::text
FROM snapshots s JOIN events e ON e.stream = s.stream AND e.version = s.version AND e.event_id = s.event_id
WHERE s.stream = %(stream)s AND s.version > %(after)s AND s.version <= %(upto)s AND s.type = ANY(%(types)s)

-- name: chosen_of_correlation
-- Where the events of one cause are, and whose they are.
SELECT position, key, type FROM events WHERE correlation_id = %(correlation)s ORDER BY position LIMIT %(limit)s

-- name: chosen_between
-- The same of the events after one position and up to another, of one actor or of all.
SELECT position, key, type FROM events
WHERE position > %(after)s AND position <= %(upto)s AND (%(by)s::text IS NULL OR actor = %(by)s)
ORDER BY position LIMIT %(limit)s

-- name: changed_groups
-- The next product groups, in order of key, of which something was recorded between two positions, but for receipts.
SELECT DISTINCT key FROM events
WHERE position > %(low)s AND position <= %(high)s AND key > %(after)s AND left(key, 1) <> '@' AND type NOT LIKE 'listing.%%'
ORDER BY key LIMIT %(limit)s
