-- What is planned and has not come, and what was refused when it came: folded from the log's events of the key @schedule.
-- Drop the rows and set the position to 0 at any time: whoever looks next folds them again.
CREATE TABLE schedules (
    schedule       text PRIMARY KEY,
    sku            text NOT NULL,
    state          text NOT NULL CHECK (state IN ('planned', 'refused')),
    due_at         timestamptz NOT NULL,
    position       bigint NOT NULL,
    event_id       text NOT NULL,
    planned_at     timestamptz NOT NULL,
    actor          text NOT NULL,
    reason         text,
    access         text,
    correlation_id text NOT NULL,
    change         json NOT NULL,
    refused_at     timestamptz,
    refused_code   text,
    refused        text
);
CREATE INDEX schedules_due ON schedules (state, due_at, position);
CREATE INDEX schedules_of_sku ON schedules (sku, due_at);
COMMENT ON TABLE schedules IS 'changes that hold from a moment on and have not come, and those that were refused when they came';
COMMENT ON COLUMN schedules.position IS 'of the event that planned it, or moved it last: of two that are due at once, the lower one comes first';

CREATE TABLE schedules_read (position bigint NOT NULL);
INSERT INTO schedules_read VALUES (0);
COMMENT ON TABLE schedules_read IS 'the position up to which the log was folded into schedules';
