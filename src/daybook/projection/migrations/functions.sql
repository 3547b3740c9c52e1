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
