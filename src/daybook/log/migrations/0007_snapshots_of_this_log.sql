-- A snapshot names the event that it was taken at. After the log came back at an earlier moment, one that rests on events
-- that are gone is not taken for the state, also when other events have come to the same versions. Those without the name
-- of an event are ignored, and replaced when the next one is due.
ALTER TABLE snapshots ADD COLUMN event_id uuid;
COMMENT ON COLUMN snapshots.event_id IS 'the event of this stream and version at which it was taken';
