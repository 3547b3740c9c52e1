-- name: clock
-- The time of the last event, and of now.
SELECT recorded_at, clock_timestamp() FROM head WHERE position > 0
