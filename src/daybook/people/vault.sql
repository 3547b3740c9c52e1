-- name: put
-- Keeps sealed values of a person. They count as soon as the log names their revision.
INSERT INTO sealed_people (person, revision, fields, sealed)
VALUES (%(person)s::uuid, %(revision)s::uuid, %(fields)s, %(sealed)s) ON CONFLICT DO NOTHING RETURNING 1

-- name: settle
-- The log names this revision. All rows of the person are locked, in order, so that writers settle one after the other.
WITH mine AS (
    SELECT person, revision FROM sealed_people WHERE person = %(person)s::uuid ORDER BY revision FOR UPDATE
)
UPDATE sealed_people s SET settled = true FROM mine m
WHERE s.person = m.person AND s.revision = m.revision AND s.revision = %(revision)s::uuid

-- name: forget_older
-- Removes what an event once named and the newest does not. What is still on its way into the log is left alone.
DELETE FROM sealed_people s
WHERE s.person = %(person)s::uuid AND s.settled AND s.revision::text <> (
    SELECT e.data ->> 'revision' FROM events e WHERE e.stream = 'person/' || s.person ORDER BY e.version DESC LIMIT 1)

-- name: drop
-- Drops values that the log never came to name.
DELETE FROM sealed_people WHERE person = %s::uuid AND revision = %s::uuid RETURNING 1

-- name: newest
-- What the log says last of each person, and the sealed row that it names.
SELECT p.person::text, e.type, e.version, s.revision::text, s.fields, s.sealed
FROM unnest(%s::uuid[]) AS p(person)
CROSS JOIN LATERAL (
    SELECT type, version, data ->> 'revision' AS revision FROM events
    WHERE stream = 'person/' || p.person ORDER BY version DESC LIMIT 1
) AS e
LEFT JOIN sealed_people s ON s.person = p.person AND s.revision = e.revision::uuid

-- name: person_of_command
-- Whom a command that was carried out before has added.
SELECT data ->> 'person' FROM events WHERE command_id = %s AND type LIKE 'person.added.%%'

-- name: version_at
-- The version of an event's stream.
SELECT version FROM events WHERE position = %s

-- name: left_open
-- Values that were kept and of which nobody said what became of them, with what the log says last of their person.
SELECT s.person::text, s.revision::text, e.revision FROM sealed_people s
LEFT JOIN LATERAL (
    SELECT data ->> 'revision' AS revision FROM events
    WHERE stream = 'person/' || s.person ORDER BY version DESC LIMIT 1
) AS e ON true
WHERE NOT s.settled AND s.sealed_at < clock_timestamp() - make_interval(secs => %s) LIMIT 1000

-- name: remove
-- Removes all that is kept of a person.
DELETE FROM sealed_people WHERE person = %s::uuid RETURNING 1
