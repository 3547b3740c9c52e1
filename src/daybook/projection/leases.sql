-- name: acquire_lease
-- Takes a lease that is free or whose holder fell silent. The token rises with every owner. A lease that runs longer than
-- any does was given before the clock was set back.
INSERT INTO leases AS l (name, owner, token, held_until)
VALUES (%(name)s, %(owner)s, 1, clock_timestamp() + %(lease)s * interval '1 second')
ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, token = l.token + 1, held_until = excluded.held_until
WHERE l.held_until < clock_timestamp() OR l.owner = excluded.owner OR l.held_until > excluded.held_until + interval '1 second'
RETURNING token

-- name: take_leases
-- Takes those of these leases that are free, and holds for longer those that their owners have.
INSERT INTO leases AS l (name, owner, token, held_until)
SELECT n.name, n.owner, 1, clock_timestamp() + %s * interval '1 second'
FROM unnest(%s::text[], %s::text[]) AS n(name, owner) ORDER BY n.name
ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, held_until = excluded.held_until,
    token = CASE WHEN l.owner = excluded.owner AND l.held_until >= clock_timestamp() THEN l.token ELSE l.token + 1 END
WHERE l.held_until < clock_timestamp() OR l.owner = excluded.owner OR l.held_until > excluded.held_until + interval '1 second'
RETURNING name, token

-- name: renew_lease
-- Holds a lease for longer.
UPDATE leases SET held_until = clock_timestamp() + %(lease)s * interval '1 second' WHERE name = %(name)s AND token = %(token)s

-- name: release_lease
-- Lets a lease go at once.
UPDATE leases SET held_until = '-infinity' WHERE name = %s AND token = %s
