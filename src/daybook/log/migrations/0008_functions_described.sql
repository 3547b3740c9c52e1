-- Says in the database itself, where \df+ shows it, what each function of the log is for.
COMMENT ON FUNCTION refuse_change IS 'refuses UPDATE, DELETE and TRUNCATE of events; the trigger events_append_only calls it';
COMMENT ON FUNCTION position_at IS 'the position that held at a moment: SELECT position_at(''2026-03-01 09:00+00'')';
COMMENT ON FUNCTION append_commands IS 'appends many commands, each whole or not at all; positions are given under the lock of head';
COMMENT ON FUNCTION append_one IS 'append_commands for a lone event';
