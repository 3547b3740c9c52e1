-- What is known of people. Values are sealed, each person's under a key of his or her own, and the keys are elsewhere.

CREATE TABLE sealed_people (
    person    uuid NOT NULL,
    revision  uuid NOT NULL,
    fields    text[] NOT NULL,
    sealed    bytea NOT NULL,
    settled   boolean NOT NULL DEFAULT false,
    sealed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (person, revision)
);
CREATE INDEX sealed_people_open ON sealed_people (sealed_at) WHERE NOT settled;
COMMENT ON TABLE sealed_people IS 'ciphertext; only the revision that the newest event of the stream person/<id> names counts';
COMMENT ON COLUMN sealed_people.fields IS 'which fields have a value';
COMMENT ON COLUMN sealed_people.settled IS 'false until the event that names it is known to be in the log; what stays so was never recorded';

-- Erasures, from their first step to their last, so that one that was cut off is seen and finished.
CREATE TABLE erasures (
    person      uuid PRIMARY KEY,
    begun_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    finished_at timestamptz
);
CREATE INDEX erasures_open ON erasures (begun_at) WHERE finished_at IS NULL;
COMMENT ON COLUMN erasures.finished_at IS 'null: a step is still to be taken';

-- Which keys belong to this book.
CREATE TABLE keys_home (
    single boolean PRIMARY KEY DEFAULT true CHECK (single),
    id     uuid NOT NULL
);
COMMENT ON TABLE keys_home IS 'the id in daybook_keys.home of the database that holds the keys: another one is refused';
