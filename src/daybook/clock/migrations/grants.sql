-- What each role may do with planned changes. The API folds them too: a list must not wait for the clock.

GRANT SELECT ON schedules, schedules_read
    TO daybook_append, daybook_project, daybook_deliver, daybook_clock, daybook_audit, daybook_read;
GRANT INSERT, UPDATE, DELETE ON schedules TO daybook_append, daybook_clock;
GRANT UPDATE ON schedules_read TO daybook_append, daybook_clock;

-- One clock at a time.
GRANT SELECT, INSERT, UPDATE ON leases TO daybook_clock;
