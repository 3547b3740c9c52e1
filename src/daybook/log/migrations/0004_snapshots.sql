-- States of long streams, so that loading one does not read all of its events. Derived data: drop it at any time.
CREATE TABLE snapshots (
    stream   text PRIMARY KEY,
    version  bigint NOT NULL,
    type     text NOT NULL,
    state    json NOT NULL,
    taken_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON COLUMN snapshots.type IS 'noun and version of the fold that made it; a snapshot of another fold is ignored';
