-- What each role may do with what delivery is in doubt about.

GRANT SELECT ON doubts TO daybook_append, daybook_project, daybook_deliver, daybook_audit, daybook_read;
GRANT INSERT, UPDATE, DELETE ON doubts TO daybook_deliver;
