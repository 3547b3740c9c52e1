-- What the delivery remembers beyond one worker's life.

-- One row for each channel that did not answer lately. Every worker of the channel keeps to it, a new one as well.
CREATE TABLE breakers (
    channel     text PRIMARY KEY,
    failures    int NOT NULL DEFAULT 0,
    open_until  timestamptz NOT NULL DEFAULT '-infinity',
    quiet_until timestamptz NOT NULL DEFAULT '-infinity',
    reason      text,
    changed_at  timestamptz NOT NULL DEFAULT clock_timestamp()
) WITH (fillfactor = 50);
COMMENT ON COLUMN breakers.failures IS 'in a row, of the whole channel; from 3 on it counts as down';
COMMENT ON COLUMN breakers.open_until IS 'nothing is sent before; then one lane, to see whether the channel is back';
COMMENT ON COLUMN breakers.quiet_until IS 'the channel asked for a pause: no failure';

-- Who calls a channel now, so that its workers share the rates that it allows.
CREATE TABLE delivery_workers (
    channel     text NOT NULL,
    owner       text NOT NULL,
    alive_until timestamptz NOT NULL,
    PRIMARY KEY (channel, owner)
) WITH (fillfactor = 50);

ALTER TABLE deliveries
    ADD COLUMN submitted_at timestamptz,
    ADD COLUMN confirmed_at timestamptz,
    ADD COLUMN again boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN deliveries.submitted_at IS 'when the channel accepted the submission that is under way';
COMMENT ON COLUMN deliveries.confirmed_at IS 'when the channel last confirmed';
COMMENT ON COLUMN deliveries.again IS 'to be sent although it was acknowledged: a person, a drift or the refresh asks for it';

ALTER TABLE lanes ADD COLUMN touched boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN lanes.touched IS 'there is news since it was claimed: a worker that found nothing to send must look again';

ALTER TABLE projections ADD COLUMN paused_because text;
COMMENT ON COLUMN projections.paused_because IS 'the channel itself asked not to be called any more; null when a person paused it';

COMMENT ON COLUMN attempts.request IS 'sha-256 of the body that was sent; the body itself is in bodies';
