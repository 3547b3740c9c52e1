-- name: roles
-- Which of these roles there are, and whether one of them may do more than its work.
SELECT rolname, rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls
FROM pg_roles WHERE rolname = ANY(%s)

-- name: reset
-- Takes everything from the roles, in the transaction that gives them what they need: what an earlier version gave and
-- this one does not need goes.
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {roles}

-- name: connect
-- They may connect.
GRANT CONNECT ON DATABASE {database} TO {roles}

-- name: enter
-- They may see what is there, and make nothing.
GRANT USAGE ON SCHEMA public TO {roles}

-- name: open_generations
-- The tables of the generations that there are.
SELECT open_generation(projection, generation) FROM generations
