-- name: occurrences
-- Events that name a person's id, of a range of positions. No index has them: an export is rare, an append is not.
SELECT position, recorded_at, type, stream, actor, reason, source,
       CASE WHEN key = '@person/' || %(person)s THEN ARRAY(SELECT json_array_elements_text(data -> 'fields')) END
FROM events
WHERE position > %(after)s AND position <= %(upto)s
  AND (key = '@person/' || %(person)s OR strpos(concat_ws(' ', stream, actor, reason, data::text), %(person)s) > 0)
ORDER BY position
