-- Where every projection stands. Its listings are in tables of their own, one pair for each generation:
-- states_<name>_<generation> and listings_<name>_<generation>, made by daybook.channel.generations.

CREATE TABLE projections (
    name       text PRIMARY KEY,
    live       int NOT NULL,
    paused     boolean NOT NULL DEFAULT false
);
COMMENT ON COLUMN projections.live IS 'the generation that readers and the delivery see';
COMMENT ON COLUMN projections.paused IS 'deliveries wait; the listings go on';

CREATE TABLE generations (
    projection      text NOT NULL REFERENCES projections (name) DEFERRABLE INITIALLY DEFERRED,
    generation      int NOT NULL,
    code_version    int NOT NULL,
    position        bigint NOT NULL DEFAULT 0,
    reference_from  text,
    level_at        timestamptz,
    moved_at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    failure         json,
    created_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (projection, generation)
) WITH (fillfactor = 50);
COMMENT ON COLUMN generations.position IS 'the checkpoint: moved by compare-and-set in the transaction that wrote the listings';
COMMENT ON COLUMN generations.reference_from IS
    'the reference changed: groups with a greater key are still to be rendered again; null when none are';
COMMENT ON COLUMN generations.level_at IS
    'when it first had every event that the log then had; nothing is delivered before, as receipts may still be unread';

-- What each channel should show and what it said it shows, facet by facet.
CREATE TABLE deliveries (
    channel          text NOT NULL,
    sku              text NOT NULL,
    facet            text NOT NULL,
    lane             text NOT NULL,
    key              text NOT NULL,
    rank             smallint NOT NULL,
    desired          bytea,
    desired_position bigint NOT NULL DEFAULT 0,
    acknowledged     bytea,
    receipt_position bigint NOT NULL DEFAULT 0,
    state            text NOT NULL CHECK (state IN ('due', 'accepted', 'confirmed', 'rejected')),
    attempts         int NOT NULL DEFAULT 0,
    submission       text,
    submitted        bytea,
    reasons          json,
    PRIMARY KEY (channel, sku, facet)
) WITH (fillfactor = 70);
CREATE INDEX deliveries_by_lane ON deliveries (channel, lane);
COMMENT ON COLUMN deliveries.desired IS 'hash of the payload that should be there; null: it should not be there';
COMMENT ON COLUMN deliveries.acknowledged IS 'hash of the payload that the channel last confirmed';
COMMENT ON COLUMN deliveries.desired_position IS 'position of the change that the desired payload shows';
COMMENT ON COLUMN deliveries.receipt_position IS 'position of the newest receipt that was taken into account';

-- One request at a time in each lane. The row's lock is the claim; the lease tells a dead worker from a slow one.
CREATE TABLE lanes (
    channel      text NOT NULL,
    lane         text NOT NULL,
    next_try     timestamptz,
    attempts     int NOT NULL DEFAULT 0,
    owner        text,
    leased_until timestamptz,
    last_error   text,
    PRIMARY KEY (channel, lane)
) WITH (fillfactor = 70);
CREATE INDEX lanes_next ON lanes (channel, next_try) WHERE next_try IS NOT NULL;
COMMENT ON COLUMN lanes.next_try IS 'when there is something to do; null when there is nothing';

CREATE TABLE remote_ids (
    channel   text NOT NULL,
    sku       text NOT NULL,
    key       text NOT NULL,
    remote_id text NOT NULL,
    PRIMARY KEY (channel, sku)
);
CREATE INDEX remote_ids_by_key ON remote_ids (channel, key);

-- Every attempt, and every body once.
CREATE TABLE bodies (
    hash bytea PRIMARY KEY,
    body json NOT NULL
);
CREATE TABLE attempts (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at           timestamptz NOT NULL,
    channel      text NOT NULL,
    sku          text NOT NULL,
    facet        text NOT NULL,
    position     bigint NOT NULL,
    payload      bytea,
    outcome      text NOT NULL,
    detail       text,
    method       text,
    url          text,
    request      bytea,
    status       int,
    answer       text,
    milliseconds real
);
CREATE INDEX attempts_of_sku ON attempts (channel, sku, id);
COMMENT ON TABLE attempts IS 'one row for each HTTP request to a channel; append-only by habit, prunable';
