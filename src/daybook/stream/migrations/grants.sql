-- What each role may do with what is known of the stream: the relay says how it is, and whoever reads it what is foreign.

GRANT SELECT ON stream_state
    TO daybook_append, daybook_relay, daybook_project, daybook_deliver, daybook_audit, daybook_read;
GRANT UPDATE ON stream_state TO daybook_relay, daybook_project;
