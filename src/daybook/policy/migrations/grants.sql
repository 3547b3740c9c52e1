-- What each role may do with policies. The clock's process runs them; lists and what waits are asked by others.

GRANT SELECT ON policies, policy_groups, policy_parked
    TO daybook_append, daybook_project, daybook_deliver, daybook_clock, daybook_audit, daybook_read;
GRANT INSERT, UPDATE, DELETE ON policies, policy_groups, policy_parked TO daybook_clock;
