-- name: forget_person
-- Clears what attempts hold of a person, and the bodies that were sent. That there were attempts, and when, stays.
WITH about AS (
    SELECT id, request FROM attempts WHERE people @> ARRAY[%s::uuid] ORDER BY id FOR UPDATE
), bodies_gone AS (
    DELETE FROM bodies b USING about a WHERE b.hash = a.request
)
UPDATE attempts t SET detail = NULL, url = NULL, request = NULL, answer = NULL, people = NULL
FROM about a WHERE t.id = a.id RETURNING t.id
