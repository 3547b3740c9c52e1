-- name: note_uses
-- Says that grants were used with keys, now.
INSERT INTO access_uses AS u (key_id, grant_id, last_used_at)
SELECT n.key_id, n.grant_id, clock_timestamp() FROM unnest(%s::text[], %s::text[]) AS n(key_id, grant_id)
ON CONFLICT (key_id, grant_id) DO UPDATE SET last_used_at = greatest(u.last_used_at, excluded.last_used_at)

-- name: uses
-- When each grant was last used with each key.
SELECT key_id, grant_id, last_used_at FROM access_uses
