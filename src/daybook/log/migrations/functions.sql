-- The functions as they are, after all migrations of this folder: here they are read, there it says how they came to be.
-- Nothing runs this file. A test holds it equal to what the migrations make: a migration that changes a function changes
-- this as well.

-- Append-only is the database's promise, not the program's.
CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the log is append-only: % on events is refused', TG_OP
        USING ERRCODE = 'insufficient_privilege', HINT = 'Record a new event that corrects the old one.';
END $$;
COMMENT ON FUNCTION refuse_change IS 'refuses UPDATE, DELETE and TRUNCATE of events; the trigger events_append_only calls it';

-- The position that held at a moment: the last one recorded at or before it; 0 before the first. recorded_at never
-- goes back, so halving the range finds it in 24 look-ups for ten million events and needs no index of its own.
CREATE OR REPLACE FUNCTION position_at(moment timestamptz) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
DECLARE
    low  bigint := 0;
    high bigint := (SELECT position FROM head);
    mid  bigint;
BEGIN
    WHILE low < high LOOP
        mid := (low + high + 1) / 2;
        IF (SELECT e.recorded_at FROM events e WHERE e.position = mid) <= moment THEN
            low := mid;
        ELSE
            high := mid - 1;
        END IF;
    END LOOP;
    RETURN low;
END $$;
COMMENT ON FUNCTION position_at IS 'the position that held at a moment: SELECT position_at(''2026-03-01 09:00+00'')';

-- Where a SKU is asked for: a view over `sku` would read the whole log, these read the SKU's two streams.
CREATE OR REPLACE FUNCTION product_history(wanted text)
RETURNS TABLE (recorded_position bigint, recorded_at timestamptz, type text, actor text, reason text, source text, data json)
LANGUAGE sql STABLE AS $$
    SELECT position, recorded_at, type, actor, reason, source, data
    FROM events WHERE stream IN ('product/' || wanted, 'stock/' || wanted) ORDER BY position
$$;
COMMENT ON FUNCTION product_history IS 'what happened to a product and its stock: SELECT * FROM product_history(''SKU-1'')';

CREATE OR REPLACE FUNCTION price_history(wanted text)
RETURNS TABLE (recorded_position bigint, recorded_at timestamptz, price_list text, currency text, minor_units bigint,
               minor_units_before bigint, actor text, reason text)
LANGUAGE sql STABLE AS $$
    SELECT position, recorded_at, data->>'price_list', data#>>'{price,currency}', (data#>>'{price,amount}')::bigint,
           lag((data#>>'{price,amount}')::bigint) OVER (
               PARTITION BY data->>'price_list', data#>>'{price,currency}' ORDER BY position),
           actor, reason
    FROM events WHERE stream = 'product/' || wanted AND type = 'product.price_changed.v1' ORDER BY position
$$;
COMMENT ON FUNCTION price_history IS 'every price that a product ever had, with the one before it';

-- Appends many commands in one call: the group commit's only statement.
--
-- Hazard: a number that is given before its transaction commits can become visible after a higher one, and a reader
-- that tails the log passes it by for ever. Here positions are given under the head's row lock, which is held until
-- the commit, so the order of positions is the order of commits, and an aborted append takes its numbers back with it:
-- no holes. The lock blocks appenders only; readers, VACUUM, CREATE INDEX CONCURRENTLY and pg_dump never wait for it.
--
-- Every statement in a volatile function sees what was committed when the statement began (READ COMMITTED), and the
-- checks below run after the lock was won: what they see is the log as it stands, and nobody can append meanwhile.
--
-- When all of them can be appended, which is nearly always, the answer is one row for command 0: the caller knows how
-- many events each has. Otherwise there is a row for each command.
--
-- The caller gives each stream, and each command id, to at most one command of a call. c_* has a row per command, e_* a
-- row per event in order, e_command its command's index from 1. e_version 0 means: after whatever is there (a receipt
-- rests on no decision). A command is whole or absent; one that conflicts or was
-- carried out before leaves the others alone. Outcomes:
--   appended   first_position, last_position
--   repeated   the same for what the first call with this command id appended; first_intent is that command's hash
--   conflict   stream, actual: the version that the stream is at
CREATE OR REPLACE FUNCTION append_commands(
    c_id text[], c_intent bigint[], c_actor text[], c_reason text[], c_source text[], c_correlation text[],
    c_causation text[], c_access text[],
    e_command bigint[], e_id uuid[], e_stream text[], e_version bigint[], e_type text[], e_sku text[], e_key text[],
    e_data text[]
) RETURNS TABLE (
    command int, outcome text, first_position bigint, last_position bigint, first_intent bigint, stream text,
    actual bigint, at timestamptz
) LANGUAGE plpgsql AS $$
DECLARE
    base bigint;
    now_ timestamptz;
    good boolean[] := array_fill(true, ARRAY[cardinality(c_id)]);
    row_ record;
    given bigint;
BEGIN
    -- Takes the turn and the positions of all in one write, as nearly always all of them are used.
    UPDATE head h SET position = h.position + cardinality(e_id),
                      recorded_at = greatest(h.recorded_at, clock_timestamp())
    RETURNING h.position - cardinality(e_id), h.recorded_at INTO base, now_;

    -- Nearly always everything can be appended, and then one statement says so and does it: no command id is known, and
    -- each event has the version that comes next. Otherwise it appends nothing, and the long way sorts them out.
    WITH numbered AS MATERIALIZED (
        SELECT e.*,
            coalesce((SELECT x.version FROM events x WHERE x.stream = e.stream ORDER BY x.version DESC LIMIT 1), 0)
                + row_number() OVER (PARTITION BY e.stream ORDER BY e.ord) AS next
        FROM unnest(e_command, e_id, e_stream, e_version, e_type, e_sku, e_key, e_data)
            WITH ORDINALITY AS e(n, id, stream, version, type, sku, key, data, ord)
    )
    INSERT INTO events (position, event_id, stream, version, type, sku, key, recorded_at, actor, reason, source,
                        correlation_id, causation_id, command_id, intent, access, data)
    SELECT base + e.ord, e.id, e.stream, e.next, e.type, e.sku, e.key, now_,
        c_actor[e.n], c_reason[e.n], c_source[e.n], c_correlation[e.n], c_causation[e.n], c_id[e.n], c_intent[e.n],
        c_access[e.n], e.data::json
    FROM numbered e
    WHERE NOT EXISTS (SELECT 1 FROM numbered w WHERE w.version NOT IN (0, w.next))
        -- A look into the index for each id, never a join, for which an empty log's statistics once chose to read it all.
        AND NOT EXISTS (
            SELECT 1 FROM unnest(c_id) AS c(id)
            WHERE (SELECT x.position FROM events x WHERE x.command_id = c.id LIMIT 1) IS NOT NULL
        )
    ORDER BY e.ord;
    GET DIAGNOSTICS given = ROW_COUNT;
    IF given > 0 THEN
        RETURN QUERY SELECT 0, 'appended', base + 1, base + given, NULL::bigint, NULL::text, NULL::bigint, now_;
        RETURN;
    END IF;

    FOR row_ IN
        SELECT c.n::int AS n, found.first_position AS f, found.last_position AS l, found.intent AS i
        FROM unnest(c_id) WITH ORDINALITY AS c(id, n)
        CROSS JOIN LATERAL (
            SELECT min(e.position) AS first_position, max(e.position) AS last_position, min(e.intent) AS intent
            FROM events e WHERE e.command_id = c.id
        ) AS found
        WHERE found.first_position IS NOT NULL
    LOOP
        good[row_.n] := false;
        RETURN QUERY SELECT row_.n, 'repeated', row_.f, row_.l, row_.i, NULL::text, NULL::bigint,
            (SELECT e.recorded_at FROM events e WHERE e.position = row_.f);
    END LOOP;

    FOR row_ IN
        SELECT DISTINCT ON (s.n) s.n::int AS n, s.stream AS stream, s.actual AS actual
        FROM (
            SELECT p.n, p.stream, p.first, p.last, p.amount,
                coalesce((SELECT e.version FROM events e WHERE e.stream = p.stream ORDER BY e.version DESC LIMIT 1), 0)
                    AS actual
            FROM (
                SELECT e.n, e.stream, min(e.version) AS first, max(e.version) AS last, count(*) AS amount
                FROM unnest(e_command, e_stream, e_version) AS e(n, stream, version)
                GROUP BY e.n, e.stream
            ) AS p
        ) AS s
        WHERE s.last > 0 AND (s.first <> s.actual + 1 OR s.last - s.first + 1 <> s.amount)
        ORDER BY s.n
    LOOP
        IF good[row_.n] THEN
            good[row_.n] := false;
            RETURN QUERY SELECT row_.n, 'conflict', NULL::bigint, NULL::bigint, NULL::bigint, row_.stream, row_.actual,
                now_;
        END IF;
    END LOOP;

    INSERT INTO events (position, event_id, stream, version, type, sku, key, recorded_at, actor, reason, source,
                        correlation_id, causation_id, command_id, intent, access, data)
    SELECT base + row_number() OVER (ORDER BY e.ord), e.id, e.stream,
        CASE WHEN e.version > 0 THEN e.version
             ELSE coalesce((SELECT x.version FROM events x WHERE x.stream = e.stream ORDER BY x.version DESC LIMIT 1), 0)
                  + row_number() OVER (PARTITION BY e.stream ORDER BY e.ord) END,
        e.type, e.sku, e.key, now_,
        c_actor[e.n], c_reason[e.n], c_source[e.n], c_correlation[e.n], c_causation[e.n], c_id[e.n], c_intent[e.n],
        c_access[e.n], e.data::json
    FROM unnest(e_command, e_id, e_stream, e_version, e_type, e_sku, e_key, e_data)
        WITH ORDINALITY AS e(n, id, stream, version, type, sku, key, data, ord)
    WHERE good[e.n]
    ORDER BY e.ord;
    GET DIAGNOSTICS given = ROW_COUNT;

    UPDATE head SET position = base + given;
    IF given > 0 THEN
        RETURN QUERY
            SELECT w.n::int, 'appended', base + min(w.r), base + max(w.r), NULL::bigint, NULL::text, NULL::bigint, now_
            FROM (
                SELECT e.n, row_number() OVER (ORDER BY e.ord) AS r
                FROM unnest(e_command) WITH ORDINALITY AS e(n, ord) WHERE good[e.n]
            ) AS w
            GROUP BY w.n;
    END IF;
END $$;
COMMENT ON FUNCTION append_commands IS 'appends many commands, each whole or not at all; positions are given under the lock of head';

-- The same for a lone event, which is what a writer sends that nobody waits beside: the checks without the machinery that
-- sorts out many. Anything but a plain success goes the long way and is told there.
CREATE OR REPLACE FUNCTION append_one(
    c_id text, c_intent bigint, c_actor text, c_reason text, c_source text, c_correlation text, c_causation text,
    c_access text, e_id uuid, e_stream text, e_version bigint, e_type text, e_sku text, e_key text, e_data text
) RETURNS TABLE (
    command int, outcome text, first_position bigint, last_position bigint, first_intent bigint, stream text,
    actual bigint, at timestamptz
) LANGUAGE plpgsql AS $$
DECLARE
    given bigint;
BEGIN
    UPDATE head h SET position = h.position + 1, recorded_at = greatest(h.recorded_at, clock_timestamp())
    RETURNING h.position, h.recorded_at INTO first_position, at;
    IF NOT EXISTS (SELECT 1 FROM events e WHERE e.command_id = c_id) THEN
        given := coalesce(
            (SELECT e.version FROM events e WHERE e.stream = e_stream ORDER BY e.version DESC LIMIT 1), 0) + 1;
        IF e_version IN (0, given) THEN
            INSERT INTO events (position, event_id, stream, version, type, sku, key, recorded_at, actor, reason, source,
                                correlation_id, causation_id, command_id, intent, access, data)
            VALUES (first_position, e_id, e_stream, given, e_type, e_sku, e_key, at, c_actor, c_reason, c_source,
                    c_correlation, c_causation, c_id, c_intent, c_access, e_data::json);
            command := 0;
            outcome := 'appended';
            last_position := first_position;
            RETURN NEXT;
            RETURN;
        END IF;
    END IF;
    UPDATE head h SET position = first_position - 1;
    RETURN QUERY SELECT * FROM append_commands(
        ARRAY[c_id], ARRAY[c_intent], ARRAY[c_actor], ARRAY[c_reason], ARRAY[c_source], ARRAY[c_correlation],
        ARRAY[c_causation], ARRAY[c_access], ARRAY[1::bigint], ARRAY[e_id], ARRAY[e_stream], ARRAY[e_version], ARRAY[e_type],
        ARRAY[e_sku], ARRAY[e_key], ARRAY[e_data]);
END $$;
COMMENT ON FUNCTION append_one IS 'append_commands for a lone event';

-- A server that does not tell its timeline, as some that are rented, is not compared.
CREATE OR REPLACE FUNCTION server_timeline() RETURNS integer LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF pg_is_in_recovery() THEN
        RETURN 0;
    END IF;
    RETURN ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::integer;
EXCEPTION WHEN insufficient_privilege OR undefined_function OR feature_not_supported THEN
    RETURN 0;
END $$;
COMMENT ON FUNCTION server_timeline IS 'the timeline that this server writes: each promotion counts it up; 0 on a standby, and where it is not told';

CREATE OR REPLACE FUNCTION server_system() RETURNS bigint LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT system_identifier FROM pg_control_system());
EXCEPTION WHEN insufficient_privilege OR undefined_function OR feature_not_supported THEN
    RETURN 0;
END $$;
COMMENT ON FUNCTION server_system IS 'the identity of the cluster, which a primary and its standbys share; 0 where it is not told';

-- Hazard: an old primary that comes back has its own copy of the head, with its own old timeline, and the two agree. So
-- whoever knows of the newer one writes it here (`fence_server`), and the old primary refuses from then on by itself.
CREATE OR REPLACE FUNCTION refuse_older_timeline() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    own integer := server_timeline();
BEGIN
    IF own = OLD.timeline OR own = 0 THEN
        RETURN NEW;
    END IF;
    IF own < OLD.timeline AND server_system() = OLD.system THEN
        RAISE EXCEPTION 'this server was the primary once: it is at timeline %, and timeline % has begun elsewhere', own, OLD.timeline
            USING ERRCODE = 'cannot_connect_now', HINT = 'Let it follow the new primary, or say that it is the right one: daybook failover --restored.';
    END IF;
    NEW.system := server_system();
    NEW.timeline := own;
    RETURN NEW;
END $$;
COMMENT ON FUNCTION refuse_older_timeline IS 'keeps the newest timeline beside the head, and refuses appends to an older one; the trigger head_on_newest_timeline calls it';

-- Waits for no standby, which this server may have none of any more, and for no append that waits for one.
CREATE OR REPLACE FUNCTION fence_server(newest integer) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    IF server_timeline() NOT BETWEEN 1 AND newest - 1 THEN
        RETURN false;
    END IF;
    PERFORM set_config('synchronous_commit', 'local', true), set_config('lock_timeout', '1000', true);
    UPDATE head SET system = server_system(), timeline = newest WHERE system <> server_system() OR timeline < newest;
    RETURN true;
END $$;
COMMENT ON FUNCTION fence_server IS 'tells an old primary that a newer timeline has begun: it takes no append any more, from anybody';
