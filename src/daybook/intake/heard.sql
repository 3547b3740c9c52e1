-- name: before
-- What was heard of an order before: whether this is older, or was heard already.
SELECT coalesce(%(stamp)s < stamp, false),
       %(digest)s = ANY(digests) AND (%(stamp)s::timestamptz IS NULL OR %(stamp)s IS NOT DISTINCT FROM stamp)
FROM heard_orders WHERE channel = %(channel)s AND number = %(number)s

-- name: keep
-- Keeps what an order is now, unless it is older than what is kept, or the same. The key that goes out of use comes back.
WITH before AS (
    SELECT key FROM heard_orders WHERE channel = %(channel)s AND number = %(number)s FOR UPDATE
), kept AS (
    INSERT INTO heard_orders AS h (channel, number, stamp, digests, source, body, key)
    VALUES (%(channel)s, %(number)s, %(stamp)s, ARRAY[%(digest)s]::bytea[], %(source)s, %(body)s, %(key)s::uuid)
    ON CONFLICT (channel, number) DO UPDATE SET
        stamp = coalesce(excluded.stamp, h.stamp),
        digests = CASE WHEN excluded.stamp > h.stamp OR h.stamp IS NULL THEN excluded.digests
                       ELSE h.digests[greatest(1, cardinality(h.digests) - 18):] || excluded.digests END,
        revision = h.revision + 1, source = excluded.source, body = excluded.body, key = excluded.key,
        state = 'waiting', code = NULL, field = NULL, reason = NULL,
        since = CASE WHEN h.state = 'waiting' THEN h.since ELSE clock_timestamp() END
    WHERE (excluded.stamp IS NULL OR h.stamp IS NULL OR excluded.stamp >= h.stamp)
      AND NOT (excluded.digests[1] = ANY(h.digests)
               AND (excluded.stamp IS NULL OR excluded.stamp IS NOT DISTINCT FROM h.stamp))
    RETURNING 1
), told AS (
    SELECT pg_notify('daybook_heard', '') FROM kept
)
SELECT (SELECT count(*) FROM kept), (SELECT key::text FROM before), (SELECT count(*) FROM told)

-- name: waiting
-- What is to be decided on, the longest waiting first.
SELECT channel, number, revision, stamp, body, key::text, person::text FROM heard_orders
WHERE state = 'waiting' AND channel = ANY(%s) ORDER BY since, channel, number LIMIT %s

-- name: key
-- The key of what is kept.
SELECT key::text FROM heard_orders
WHERE channel = %(channel)s AND number = %(number)s AND revision = %(revision)s AND key IS NOT NULL

-- name: taken
-- It was decided on: what it told is in the book, and its bytes are not kept. Not when it told something new meanwhile.
UPDATE heard_orders SET state = 'taken', since = clock_timestamp(), body = NULL, key = NULL,
       person = coalesce(person, %(person)s::uuid), code = NULL, field = NULL, reason = NULL
WHERE channel = %(channel)s AND number = %(number)s AND revision = %(revision)s RETURNING 1

-- name: refused
-- It can't be taken, and why. Who was erased is not kept.
UPDATE heard_orders h SET state = 'refused', since = clock_timestamp(), code = %(code)s, field = %(field)s,
       reason = %(reason)s, person = coalesce(person, %(person)s::uuid),
       body = CASE WHEN EXISTS (
           SELECT 1 FROM erasures e WHERE e.person = coalesce(h.person, %(person)s::uuid)) THEN NULL ELSE body END
WHERE channel = %(channel)s AND number = %(number)s AND revision = %(revision)s RETURNING 1

-- name: list_refused
-- Those that could not be taken, the oldest first.
SELECT channel, number, stamp, source, since, code, field, reason, body IS NOT NULL, person::text
FROM heard_orders
WHERE state = 'refused' AND (%(channels)s::text[] IS NULL OR channel = ANY(%(channels)s))
ORDER BY since, channel, number OFFSET %(offset)s LIMIT %(limit)s

-- name: retake
-- Has these decided on once more, or all.
WITH again AS (
    UPDATE heard_orders SET state = 'waiting', since = clock_timestamp(), revision = revision + 1
    WHERE state = 'refused' AND body IS NOT NULL
      AND (%(channels)s::text[] IS NULL OR channel = ANY(%(channels)s))
      AND (%(orders)s::text[] IS NULL OR channel || ':' || number = ANY(%(orders)s))
    RETURNING channel || ':' || number AS id
), told AS (
    SELECT pg_notify('daybook_heard', '')
)
SELECT id FROM again WHERE (SELECT count(*) FROM told) > 0 ORDER BY id

-- name: dismiss
-- These will not be taken: what they told goes. The key that goes out of use comes back.
WITH found AS (
    SELECT channel, number, key FROM heard_orders
    WHERE state = 'refused' AND channel || ':' || number = ANY(%(orders)s)
      AND (%(channels)s::text[] IS NULL OR channel = ANY(%(channels)s)) FOR UPDATE
)
UPDATE heard_orders h SET state = 'dismissed', since = clock_timestamp(), body = NULL, key = NULL
FROM found f WHERE h.channel = f.channel AND h.number = f.number
RETURNING h.channel || ':' || h.number, f.key::text

-- name: states
-- What became of what was heard of these orders.
SELECT channel || ':' || number, state, body IS NOT NULL FROM heard_orders WHERE channel || ':' || number = ANY(%s)

-- name: forget_person
-- Removes what orders of this person told and nobody decided on.
UPDATE heard_orders SET body = NULL, key = NULL, digests = '{}',
       state = CASE WHEN state = 'waiting' THEN 'dismissed' ELSE state END
WHERE person = %s::uuid AND body IS NOT NULL RETURNING 1
