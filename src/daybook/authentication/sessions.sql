-- name: begin
-- A session of a login that did not begin one before; no row when it did.
INSERT INTO login_sessions (session_id, secret_hash, login_hash, user_id, identity_id, began_at, last_used_at, expires_at)
VALUES (%(session)s, %(secret)s, %(login)s, %(user)s, %(identity)s, clock_timestamp(), clock_timestamp(), %(expires)s)
ON CONFLICT DO NOTHING
RETURNING session_id

-- name: find
-- The session while it holds, with the hash of its secret.
SELECT secret_hash, session_id, user_id, identity_id, began_at, last_used_at, expires_at
FROM login_sessions
WHERE session_id = %(session)s AND ended_at IS NULL
  AND expires_at > clock_timestamp() AND last_used_at > clock_timestamp() - make_interval(secs => %(idle)s)

-- name: use
-- Notes that the session was used, at most once a minute.
UPDATE login_sessions SET last_used_at = clock_timestamp()
WHERE session_id = %s AND ended_at IS NULL AND last_used_at < clock_timestamp() - interval '1 minute'

-- name: end
-- Ends a session that holds; no row for one that does not.
UPDATE login_sessions SET ended_at = clock_timestamp()
WHERE session_id = %(session)s AND ended_at IS NULL
  AND expires_at > clock_timestamp() AND last_used_at > clock_timestamp() - make_interval(secs => %(idle)s)
RETURNING session_id, user_id, identity_id, began_at, last_used_at, expires_at

-- name: standing
-- The sessions that hold, the newest first.
SELECT session_id, user_id, identity_id, began_at, last_used_at, expires_at
FROM login_sessions
WHERE ended_at IS NULL
  AND expires_at > clock_timestamp() AND last_used_at > clock_timestamp() - make_interval(secs => %(idle)s)
ORDER BY began_at DESC, session_id

-- name: forget
-- Removes what ended a week ago: by then no login that began one could be repeated.
DELETE FROM login_sessions
WHERE least(ended_at, expires_at, last_used_at + make_interval(secs => %(idle)s)) < clock_timestamp() - interval '7 days'
