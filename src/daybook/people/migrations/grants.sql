-- What each role may do with what is known of people: the API keeps it. Whoever sends something to a channel has to know
-- whose erasure has begun, and reads what it has to tell a shipper or a CRM. Nobody else reads even what is sealed.

GRANT SELECT ON sealed_people, keys_home TO daybook_append, daybook_deliver;
GRANT SELECT ON erasures TO daybook_append, daybook_project, daybook_deliver, daybook_audit, daybook_read;
GRANT INSERT, UPDATE, DELETE ON sealed_people TO daybook_append;
GRANT INSERT, UPDATE ON erasures TO daybook_append;
GRANT INSERT ON keys_home TO daybook_append;
-- `daybook status` counts writes that were cut off, and sees no value of them.
GRANT SELECT (settled, sealed_at) ON sealed_people TO daybook_project, daybook_deliver, daybook_audit, daybook_read;
