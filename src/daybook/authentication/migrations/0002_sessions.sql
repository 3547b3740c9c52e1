-- Logins with a browser. That one began and ended is an event; this is what a request is compared with.
-- Drop the rows at any time: everybody has to log in again.
CREATE TABLE login_sessions (
    session_id   text PRIMARY KEY,
    secret_hash  text NOT NULL,
    login_hash   text NOT NULL UNIQUE,
    user_id      text NOT NULL,
    identity_id  text NOT NULL,
    began_at     timestamptz NOT NULL,
    last_used_at timestamptz NOT NULL,
    expires_at   timestamptz NOT NULL,
    ended_at     timestamptz
) WITH (fillfactor = 80);
CREATE INDEX login_sessions_by_user ON login_sessions (user_id, began_at);
COMMENT ON TABLE login_sessions IS 'logins with a browser: a hash of what the browser shows, and until when it is taken';
COMMENT ON COLUMN login_sessions.login_hash IS 'of the login that it began with, which counts once';
