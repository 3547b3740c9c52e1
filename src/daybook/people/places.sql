-- name: erased_among
-- People whose erasure has begun.
SELECT person::text FROM erasures WHERE person = ANY(%s::uuid[])
