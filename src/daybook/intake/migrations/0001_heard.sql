-- What channels tell of their orders: kept before it is answered, decided on by the role `intake`.

CREATE TABLE heard_orders (
    channel    text NOT NULL,
    number     text NOT NULL,
    stamp      timestamptz,
    digests    bytea[] NOT NULL DEFAULT '{}',
    revision   bigint NOT NULL DEFAULT 1,
    source     text NOT NULL,
    body       bytea,
    key        uuid,
    person     uuid,
    state      text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'taken', 'refused', 'dismissed')),
    since      timestamptz NOT NULL DEFAULT clock_timestamp(),
    code       text,
    field      text,
    reason     text,
    PRIMARY KEY (channel, number)
);
CREATE INDEX heard_orders_standing ON heard_orders (since) WHERE state IN ('waiting', 'refused');
CREATE INDEX heard_orders_of_people ON heard_orders (person) WHERE person IS NOT NULL;
COMMENT ON TABLE heard_orders IS 'one row an order: the newest that its channel said of it';
COMMENT ON COLUMN heard_orders.stamp IS 'when the channel changed it, by its own clock: what is older is passed over';
COMMENT ON COLUMN heard_orders.digests IS 'sha256 of the bodies with this stamp: each is taken once';
COMMENT ON COLUMN heard_orders.body IS 'as it came, sealed with a key of its own; gone once it was taken';
COMMENT ON COLUMN heard_orders.key IS 'the id of that key beside the keys of people; destroyed once it was taken';
COMMENT ON COLUMN heard_orders.person IS 'who ordered, once the book knows: an erasure removes the body by it';
COMMENT ON COLUMN heard_orders.since IS 'of the state';

-- How far each channel was asked.
CREATE TABLE order_cursors (
    channel    text PRIMARY KEY,
    since      timestamptz NOT NULL,
    newest     timestamptz,
    page       text,
    asked_at   timestamptz,
    error      text,
    failing    timestamptz,
    wanted     boolean NOT NULL DEFAULT true
);
COMMENT ON COLUMN order_cursors.wanted IS 'false while the channel''s settings do not let its orders in';
COMMENT ON COLUMN order_cursors.since IS 'changes after this moment of the channel''s clock are asked for';
COMMENT ON COLUMN order_cursors.newest IS 'the newest change that was seen on the way through the pages';
COMMENT ON COLUMN order_cursors.page IS 'of a round that is under way: the page to go on with';
COMMENT ON COLUMN order_cursors.failing IS 'since when the channel can''t be asked; null when it can';
