-- What the relay last said of the stream, so that whoever asks Postgres alone learns how it is, also when the relay is dead.
CREATE TABLE stream_state (
    single           boolean PRIMARY KEY DEFAULT true CHECK (single),
    published        bigint NOT NULL DEFAULT 0,
    bytes_max        bigint,
    message_bytes    bigint,
    said_at          timestamptz,
    trouble          text CHECK (trouble IN ('missing', 'stuck')),
    reason           text,
    since            timestamptz,
    foreign_sequence bigint,
    foreign_reason   text,
    foreign_at       timestamptz
) WITH (fillfactor = 50);
INSERT INTO stream_state DEFAULT VALUES;
COMMENT ON TABLE stream_state IS 'how the JetStream stream is, as its relay last said; one row';
COMMENT ON COLUMN stream_state.published IS 'the last position that is known to be in the stream';
COMMENT ON COLUMN stream_state.bytes_max IS 'so large may the stream grow; null while it is not known';
COMMENT ON COLUMN stream_state.message_bytes IS 'the largest message that the NATS server takes';
COMMENT ON COLUMN stream_state.since IS 'when the present trouble began';
COMMENT ON COLUMN stream_state.foreign_sequence IS 'the first message found that is not the log''s event of its number; null when none was found';
