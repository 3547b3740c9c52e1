-- name: home
-- The id of the database that these keys are in.
SELECT id::text FROM daybook_keys.home

-- name: make
-- A key for a person, unless there is one, or there was one that was destroyed.
INSERT INTO daybook_keys.person_keys (person, key, wrapped_by)
SELECT p.person, %(key)s::bytea, %(wrapped_by)s FROM (SELECT %(person)s::uuid AS person) p
WHERE NOT EXISTS (SELECT 1 FROM daybook_keys.erased e WHERE e.person = p.person)
ON CONFLICT (person) DO NOTHING RETURNING 1

-- name: of
-- The keys of people; null for who was erased, whatever a backup brought back.
SELECT w.person::text, CASE WHEN e.person IS NULL THEN k.key END, k.wrapped_by
FROM unnest(%s::uuid[]) AS w(person)
LEFT JOIN daybook_keys.person_keys k ON k.person = w.person
LEFT JOIN daybook_keys.erased e ON e.person = w.person
WHERE k.person IS NOT NULL OR e.person IS NOT NULL

-- name: destroy
-- Destroys keys, and notes whose: in one statement, so that neither is without the other.
WITH wanted AS (
    SELECT unnest(%s::uuid[]) AS person
), noted AS (
    INSERT INTO daybook_keys.erased (person) SELECT person FROM wanted ON CONFLICT (person) DO NOTHING
)
DELETE FROM daybook_keys.person_keys k USING wanted w WHERE k.person = w.person RETURNING k.person::text

-- name: erased
-- Who was erased, in pages.
SELECT person::text FROM daybook_keys.erased WHERE person > %s::uuid ORDER BY person LIMIT %s

-- name: drop
-- Drops the key of a person whom the book never came to know.
DELETE FROM daybook_keys.person_keys WHERE person = ANY(%s::uuid[]) RETURNING 1

-- name: wrapped_otherwise
-- Keys that another master key seals, or none, in pages.
SELECT person::text, key, wrapped_by FROM daybook_keys.person_keys
WHERE person > %(after)s::uuid AND wrapped_by IS DISTINCT FROM %(wrapped_by)s ORDER BY person LIMIT %(limit)s

-- name: rewrap
-- Keeps keys as the present master key seals them, where they still are as they were.
UPDATE daybook_keys.person_keys k SET key = n.key, wrapped_by = %(wrapped_by)s
FROM unnest(%(people)s::uuid[], %(before)s::bytea[], %(keys)s::bytea[]) AS n(person, before, key)
WHERE k.person = n.person AND k.key = n.before RETURNING 1

-- name: known_home
-- In the book's own database: which keys' database is its own.
SELECT id::text FROM keys_home

-- name: claim_home
-- The first keys' database that is used stays the book's own.
INSERT INTO keys_home (id) VALUES (%s::uuid) ON CONFLICT (single) DO NOTHING RETURNING 1
