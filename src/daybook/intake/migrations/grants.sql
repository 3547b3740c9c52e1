-- What each role may do with what channels told: the API keeps it, and the intake, which works as the same role, takes it.

GRANT SELECT, INSERT, UPDATE, DELETE ON heard_orders, order_cursors TO daybook_append;
-- `daybook status` counts what stands still, and sees no body.
GRANT SELECT (channel, number, state, since, code, field, reason) ON heard_orders
    TO daybook_project, daybook_deliver, daybook_audit, daybook_read;
GRANT SELECT ON order_cursors TO daybook_project, daybook_deliver, daybook_audit, daybook_read;
