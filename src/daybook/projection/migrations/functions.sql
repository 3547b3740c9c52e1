-- The functions as they are, after all migrations of this folder: here they are read, there it says how they came to be.
-- Nothing runs this file. A test holds it equal to what the migrations make: a migration that changes a function changes
-- this as well.

-- Fails the transaction of a runner whose checkpoint is another's by now: it need not wait to hear of it before it sends
-- the rest.
CREATE OR REPLACE FUNCTION must_have_moved(rows bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF rows <> 1 THEN
        RAISE EXCEPTION 'superseded' USING ERRCODE = 'DB001';
    END IF;
END $$;
COMMENT ON FUNCTION must_have_moved IS 'fails the transaction of a runner whose checkpoint is another''s by now';

-- Lets the roles that there are at the tables of a generation: those who fold write them, the others read them.
CREATE OR REPLACE FUNCTION open_generation(projection text, number integer) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    one record;
BEGIN
    FOR one IN
        SELECT c.oid::regclass AS made, r.rolname AS role,
               CASE WHEN r.rolname IN ('daybook_project', 'daybook_append') THEN 'SELECT, INSERT, UPDATE, DELETE'
                    ELSE 'SELECT' END AS rights
        FROM pg_class c, pg_roles r
        WHERE c.oid IN (to_regclass(format('states_%s_%s', projection, number)),
                        to_regclass(format('listings_%s_%s', projection, number)),
                        to_regclass(format('versions_%s_%s', projection, number)))
          AND r.rolname IN ('daybook_append', 'daybook_project', 'daybook_deliver', 'daybook_audit', 'daybook_read')
          -- What is given already is left alone: giving it again would be in the way of whoever does the same.
          AND NOT has_table_privilege(
              r.oid, c.oid, CASE WHEN r.rolname IN ('daybook_project', 'daybook_append') THEN 'INSERT' ELSE 'SELECT' END)
    LOOP
        EXECUTE format('GRANT %s ON %s TO %I', one.rights, one.made, one.role);
    END LOOP;
END $$;
COMMENT ON FUNCTION open_generation IS 'lets the roles at the tables of a generation, as far as each may';

-- Makes the two tables of a generation that begins, with their indexes; what is there stays. It runs with the rights of
-- the owner, so that the role that folds needs none to make, change or drop a table: that would be a right to put another
-- table or function in the way of everybody.
CREATE OR REPLACE FUNCTION make_generation(projection text, number integer) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    states   text := format('states_%s_%s', projection, number);
    listings text := format('listings_%s_%s', projection, number);
BEGIN
    IF projection !~ '^[a-z][a-z0-9]*$' THEN
        RAISE EXCEPTION 'no name of a projection: %', projection USING ERRCODE = 'invalid_parameter_value';
    END IF;
    EXECUTE format(
        'CREATE TABLE IF NOT EXISTS %I (key text PRIMARY KEY, state json NOT NULL, uses text[] NOT NULL)', states);
    EXECUTE format(
        'CREATE TABLE IF NOT EXISTS %I (sku text NOT NULL, facet text NOT NULL, key text NOT NULL, payload json, '
        'held text[], hash bytea NOT NULL, position bigint NOT NULL, PRIMARY KEY (sku, facet))', listings);
    EXECUTE format('CREATE INDEX IF NOT EXISTS %I ON %I USING gin (uses)', states || '_by_uses', states);
    EXECUTE format('CREATE INDEX IF NOT EXISTS %I ON %I (key)', listings || '_by_key', listings);
    PERFORM open_generation(projection, number);
END $$;
COMMENT ON FUNCTION make_generation IS 'makes the tables of a generation that begins, for a role that may make none';

-- The same for the table of what was listed when. The key comes with it, as it is empty; the last two indexes are only of
-- the facet that is searched.
CREATE OR REPLACE FUNCTION make_versions(projection text, number integer, searched text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    versions text := format('versions_%s_%s', projection, number);
BEGIN
    IF projection !~ '^[a-z][a-z0-9]*$' THEN
        RAISE EXCEPTION 'no name of a projection: %', projection USING ERRCODE = 'invalid_parameter_value';
    END IF;
    EXECUTE format(
        'CREATE TABLE IF NOT EXISTS %I (key text NOT NULL, sku text NOT NULL, facet text NOT NULL, '
        'until bigint NOT NULL DEFAULT 9223372036854775807, position bigint NOT NULL CHECK (position < until), '
        'payload json, held text[], hash bytea NOT NULL, recorded_at timestamptz NOT NULL, until_at timestamptz, '
        'PRIMARY KEY (key, sku, facet, until, position))', versions);
    IF searched IS NOT NULL THEN
        EXECUTE format('CREATE INDEX IF NOT EXISTS %I ON %I (key, until, position) WHERE facet = %L',
                       versions || '_by_key', versions, searched);
        EXECUTE format('CREATE INDEX IF NOT EXISTS %I ON %I USING gin ((payload::jsonb) jsonb_path_ops) WHERE facet = %L',
                       versions || '_by_content', versions, searched);
    END IF;
    PERFORM open_generation(projection, number);
END $$;
COMMENT ON FUNCTION make_versions IS 'makes the table that keeps what a generation listed when';

CREATE OR REPLACE FUNCTION found_configuration(language text) RETURNS regconfig LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = public, pg_temp AS $$
    SELECT CASE language
        WHEN 'ar' THEN 'daybook_arabic' WHEN 'da' THEN 'daybook_danish' WHEN 'nl' THEN 'daybook_dutch'
        WHEN 'en' THEN 'daybook_english' WHEN 'fi' THEN 'daybook_finnish' WHEN 'fr' THEN 'daybook_french'
        WHEN 'de' THEN 'daybook_german' WHEN 'el' THEN 'daybook_greek' WHEN 'hu' THEN 'daybook_hungarian'
        WHEN 'id' THEN 'daybook_indonesian' WHEN 'ga' THEN 'daybook_irish' WHEN 'it' THEN 'daybook_italian'
        WHEN 'lt' THEN 'daybook_lithuanian' WHEN 'no' THEN 'daybook_norwegian' WHEN 'nb' THEN 'daybook_norwegian'
        WHEN 'nn' THEN 'daybook_norwegian' WHEN 'pt' THEN 'daybook_portuguese' WHEN 'ro' THEN 'daybook_romanian'
        WHEN 'ru' THEN 'daybook_russian' WHEN 'es' THEN 'daybook_spanish' WHEN 'sv' THEN 'daybook_swedish'
        WHEN 'tr' THEN 'daybook_turkish' ELSE 'pg_catalog.simple' END::regconfig
$$;
COMMENT ON FUNCTION found_configuration IS 'how words of a language are taken apart; as they stand where the language is not known';

CREATE OR REPLACE FUNCTION found_words(payload json) RETURNS tsvector LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = public, pg_temp AS $$
DECLARE
    one record;
    words tsvector := '';
BEGIN
    FOR one IN SELECT key, value FROM json_each_text(payload->'words') LOOP
        words := words || to_tsvector(found_configuration(one.key), one.value);
    END LOOP;
    RETURN strip(words);
END $$;
COMMENT ON FUNCTION found_words IS 'the words of a payload, each as its language has it';

CREATE OR REPLACE FUNCTION found_marks(payload json) RETURNS text[] LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = public, pg_temp AS $$
    SELECT ARRAY(SELECT json_array_elements_text(payload->'marks'))
$$;
COMMENT ON FUNCTION found_marks IS 'the marks of a payload';

-- Any language's form of the word will do: who types it does not say which language it is.
CREATE OR REPLACE FUNCTION found_query(word text, languages text[]) RETURNS tsquery LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = public, pg_temp AS $$
DECLARE
    language text;
    found tsquery := plainto_tsquery('simple', word);
BEGIN
    FOREACH language IN ARRAY languages LOOP
        found := found || plainto_tsquery(found_configuration(language), word);
    END LOOP;
    RETURN found;
END $$;
COMMENT ON FUNCTION found_query IS 'what to look for where somebody typed a word, in some languages';

-- The columns are made by Postgres from the payload, so they can't differ from it; with the owner's rights, as the tables.
CREATE OR REPLACE FUNCTION make_found(projection text, number integer) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    listings text := format('listings_%s_%s', projection, number);
BEGIN
    IF projection !~ '^[a-z][a-z0-9]*$' THEN
        RAISE EXCEPTION 'no name of a projection: %', projection USING ERRCODE = 'invalid_parameter_value';
    END IF;
    -- Asked for first: to find that nothing is to be done must not wait for whoever reads the table.
    IF EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass(listings) AND attname = 'marks') THEN
        RETURN;
    END IF;
    EXECUTE format('ALTER TABLE %I ADD COLUMN words tsvector GENERATED ALWAYS AS (found_words(payload)) STORED, '
                   'ADD COLUMN near text GENERATED ALWAYS AS (payload->>''near'') STORED, '
                   'ADD COLUMN marks text[] GENERATED ALWAYS AS (found_marks(payload)) STORED', listings);
    EXECUTE format('CREATE INDEX %I ON %I USING gin (words)', listings || '_by_words', listings);
    EXECUTE format('CREATE INDEX %I ON %I USING gin (near gin_trgm_ops)', listings || '_by_near', listings);
    EXECUTE format('CREATE INDEX %I ON %I USING gin (marks)', listings || '_by_marks', listings);
END $$;
COMMENT ON FUNCTION make_found IS 'makes the columns and indexes that products are found by, for a role that may make none';
