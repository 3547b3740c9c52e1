-- The server's timeline beside the head, so that the server itself refuses what is appended to a primary of before.
ALTER TABLE head ADD COLUMN system bigint NOT NULL DEFAULT 0, ADD COLUMN timeline integer NOT NULL DEFAULT 0;
COMMENT ON COLUMN head.system IS 'the cluster that the timeline belongs to: pg_control_system() of the server that appended last';
COMMENT ON COLUMN head.timeline IS 'the newest timeline of that cluster that is known here: a server that writes an older one takes no append';

-- A server that does not tell its timeline, as some that are rented, is not compared.
CREATE FUNCTION server_timeline() RETURNS integer LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF pg_is_in_recovery() THEN
        RETURN 0;
    END IF;
    RETURN ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::integer;
EXCEPTION WHEN insufficient_privilege OR undefined_function OR feature_not_supported THEN
    RETURN 0;
END $$;
COMMENT ON FUNCTION server_timeline IS 'the timeline that this server writes: each promotion counts it up; 0 on a standby, and where it is not told';

CREATE FUNCTION server_system() RETURNS bigint LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT system_identifier FROM pg_control_system());
EXCEPTION WHEN insufficient_privilege OR undefined_function OR feature_not_supported THEN
    RETURN 0;
END $$;
COMMENT ON FUNCTION server_system IS 'the identity of the cluster, which a primary and its standbys share; 0 where it is not told';

-- Hazard: an old primary that comes back has its own copy of the head, with its own old timeline, and the two agree. So
-- whoever knows of the newer one writes it here (`fence_server`), and the old primary refuses from then on by itself.
CREATE FUNCTION refuse_older_timeline() RETURNS trigger LANGUAGE plpgsql AS $$
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
CREATE TRIGGER head_on_newest_timeline BEFORE UPDATE OF position ON head
    FOR EACH ROW EXECUTE FUNCTION refuse_older_timeline();
ALTER TABLE head ENABLE ALWAYS TRIGGER head_on_newest_timeline;

-- Waits for no standby, which this server may have none of any more, and for no append that waits for one.
CREATE FUNCTION fence_server(newest integer) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    IF server_timeline() NOT BETWEEN 1 AND newest - 1 THEN
        RETURN false;
    END IF;
    PERFORM set_config('synchronous_commit', 'local', true), set_config('lock_timeout', '1000', true);
    UPDATE head SET system = server_system(), timeline = newest WHERE system <> server_system() OR timeline < newest;
    RETURN true;
END $$;
COMMENT ON FUNCTION fence_server IS 'tells an old primary that a newer timeline has begun: it takes no append any more, from anybody';
