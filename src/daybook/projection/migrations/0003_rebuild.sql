-- Rebuilds: what a generation that is being filled is made of, so that one that was killed goes on where it stood.

ALTER TABLE generations
    ADD COLUMN fill_to bigint NOT NULL DEFAULT 0,
    ADD COLUMN code    text,
    ADD COLUMN origin  text,
    ADD COLUMN kept_at timestamptz;
COMMENT ON COLUMN generations.fill_to IS 'the position that a rebuild fills it to; it follows the log from there';
COMMENT ON COLUMN generations.code IS 'hash of the source that made it; a rebuild is resumed by the same source only';
COMMENT ON COLUMN generations.origin IS 'the folder of code that is not installed (a what-if); null for installed code';
COMMENT ON COLUMN generations.kept_at IS 'when it stopped being the live one';

-- A rebuild is cut into ranges of keys, each filled in one transaction, which also sets done_at.
CREATE TABLE rebuild_ranges (
    projection text NOT NULL,
    generation int NOT NULL,
    number     int NOT NULL,
    from_key   text NOT NULL,
    to_key     text,
    events     bigint NOT NULL DEFAULT 0,
    groups     bigint NOT NULL DEFAULT 0,
    done_at    timestamptz,
    PRIMARY KEY (projection, generation, number)
) WITH (fillfactor = 50);
COMMENT ON COLUMN rebuild_ranges.from_key IS 'the first key of the range';
COMMENT ON COLUMN rebuild_ranges.to_key IS 'the first key that is not in it; null in the last range';
COMMENT ON COLUMN rebuild_ranges.events IS 'events that were folded, known when it is done';
