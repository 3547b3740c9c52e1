-- What each role may do with the log, applied anew by `daybook migrate --roles`: what is not said here nobody but the owner
-- may do. Nobody may change or remove an event, and only those who own a table may alter it or switch its trigger off.

GRANT SELECT ON events, head, migrations
    TO daybook_append, daybook_relay, daybook_project, daybook_deliver, daybook_clock, daybook_audit, daybook_read;
GRANT SELECT ON snapshots, changed_today
    TO daybook_append, daybook_project, daybook_deliver, daybook_clock, daybook_audit, daybook_read;

-- Commands, what falls due, and receipts of what a channel said.
GRANT INSERT ON events TO daybook_append, daybook_deliver, daybook_clock;
-- The timeline: who may append may also say to an old primary that nobody may any more.
GRANT UPDATE (position, recorded_at, system, timeline) ON head TO daybook_append, daybook_deliver, daybook_clock;
GRANT INSERT, UPDATE ON snapshots TO daybook_append, daybook_deliver, daybook_clock;
