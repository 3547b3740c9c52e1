-- name: begin
-- An erasure begins, or begins again, before anything is destroyed: it is seen from now on until it has ended.
INSERT INTO erasures (person) VALUES (%s::uuid)
ON CONFLICT (person) DO UPDATE SET finished_at = NULL RETURNING 1

-- name: finish
-- Every step was taken.
UPDATE erasures SET finished_at = clock_timestamp() WHERE person = %s::uuid AND finished_at IS NULL RETURNING 1

-- name: to_look_at
-- What is left in the book of these people, and with `others` of those whose erasure is open or ended a short while ago.
SELECT p.person::text, e.type, x.finished_at IS NOT NULL,
       coalesce(x.finished_at > clock_timestamp() - make_interval(secs => %(recent)s), false),
       EXISTS (SELECT 1 FROM sealed_people s WHERE s.person = p.person)
FROM (
    SELECT unnest(%(people)s::uuid[]) AS person
    UNION SELECT person FROM erasures
    WHERE %(others)s AND (finished_at IS NULL OR finished_at > clock_timestamp() - make_interval(secs => %(recent)s))
) p
LEFT JOIN erasures x ON x.person = p.person
LEFT JOIN LATERAL (
    SELECT type FROM events WHERE stream = 'person/' || p.person ORDER BY version DESC LIMIT 1
) e ON true
ORDER BY p.person

-- name: recorded
-- People whose erasure the log has, in pages by position.
SELECT position, data ->> 'person' FROM events
WHERE type LIKE 'person.erased.%%' AND position > %s ORDER BY position LIMIT %s
