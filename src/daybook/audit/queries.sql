-- name: head
-- Where the log says that it ends.
SELECT position FROM head

-- name: head_moved_too_early
-- The head's time lies before that of the last event.
SELECT h.position, h.recorded_at, e.recorded_at FROM head h JOIN events e ON e.position = h.position
WHERE h.recorded_at < e.recorded_at

-- name: outside
-- An event before the beginning or behind the head.
SELECT position, stream, version FROM events
WHERE position < 1 OR position > (SELECT position FROM head) ORDER BY position LIMIT 1

-- name: torn
-- A command whose events do not stand together, or that has more than one hash; none is one too.
SELECT min(position), max(position), count(*), command_id, count(DISTINCT intent) + (count(intent) < count(*))::int
FROM events WHERE position <= %s
GROUP BY command_id
HAVING max(position) - min(position) + 1 <> count(*)
    OR min(intent) <> max(intent) OR count(intent) NOT IN (0, count(*))
ORDER BY min(position) LIMIT 1
