-- Commands that other systems publish: how far they were taken, which, and what of them was refused.

CREATE TABLE inbox_position (
    one        boolean PRIMARY KEY DEFAULT true CHECK (one),
    stream     timestamptz,
    sequence   bigint NOT NULL DEFAULT 0,
    noted_at   timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE inbox_position IS 'one row: up to which message of the stream all were decided on';
COMMENT ON COLUMN inbox_position.stream IS 'when that stream was made: a new one is read from its beginning';
COMMENT ON COLUMN inbox_position.noted_at IS 'when whoever takes them was last there';
INSERT INTO inbox_position DEFAULT VALUES;

CREATE TABLE inbox_taken (
    command_id uuid PRIMARY KEY,
    sku        text,
    sequence   bigint NOT NULL,
    taken_at   timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX inbox_taken_of_sku ON inbox_taken (sku, taken_at) WHERE sku IS NOT NULL;
CREATE INDEX inbox_taken_at ON inbox_taken (taken_at);
COMMENT ON TABLE inbox_taken IS 'messages that were decided on, also those that changed nothing: none is decided on twice';

CREATE TABLE inbox_refused (
    number     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    command_id uuid NOT NULL UNIQUE,
    sender     text NOT NULL,
    subject    text NOT NULL,
    body       bytea NOT NULL,
    sequence   bigint NOT NULL,
    sku        text,
    refused_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    code       text NOT NULL,
    field      text,
    reason     text NOT NULL
);
COMMENT ON TABLE inbox_refused IS 'messages that could not be taken as they are, until a person retries or drops them';
