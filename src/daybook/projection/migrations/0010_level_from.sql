-- A channel that is added while somebody writes without end still gets its first delivery: what may hold receipts of its
-- own is what the log had when the generation began, not what it has by the time that this was read.
ALTER TABLE generations ADD COLUMN level_from bigint;
COMMENT ON COLUMN generations.level_from IS
    'the head of the log when it began; once it has read so far it is level, and deliveries begin. Null: the head of now';
UPDATE generations g SET level_from = h.position FROM head h WHERE g.level_at IS NULL AND g.state = 'live';
