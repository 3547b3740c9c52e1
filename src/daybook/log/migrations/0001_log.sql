-- The log: one table of events, one row that holds its head. Append-only is the database's promise, not the program's.

CREATE TABLE events (
    position       bigint PRIMARY KEY,
    event_id       uuid NOT NULL,
    stream         text NOT NULL,
    version        bigint NOT NULL,
    type           text NOT NULL,
    sku            text,
    key            text NOT NULL,
    recorded_at    timestamptz NOT NULL,
    actor          text NOT NULL,
    reason         text,
    source         text NOT NULL,
    correlation_id text NOT NULL,
    causation_id   text,
    command_id     text NOT NULL,
    intent         bigint,
    data           json NOT NULL,
    UNIQUE (stream, version)
);

COMMENT ON TABLE events IS 'What happened, in order, never rubbed out. UPDATE, DELETE and TRUNCATE fail.';
COMMENT ON COLUMN events.position IS '1, 2, 3, ... without holes, in the order of commits; also the JetStream sequence';
COMMENT ON COLUMN events.key IS 'the product group: SKU of the topmost parent; @reference for the catalogue model';
COMMENT ON COLUMN events.recorded_at IS 'never goes back from one position to the next';
COMMENT ON COLUMN events.intent IS 'hash of the command, so that a command id that comes back with another command is refused';
COMMENT ON COLUMN events.data IS 'json, not jsonb: the exact text is kept';

-- A group's history, and with key = @reference the whole catalogue model.
CREATE INDEX events_by_key ON events (key, position);
-- Has this command been carried out before?
CREATE INDEX events_by_command ON events (command_id);

-- The log grows only at its end, so it never needs cleaning; it does need fresh statistics and a visibility map.
ALTER TABLE events SET (autovacuum_vacuum_insert_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.05);

CREATE TABLE head (
    single      boolean PRIMARY KEY DEFAULT true CHECK (single),
    position    bigint NOT NULL,
    recorded_at timestamptz NOT NULL
) WITH (fillfactor = 50);
INSERT INTO head (position, recorded_at) VALUES (0, '-infinity');
COMMENT ON TABLE head IS 'The last position given out. Its row lock is the turn to append; it is taken last and held until the commit.';

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the log is append-only: % on events is refused', TG_OP
        USING ERRCODE = 'insufficient_privilege', HINT = 'Record a new event that corrects the old one.';
END $$;
CREATE TRIGGER events_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
-- Also under session_replication_role = replica.
ALTER TABLE events ENABLE ALWAYS TRIGGER events_append_only;

-- The position that held at a moment: the last one recorded at or before it; 0 before the first. recorded_at never
-- goes back, so halving the range finds it in 24 look-ups for ten million events and needs no index of its own.
CREATE FUNCTION position_at(moment timestamptz) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
DECLARE
    low  bigint := 0;
    high bigint := (SELECT position FROM head);
    mid  bigint;
BEGIN
    WHILE low < high LOOP
        mid := (low + high + 1) / 2;
        IF (SELECT e.recorded_at FROM events e WHERE e.position = mid) <= moment THEN
            low := mid;
        ELSE
            high := mid - 1;
        END IF;
    END LOOP;
    RETURN low;
END $$;
