-- Channels whose work could not be started, for people. Said anew while it lasts, so a row that grew old holds no longer.
CREATE TABLE start_failures (
    channel text NOT NULL,
    role    text NOT NULL,
    error   text NOT NULL,
    said_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (channel, role)
) WITH (fillfactor = 50);
COMMENT ON COLUMN start_failures.error IS 'what to do about it; never a credential';
