-- What each role may do with the inbox: the intake takes, the API lists and retries, the others count.

GRANT SELECT, INSERT, UPDATE, DELETE ON inbox_position, inbox_taken, inbox_refused TO daybook_append;
GRANT SELECT ON inbox_position TO daybook_project, daybook_deliver, daybook_clock, daybook_audit, daybook_read;
GRANT SELECT (number, sender, sku, refused_at, code, field, reason) ON inbox_refused
    TO daybook_project, daybook_deliver, daybook_clock, daybook_audit, daybook_read;
