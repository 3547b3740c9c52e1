-- name: note_start_failures
-- Writes down what could not be started.
INSERT INTO start_failures (channel, role, error)
SELECT u.channel, %s, u.error FROM unnest(%s::text[], %s::text[]) AS u(channel, error)
ON CONFLICT (channel, role) DO UPDATE SET error = excluded.error, said_at = clock_timestamp(),
    since = CASE WHEN start_failures.said_at < clock_timestamp() - interval '30 seconds' THEN clock_timestamp()
                 ELSE start_failures.since END

-- name: start_failures
-- What could not be started and was said a moment ago.
SELECT channel, role, error FROM start_failures
WHERE said_at > clock_timestamp() - make_interval(secs => %s) ORDER BY channel, role
