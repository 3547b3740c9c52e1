-- What each role may do with people's keys: the API seals and opens with them, and destroys them. The delivery opens what
-- it has to tell somebody at the moment of a call. Nobody else sees them.

REVOKE ALL ON ALL TABLES IN SCHEMA daybook_keys
    FROM daybook_append, daybook_relay, daybook_project, daybook_deliver, daybook_audit, daybook_read;
GRANT USAGE ON SCHEMA daybook_keys TO daybook_append, daybook_deliver;
GRANT SELECT ON daybook_keys.home, daybook_keys.person_keys, daybook_keys.erased TO daybook_append, daybook_deliver;
GRANT INSERT, UPDATE, DELETE ON daybook_keys.person_keys TO daybook_append;
GRANT INSERT ON daybook_keys.erased TO daybook_append;
