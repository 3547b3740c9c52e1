-- name: cursor
-- How far a channel was asked.
SELECT since, newest, page FROM order_cursors WHERE channel = %s

-- name: begin
-- From when on a channel's orders are taken, the first time.
INSERT INTO order_cursors (channel, since) VALUES (%s, %s) ON CONFLICT (channel) DO NOTHING RETURNING 1

-- name: want
-- Whether the channel's settings let its orders in. It goes on where it was.
UPDATE order_cursors SET wanted = %(wanted)s, error = NULL, failing = NULL
WHERE channel = %(channel)s AND wanted <> %(wanted)s RETURNING 1

-- name: move
-- A page was kept.
UPDATE order_cursors SET since = %(since)s, newest = %(newest)s, page = %(page)s, asked_at = clock_timestamp(),
       error = NULL, failing = NULL
WHERE channel = %(channel)s RETURNING 1

-- name: fail
-- The channel can't be asked.
UPDATE order_cursors SET error = %(error)s, failing = coalesce(failing, clock_timestamp())
WHERE channel = %(channel)s RETURNING 1
