-- What each role may do with the uses of grants.

GRANT SELECT ON access_uses TO daybook_append, daybook_project, daybook_deliver, daybook_audit, daybook_read;
GRANT INSERT, UPDATE ON access_uses TO daybook_append;
-- Who is logged in is the API's business, and an auditor's; the hash of what a browser shows is the API's alone.
GRANT SELECT (session_id, user_id, identity_id, began_at, last_used_at, expires_at, ended_at)
    ON login_sessions TO daybook_audit, daybook_read;
GRANT SELECT, INSERT, UPDATE, DELETE ON login_sessions TO daybook_append;
