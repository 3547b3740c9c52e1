-- Since when a channel's work can't be started: what is said anew every few seconds would look young for ever.
ALTER TABLE start_failures ADD COLUMN since timestamptz NOT NULL DEFAULT clock_timestamp();
COMMENT ON COLUMN start_failures.since IS 'when it was first said of those that follow one another without a gap';
