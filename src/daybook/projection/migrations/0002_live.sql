-- Who runs what, and what stands aside.

-- A lease with a fencing token: every new owner gets a greater token, and what a former owner still wants to write is
-- refused by it, however long it was paused.
CREATE TABLE leases (
    name       text PRIMARY KEY,
    owner      text NOT NULL,
    token      bigint NOT NULL,
    held_until timestamptz NOT NULL
) WITH (fillfactor = 50);

-- Groups that a projection's own code could not fold or render. Their listings stand still until they are tried again.
CREATE TABLE parked (
    projection text NOT NULL,
    generation int NOT NULL,
    key        text NOT NULL,
    position   bigint NOT NULL,
    event_id   uuid,
    type       text,
    sku        text,
    error      text NOT NULL,
    place      text NOT NULL,
    events     bigint NOT NULL,
    parked_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (projection, generation, key)
);
COMMENT ON COLUMN parked.events IS 'how many of its events were left for later, the one that failed included';
COMMENT ON COLUMN parked.place IS 'file, line and function where it was raised';

ALTER TABLE generations
    ADD COLUMN epoch int NOT NULL DEFAULT 0,
    ADD COLUMN reference_codes text[] NOT NULL DEFAULT '{}',
    ADD COLUMN state text NOT NULL DEFAULT 'live' CHECK (state IN ('building', 'ready', 'live', 'kept', 'reading')),
    ADD COLUMN plan json;
COMMENT ON COLUMN generations.epoch IS 'rises when anybody but the runner changes the generation; the runner then starts over';
COMMENT ON COLUMN generations.reference_codes IS 'what changed in the reference: groups that use one of these are rendered again';

-- Fails the transaction of a runner whose checkpoint is another's by now: it need not wait to hear of it before it sends
-- the rest.
CREATE FUNCTION must_have_moved(rows bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF rows <> 1 THEN
        RAISE EXCEPTION 'superseded' USING ERRCODE = 'DB001';
    END IF;
END $$;
