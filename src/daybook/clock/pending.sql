-- name: unread
-- Whether the log has events of planned changes that were not folded yet.
SELECT EXISTS (SELECT 1 FROM events WHERE key = '@schedule' AND position > (SELECT position FROM schedules_read))

-- name: lock_read
-- Up to where it was folded. Whoever folds waits for whoever does.
SELECT position FROM schedules_read FOR UPDATE

-- name: keep_read
-- It is folded up to here.
UPDATE schedules_read SET position = %s

-- name: events_after
-- The next events of planned changes.
SELECT position, event_id::text, stream, version, type, sku, key, recorded_at, actor, reason, source,
       correlation_id, causation_id, command_id, access, data::text
FROM events WHERE key = '@schedule' AND position > %s ORDER BY position LIMIT %s

-- name: plan
-- A change was planned.
INSERT INTO schedules (schedule, sku, state, due_at, position, event_id, planned_at, actor, reason, access,
                       correlation_id, change)
VALUES (%(schedule)s, %(sku)s, 'planned', %(due_at)s, %(position)s, %(event_id)s, %(planned_at)s, %(actor)s, %(reason)s,
        %(access)s, %(correlation_id)s, %(change)s)
ON CONFLICT (schedule) DO NOTHING

-- name: move
-- It is due at another moment.
UPDATE schedules SET state = 'planned', due_at = %(due_at)s, position = %(position)s, event_id = %(event_id)s,
    refused_at = NULL, refused_code = NULL, refused = NULL
WHERE schedule = %(schedule)s

-- name: refuse
-- It was refused when its moment came.
UPDATE schedules SET state = 'refused', refused_at = %(at)s, refused_code = %(code)s, refused = %(why)s
WHERE schedule = %(schedule)s

-- name: forget
-- It came, or was withdrawn.
DELETE FROM schedules WHERE schedule = %(schedule)s

-- name: due
-- What is due, in the order in which it falls due.
SELECT schedule, due_at, position, event_id, actor, reason, access, correlation_id, sku, change->>'type'
FROM schedules
WHERE state = 'planned' AND due_at <= (SELECT greatest(recorded_at, clock_timestamp()) FROM head)
ORDER BY due_at, position LIMIT %s

-- name: soon
-- What will be due within so many seconds, in that order.
SELECT sku, change->>'type'
FROM schedules
WHERE state = 'planned' AND due_at <= (SELECT greatest(recorded_at, clock_timestamp()) FROM head) + make_interval(secs => %s)
ORDER BY due_at, position LIMIT %s

-- name: next_seconds
-- How long until the next one is due; nothing when none is planned.
SELECT extract(epoch FROM due_at - (SELECT greatest(recorded_at, clock_timestamp()) FROM head))::float8
FROM schedules WHERE state = 'planned' ORDER BY due_at LIMIT 1

-- name: page
-- Planned changes, or refused ones, in the order in which they fall due.
SELECT schedule, sku, state, due_at, position, planned_at, actor, reason, change::text, refused_at, refused
FROM schedules
WHERE state = %(state)s AND (%(sku)s::text IS NULL OR sku = %(sku)s)
    AND (due_at, position) > (%(after_due)s::timestamptz, %(after_position)s::bigint)
ORDER BY due_at, position LIMIT %(limit)s
