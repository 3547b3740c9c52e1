-- name: connections
-- What the server gives, what is given, and what of it Daybook has here. A role sees how many others there are, though
-- not what they do.
SELECT current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
           - coalesce(current_setting('reserved_connections', true)::int, 0),
       (SELECT sum(numbackends)::int FROM pg_stat_database),
       (SELECT count(*)::int FROM pg_stat_activity
        WHERE datname = current_database() AND application_name LIKE 'daybook %')
