-- name: stream_state
-- What is known of the stream, in one statement, so that what is told belongs together.
SELECT h.position AS head, s.published, s.bytes_max, s.message_bytes, s.said_at, s.trouble, s.reason, s.since,
       s.foreign_sequence, s.foreign_reason, s.foreign_at,
       (SELECT e.recorded_at FROM events e WHERE e.position = s.published + 1) AS oldest, clock_timestamp() AS now
FROM head h, stream_state s
