-- A failover that is under way, so that the same command again goes on where it was cut off.
ALTER TABLE stream_state ADD COLUMN failover json;
COMMENT ON COLUMN stream_state.failover IS 'how far daybook failover came; null when none is under way';
