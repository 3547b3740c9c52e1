-- name: position
-- Up to which message of which stream all were decided on.
SELECT stream, sequence FROM inbox_position

-- name: move
-- All up to this message were decided on; and that somebody is there.
UPDATE inbox_position SET stream = %s, sequence = %s, noted_at = clock_timestamp()

-- name: known
-- Which of these were decided on before, and as which message they were refused, where they were.
SELECT t.command_id, r.sequence FROM inbox_taken t LEFT JOIN inbox_refused r USING (command_id)
WHERE t.command_id = ANY(%s)

-- name: take
-- These were decided on.
INSERT INTO inbox_taken (command_id, sku, sequence)
SELECT * FROM unnest(%s::uuid[], %s::text[], %s::bigint[]) ON CONFLICT DO NOTHING

-- name: refuse
-- This can't be taken as it is, and why. One that is kept already gets the newer reason.
INSERT INTO inbox_refused AS r (command_id, sender, subject, body, sequence, sku, code, field, reason)
VALUES (%(command_id)s, %(sender)s, %(subject)s, %(body)s, %(sequence)s, %(sku)s, %(code)s, %(field)s, %(reason)s)
ON CONFLICT (command_id) DO UPDATE SET code = excluded.code, field = excluded.field, reason = excluded.reason,
    sequence = excluded.sequence, body = excluded.body, subject = excluded.subject, sku = excluded.sku

-- name: settle
-- These were refused, were sent once more, and are taken now.
DELETE FROM inbox_refused WHERE command_id = ANY(%s)

-- name: forget
-- What was decided on so long ago that no message of then is left.
DELETE FROM inbox_taken WHERE taken_at < clock_timestamp() - make_interval(days => %s)

-- name: list
-- Those that were refused, the oldest first.
SELECT number, sender, sku, refused_at, code, field, reason, body FROM inbox_refused
WHERE number > %s ORDER BY number LIMIT %s

-- name: one
-- One that was refused.
SELECT number, sender, sku, refused_at, code, field, reason, body, subject, sequence, command_id
FROM inbox_refused WHERE number = %s

-- name: later
-- How many messages about the SKU were taken after this one came.
SELECT count(*) FROM inbox_taken t, inbox_refused r
WHERE r.number = %(number)s AND t.sku = %(sku)s AND t.taken_at > r.refused_at

-- name: drop
-- It was taken after all, or will not be.
DELETE FROM inbox_refused WHERE number = %s RETURNING number

-- name: still_refused
-- A person tried it again.
UPDATE inbox_refused SET code = %(code)s, field = %(field)s, reason = %(reason)s WHERE number = %(number)s
