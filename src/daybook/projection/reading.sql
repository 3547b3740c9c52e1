-- name: page_of
-- A first row with the log's end, then the next events that are wanted: with the columns that `reader.recorded` decodes,
-- and no more of them once they have so many bytes; the first one always.
WITH candidates AS (
    SELECT * FROM events WHERE position > %(after)s AND {wanted} ORDER BY position LIMIT %(limit)s
), measured AS (
    SELECT *, sum(octet_length(data::text)) OVER (ORDER BY position ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
              AS bytes_before
    FROM candidates
), found AS (
    SELECT position, event_id::text, stream, version, type, sku, key, recorded_at, actor, reason, source,
           correlation_id, causation_id, command_id, access, data::text
    FROM measured WHERE bytes_before IS NULL OR bytes_before < %(bytes)s
    UNION ALL
    SELECT position, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL FROM head
)
SELECT * FROM found ORDER BY event_id IS NOT NULL, position
