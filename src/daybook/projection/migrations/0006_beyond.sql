-- A generation that was found to be ahead of the log has folded what the log does not have. It stays marked when the log
-- has grown past it, as the true events of those positions were never folded.
ALTER TABLE generations ADD COLUMN beyond bigint;
-- Earlier versions believed the stream: those that it has led beyond the log are found before the log grows past them.
UPDATE generations g SET beyond = h.position FROM head h WHERE g.position > h.position;
COMMENT ON COLUMN generations.beyond IS 'where the log ended when this generation was found to be ahead of it; null for all others';
