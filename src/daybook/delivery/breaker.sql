-- name: put_breaker
-- Tells the other workers of a channel's health.
INSERT INTO breakers AS b (channel, failures, open_until, quiet_until, reason)
VALUES (%(channel)s, %(failures)s, clock_timestamp() + %(open)s * interval '1 second', clock_timestamp() + %(quiet)s * interval '1 second', %(reason)s)
ON CONFLICT (channel) DO UPDATE
SET failures = excluded.failures, open_until = excluded.open_until, quiet_until = excluded.quiet_until,
    reason = excluded.reason, changed_at = clock_timestamp()
RETURNING changed_at
