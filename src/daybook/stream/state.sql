-- name: published
-- The stream took everything up to here, or has it: whatever the trouble was, it is over.
UPDATE stream_state
SET published = %(position)s, said_at = clock_timestamp(), trouble = NULL, reason = NULL, since = NULL

-- name: sizes
-- How large the stream may grow, and a message may be.
UPDATE stream_state SET bytes_max = %(stream)s, message_bytes = %(message)s
WHERE (bytes_max, message_bytes) IS DISTINCT FROM (%(stream)s, %(message)s)

-- name: keep_replicas
-- On how many servers the stream is.
UPDATE stream_state SET replicas = %(replicas)s WHERE replicas <> %(replicas)s

-- name: replicas
-- On how many it was.
SELECT replicas FROM stream_state

-- name: trouble
-- Nothing is published. The same trouble in other words goes on since it began.
UPDATE stream_state
SET published = %(position)s, trouble = %(trouble)s, reason = %(reason)s, said_at = clock_timestamp(),
    since = CASE WHEN trouble IS NULL THEN clock_timestamp() ELSE since END

-- name: foreign
-- A message is not the log's; the first that was found stays.
UPDATE stream_state
SET foreign_sequence = %(sequence)s, foreign_reason = %(reason)s, foreign_at = clock_timestamp()
WHERE foreign_sequence IS NULL

-- name: made
-- A new stream holds nothing that is foreign.
UPDATE stream_state SET foreign_sequence = NULL, foreign_reason = NULL, foreign_at = NULL
