-- What a worker may still do that lost its lanes without ending: see docs/decisions on older states.

ALTER TABLE delivery_workers ADD COLUMN pid int, ADD COLUMN session_began timestamptz;
COMMENT ON COLUMN delivery_workers.pid IS 'with session_began: the worker''s session; while it is there, the worker may be stopped, but is not gone';

CREATE TABLE doubts (
    channel       text NOT NULL,
    lane          text NOT NULL,
    owner         text NOT NULL,
    pid           int,
    session_began timestamptz,
    since         timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (channel, lane, owner)
);
COMMENT ON TABLE doubts IS 'lanes that were taken from a worker that may still send: brought anew once it is known to have ended';
COMMENT ON COLUMN doubts.pid IS 'null: the worker has told what it did, and nothing more of it can come';
