-- The keys of people: in a schema of their own, so that a dump leaves them out, and also in a database of their own.
-- Without a key what it sealed is noise, in the table as in every dump of it.

CREATE SCHEMA daybook_keys;
COMMENT ON SCHEMA daybook_keys IS 'never in the same backup as the book: a restored key would bring back who was erased';

CREATE TABLE daybook_keys.home (
    single boolean PRIMARY KEY DEFAULT true CHECK (single),
    id     uuid NOT NULL DEFAULT gen_random_uuid()
);
INSERT INTO daybook_keys.home DEFAULT VALUES;

CREATE TABLE daybook_keys.person_keys (
    person     uuid PRIMARY KEY,
    key        bytea NOT NULL,
    wrapped_by text,
    made_at    timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON COLUMN daybook_keys.person_keys.wrapped_by IS 'the id of the master key that it is sealed with; null: it is as it is';

-- Who was erased. Kept with the keys: it must be newer than any backup of the book that is restored.
CREATE TABLE daybook_keys.erased (
    person    uuid PRIMARY KEY,
    erased_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE daybook_keys.erased IS 'persons whose keys were destroyed; a key is never made for them again';
