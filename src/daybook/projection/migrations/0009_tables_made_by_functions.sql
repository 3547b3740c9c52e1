-- Roles that fold, deliver and append without a right to make, change or drop anything: what has to be made while all is
-- running is made by functions that have the owner's rights and do nothing else.

-- Lets the roles that there are at the tables of a generation: those who fold write them, the others read them.
CREATE FUNCTION open_generation(projection text, number integer) RETURNS void LANGUAGE plpgsql AS $$
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
CREATE FUNCTION make_generation(projection text, number integer) RETURNS void
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
CREATE FUNCTION make_versions(projection text, number integer, searched text) RETURNS void
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

-- Nobody but the owner, until `daybook migrate --roles` says who.
REVOKE EXECUTE ON FUNCTION make_generation, make_versions, open_generation FROM PUBLIC;
