-- Finding products: words by language, typing mistakes, and marks that filters look for.

-- Comes with Postgres, and may be made by whoever owns the database.
CREATE EXTENSION IF NOT EXISTS pg_trgm;

-- Each language's own stemming, but without its words that are left out: "men" is one of them in Swedish, "die" in German,
-- and somebody who types it means it.
DO $$
DECLARE
    language text;
BEGIN
    FOREACH language IN ARRAY ARRAY['arabic', 'danish', 'dutch', 'english', 'finnish', 'french', 'german', 'greek', 'hungarian',
        'indonesian', 'irish', 'italian', 'lithuanian', 'norwegian', 'portuguese', 'romanian', 'russian', 'spanish', 'swedish',
        'turkish']
    LOOP
        EXECUTE format('CREATE TEXT SEARCH DICTIONARY %I (TEMPLATE = snowball, language = %I)', 'daybook_' || language, language);
        EXECUTE format('CREATE TEXT SEARCH CONFIGURATION %I (COPY = %I)', 'daybook_' || language, language);
        EXECUTE format('ALTER TEXT SEARCH CONFIGURATION %I ALTER MAPPING REPLACE %I WITH %I',
                       'daybook_' || language, language || '_stem', 'daybook_' || language);
    END LOOP;
END $$;

CREATE FUNCTION found_configuration(language text) RETURNS regconfig LANGUAGE sql IMMUTABLE PARALLEL SAFE
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

CREATE FUNCTION found_words(payload json) RETURNS tsvector LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
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

CREATE FUNCTION found_marks(payload json) RETURNS text[] LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = public, pg_temp AS $$
    SELECT ARRAY(SELECT json_array_elements_text(payload->'marks'))
$$;
COMMENT ON FUNCTION found_marks IS 'the marks of a payload';

-- Any language's form of the word will do: who types it does not say which language it is.
CREATE FUNCTION found_query(word text, languages text[]) RETURNS tsquery LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
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
CREATE FUNCTION make_found(projection text, number integer) RETURNS void
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
REVOKE EXECUTE ON FUNCTION make_found FROM PUBLIC;
