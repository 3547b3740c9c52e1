-- name: put_personal_attempts
-- Writes down attempts with people's data, and what was sent. Of somebody whose erasure has begun nothing is kept.
WITH given AS (
    SELECT a.*, EXISTS (SELECT 1 FROM erasures e WHERE e.person = ANY(a.people::uuid[])) AS erased
    FROM unnest(%b::timestamptz[], %b::text[], %b::text[], %b::bigint[], %b::bytea[], %b::text[], %b::text[], %b::text[],
                %b::text[], %b::bytea[], %b::int[], %b::text[], %b::real[], %b::text[], %b::text[])
         AS a(at, sku, facet, position, payload, outcome, detail, method, url, request, status, answer, ms, people, body)
), kept AS (
    INSERT INTO bodies (hash, body)
    SELECT DISTINCT ON (g.request) g.request, g.body::json FROM given g WHERE g.body IS NOT NULL AND NOT g.erased
    ORDER BY g.request ON CONFLICT DO NOTHING
)
INSERT INTO attempts (at, channel, sku, facet, position, payload, outcome, detail, method, url, request, status, answer,
                      milliseconds, people)
SELECT g.at, %s, g.sku, g.facet, g.position, g.payload, g.outcome,
       CASE WHEN NOT g.erased THEN g.detail END, g.method, CASE WHEN NOT g.erased THEN g.url END,
       CASE WHEN NOT g.erased THEN g.request END, g.status, CASE WHEN NOT g.erased THEN g.answer END, g.ms,
       CASE WHEN NOT g.erased THEN g.people::uuid[] END
FROM given g
