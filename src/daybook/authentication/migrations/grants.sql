-- What each role may do with the uses of grants.

GRANT SELECT ON access_uses TO daybook_append, daybook_project, daybook_deliver, daybook_audit, daybook_read;
GRANT INSERT, UPDATE ON access_uses TO daybook_append;
