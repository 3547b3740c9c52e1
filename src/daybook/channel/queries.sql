-- name: make_states
CREATE TABLE IF NOT EXISTS {states} (
    key   text PRIMARY KEY,
    state json NOT NULL,
    uses  text[] NOT NULL
)

-- name: make_states_index
CREATE INDEX IF NOT EXISTS {by_uses} ON {states} USING gin (uses)

-- name: make_listings
CREATE TABLE IF NOT EXISTS {listings} (
    sku      text NOT NULL,
    facet    text NOT NULL,
    key      text NOT NULL,
    payload  json,
    held     text[],
    hash     bytea NOT NULL,
    position bigint NOT NULL,
    PRIMARY KEY (sku, facet)
)

-- name: make_listings_index
CREATE INDEX IF NOT EXISTS {by_key} ON {listings} (key)

-- name: commit_lazily
-- Without waiting for the disk. Listings, checkpoint and due deliveries are of one transaction: when Postgres dies before
-- it is on the disk, all of it is computed again from the log. A claim waits for the disk, and with it goes everything
-- that was committed before: so nothing is ever sent for a row that could be lost.
SET synchronous_commit = off

-- name: live_generation
SELECT p.live, g.position, g.reference_from, g.reference_codes, g.epoch
FROM projections p JOIN generations g ON g.projection = p.name AND g.generation = p.live
WHERE p.name = %s

-- name: checkpoint
SELECT position, reference_from, reference_codes, epoch FROM generations WHERE projection = %s AND generation = %s

-- name: hold_generation
-- Nobody else writes this generation until the transaction ends; whoever was about to starts over.
UPDATE generations SET epoch = epoch + 1 WHERE projection = %s AND generation = %s
RETURNING position, reference_from, reference_codes, epoch

-- name: add_projection
INSERT INTO projections (name, live) VALUES (%s, 1) ON CONFLICT DO NOTHING

-- name: add_generation
-- Of a projection that has none: after a switch the first one may have been dropped.
INSERT INTO generations (projection, generation, code_version)
SELECT p.name, p.live, %s FROM projections p
WHERE p.name = %s AND NOT EXISTS (SELECT 1 FROM generations g WHERE g.projection = p.name)
ON CONFLICT DO NOTHING

-- name: states
SELECT key, state::text FROM {states} WHERE key = ANY(%b)

-- name: states_using
SELECT key, state::text FROM {states} s
WHERE key > %s AND uses && %b::text[]
  AND NOT EXISTS (SELECT 1 FROM parked p WHERE p.projection = %s AND p.generation = %s AND p.key = s.key)
ORDER BY key LIMIT %s

-- name: parked_keys
SELECT key FROM parked WHERE projection = %s AND generation = %s

-- name: signatures
SELECT key, sku, facet, hash FROM {listings} WHERE key = ANY(%b)

-- name: owners
-- Which of these facets another group lists. Each is looked up by itself, so that a table without statistics is not read whole.
SELECT n.sku, n.facet, l.key FROM unnest(%b::text[], %b::text[], %b::text[]) AS n(sku, facet, key)
CROSS JOIN LATERAL (
    SELECT s.key FROM {listings} s WHERE s.sku = n.sku AND s.facet = n.facet AND s.key <> n.key LIMIT 1
) AS l

-- name: rest_of_command
SELECT position, event_id::text, stream, version, type, sku, key, recorded_at, actor, reason, source,
       correlation_id, causation_id, command_id, data::text
FROM events WHERE command_id = %s AND position > %s ORDER BY position

-- name: move_checkpoint
WITH moved AS (
UPDATE generations
SET position = %(to)s, reference_from = %(reference_from)s, reference_codes = %(reference_codes)s,
    moved_at = clock_timestamp(), failure = NULL,
    level_at = CASE WHEN level_at IS NULL AND %(to)s >= (SELECT position FROM head) THEN clock_timestamp()
                    ELSE level_at END
WHERE projection = %(projection)s AND generation = %(generation)s AND position = %(from)s AND epoch = %(epoch)s
  AND reference_from IS NOT DISTINCT FROM %(reference_was)s
  AND (%(lease)s::text IS NULL OR EXISTS (SELECT 1 FROM leases WHERE name = %(lease)s AND token = %(token)s))
RETURNING position
)
SELECT must_have_moved(count(*)) FROM moved

-- name: beat
UPDATE generations
SET moved_at = clock_timestamp(),
    level_at = CASE WHEN level_at IS NULL AND position >= (SELECT position FROM head) THEN clock_timestamp()
                    ELSE level_at END
WHERE projection = %s AND generation = %s

-- name: note_failure
UPDATE generations SET failure = %s::json WHERE projection = %s AND generation = %s

-- name: put_states
INSERT INTO {states} (key, state, uses)
SELECT s.key, s.state::json, string_to_array(s.uses, E'\n') FROM unnest(%b::text[], %b::text[], %b::text[]) AS s(key, state, uses)
ON CONFLICT (key) DO UPDATE SET state = excluded.state, uses = excluded.uses

-- name: put_uses
UPDATE {states} s SET uses = string_to_array(u.uses, E'\n') FROM unnest(%b::text[], %b::text[]) AS u(key, uses)
WHERE s.key = u.key AND s.uses IS DISTINCT FROM string_to_array(u.uses, E'\n')

-- name: park
INSERT INTO parked AS p (projection, generation, key, position, event_id, type, sku, error, place, events)
SELECT %s, %s, n.key, n.position, n.event_id, n.type, n.sku, n.error, n.place, n.events
FROM unnest(%s::text[], %s::bigint[], %s::uuid[], %s::text[], %s::text[], %s::text[], %s::text[], %s::bigint[])
     AS n(key, position, event_id, type, sku, error, place, events)
ON CONFLICT (projection, generation, key) DO NOTHING

-- name: pass_by
UPDATE parked p SET events = p.events + n.events FROM unnest(%b::text[], %b::bigint[]) AS n(key, events)
WHERE p.projection = %s AND p.generation = %s AND p.key = n.key

-- name: unpark
DELETE FROM parked WHERE projection = %s AND generation = %s AND key = ANY(%b)

-- name: parked
SELECT key, position, event_id::text, type, sku, error, place, events, parked_at
FROM parked WHERE projection = %s AND generation = %s ORDER BY parked_at, key

-- name: acquire_lease
INSERT INTO leases AS l (name, owner, token, held_until)
VALUES (%s, %s, 1, clock_timestamp() + %s * interval '1 second')
ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, token = l.token + 1, held_until = excluded.held_until
WHERE l.held_until < clock_timestamp() OR l.owner = %s
RETURNING token

-- name: renew_lease
UPDATE leases SET held_until = clock_timestamp() + %s * interval '1 second' WHERE name = %s AND token = %s

-- name: release_lease
UPDATE leases SET held_until = '-infinity' WHERE name = %s AND token = %s

-- name: pause
UPDATE projections SET paused = %s, paused_because = NULL WHERE name = %s RETURNING name

-- name: put_listings
INSERT INTO {listings} (sku, facet, key, payload, held, hash, position)
SELECT l.sku, l.facet, l.key, l.payload::json, CASE WHEN l.held IS NULL THEN NULL ELSE string_to_array(l.held, E'\n') END,
       l.hash, l.position
FROM unnest(%b::text[], %b::text[], %b::text[], %b::text[], %b::text[], %b::bytea[], %b::bigint[])
     AS l(sku, facet, key, payload, held, hash, position)
ON CONFLICT (sku, facet) DO UPDATE
SET key = excluded.key, payload = excluded.payload, held = excluded.held, hash = excluded.hash,
    position = excluded.position

-- name: drop_listings
DELETE FROM {listings} l USING unnest(%b::text[], %b::text[]) AS g(sku, facet)
WHERE l.sku = g.sku AND l.facet = g.facet

-- name: touch_lanes
INSERT INTO lanes AS l (channel, lane, next_try)
-- What must not be sold any more goes before everything that waits.
SELECT %s, t.lane, clock_timestamp() - CASE WHEN t.lane = ANY(%b::text[]) THEN interval '1 day' ELSE interval '0' END
FROM unnest(%b::text[]) AS t(lane)
ON CONFLICT (channel, lane) DO UPDATE
SET touched = l.touched OR l.lane = ANY(%b::text[]),
    next_try = CASE
        -- Only a receipt came round: the worker that wrote it has set the time already.
        WHEN l.lane <> ALL(%b::text[]) THEN l.next_try
        -- A lane in which nothing failed only asks after a submission, less and less often: news are a reason to go now.
        WHEN l.attempts = 0 OR l.last_error IS NULL THEN excluded.next_try
        ELSE coalesce(l.next_try, excluded.next_try) END

-- name: want
INSERT INTO deliveries AS d (channel, sku, facet, lane, key, rank, desired, desired_position, state)
SELECT %s, w.sku, w.facet, w.lane, w.key, w.rank, w.hash, w.position,
       CASE WHEN w.hash IS NULL THEN 'confirmed' ELSE 'due' END
FROM unnest(%b::text[], %b::text[], %b::text[], %b::text[], %b::smallint[], %b::bytea[], %b::bigint[])
     AS w(sku, facet, lane, key, rank, hash, position)
WHERE w.hash IS NOT NULL
   OR EXISTS (SELECT 1 FROM deliveries x WHERE x.channel = %s AND x.sku = w.sku AND x.facet = w.facet)
ON CONFLICT (channel, sku, facet) DO UPDATE
SET desired = excluded.desired, desired_position = excluded.desired_position, lane = excluded.lane, key = excluded.key,
    rank = excluded.rank, reasons = NULL,
    state = CASE WHEN d.state = 'accepted' THEN 'accepted'
                 -- What became of the last try is not known: the channel may show something else by now.
                 WHEN d.state = 'due' AND (d.attempts > 0 OR d.again) THEN 'due'
                 -- Accepted first and refused later: it has an id there, and only taking it off makes sure.
                 WHEN d.state = 'rejected' AND d.rank = 0 AND excluded.desired IS NULL AND EXISTS (
                     SELECT 1 FROM remote_ids i WHERE i.channel = d.channel AND i.sku = d.sku) THEN 'due'
                 WHEN excluded.desired IS NOT DISTINCT FROM d.acknowledged THEN 'confirmed'
                 ELSE 'due' END

-- name: reconsider
-- A listing that was refused whole may be taken with another price: any change of the SKU is a reason to offer it again.
UPDATE deliveries SET state = 'due', reasons = NULL
WHERE channel = %s AND sku = ANY(%b) AND rank = 0 AND state = 'rejected' AND desired IS NOT NULL AND acknowledged IS NULL

-- name: settle
INSERT INTO deliveries AS d (channel, sku, facet, lane, key, rank, acknowledged, receipt_position, state, submitted,
                             submission, reasons, submitted_at, confirmed_at)
SELECT %s, r.sku, r.facet, r.lane, r.key, r.rank, CASE r.kind WHEN 'confirmed' THEN r.hash END, r.position, r.kind, r.hash,
       r.submission, r.reasons::json, CASE r.kind WHEN 'accepted' THEN r.at END, CASE r.kind WHEN 'confirmed' THEN r.at END
FROM unnest(%b::text[], %b::text[], %b::text[], %b::text[], %b::smallint[], %b::text[], %b::bytea[], %b::bigint[],
            %b::text[], %b::text[], %b::timestamptz[])
     AS r(sku, facet, lane, key, rank, kind, hash, position, submission, reasons, at)
ON CONFLICT (channel, sku, facet) DO UPDATE
SET receipt_position = excluded.receipt_position,
    attempts = 0,
    again = false,
    acknowledged = CASE excluded.state WHEN 'confirmed' THEN excluded.submitted ELSE d.acknowledged END,
    submitted = excluded.submitted,
    submission = excluded.submission,
    submitted_at = excluded.submitted_at,
    confirmed_at = coalesce(excluded.confirmed_at, d.confirmed_at),
    reasons = CASE WHEN d.desired IS NOT DISTINCT FROM excluded.submitted THEN excluded.reasons END,
    state = CASE WHEN excluded.state = 'accepted' THEN 'accepted'
                 WHEN d.desired IS NOT DISTINCT FROM excluded.submitted THEN excluded.state
                 WHEN excluded.state = 'rejected' AND d.desired IS NOT DISTINCT FROM d.acknowledged THEN 'confirmed'
                 ELSE 'due' END
WHERE d.receipt_position < excluded.receipt_position

-- name: settle_unwanted
UPDATE deliveries SET state = 'due'
WHERE channel = %s AND sku = ANY(%b) AND desired IS NULL AND acknowledged IS NOT NULL AND state = 'confirmed'

-- name: forget_gone
DELETE FROM deliveries
WHERE channel = %s AND sku = ANY(%b) AND desired IS NULL AND acknowledged IS NULL AND state = 'confirmed'

-- name: learn_ids
INSERT INTO remote_ids (channel, sku, key, remote_id)
SELECT %s, r.sku, r.key, r.remote_id FROM unnest(%b::text[], %b::text[], %b::text[]) AS r(sku, key, remote_id)
ON CONFLICT (channel, sku) DO UPDATE SET key = excluded.key, remote_id = excluded.remote_id

-- name: learn_ids_and_renew
-- The same, and when the root of a group has another id than before, its variants went with the old one: they are due.
WITH learned AS (
    INSERT INTO remote_ids AS i (channel, sku, key, remote_id)
    SELECT %s, r.sku, r.key, r.remote_id FROM unnest(%b::text[], %b::text[], %b::text[]) AS r(sku, key, remote_id)
    ON CONFLICT (channel, sku) DO UPDATE SET key = excluded.key, remote_id = excluded.remote_id
    RETURNING NEW.channel, NEW.sku, NEW.key, NEW.remote_id, OLD.remote_id AS was
), renewed AS (
    SELECT channel, key FROM learned WHERE sku = key AND was <> remote_id
), forgotten AS (
    DELETE FROM remote_ids i USING renewed n WHERE i.channel = n.channel AND i.key = n.key AND i.sku <> n.key
)
UPDATE deliveries d SET state = 'due', acknowledged = NULL FROM renewed n
WHERE d.channel = n.channel AND d.key = n.key AND d.sku <> n.key AND d.state = 'confirmed' AND d.desired IS NOT NULL

-- name: forget_ids
DELETE FROM remote_ids WHERE channel = %s AND sku = ANY(%b)

-- name: claim
-- Takes lanes that have something to do, and counts the tries that begin. One statement, one commit.
WITH may AS (
    SELECT p.live FROM projections p JOIN generations g ON g.projection = p.name AND g.generation = p.live
    WHERE p.name = %(channel)s AND NOT p.paused AND g.level_at IS NOT NULL
), free AS (
    SELECT channel, lane FROM lanes
    WHERE EXISTS (SELECT 1 FROM may) AND channel = %(channel)s AND next_try <= clock_timestamp()
      AND (leased_until IS NULL OR leased_until < clock_timestamp()) AND NOT lane = ANY(%(hand)b::text[])
    ORDER BY next_try LIMIT %(limit)s FOR UPDATE SKIP LOCKED
), claimed AS (
    UPDATE lanes l SET owner = %(owner)s, leased_until = clock_timestamp() + %(lease)s * interval '1 second', touched = false
    FROM free WHERE l.channel = free.channel AND l.lane = free.lane
    RETURNING l.lane, l.attempts
), begun AS (
    UPDATE deliveries d SET attempts = d.attempts + 1
    FROM claimed c WHERE d.channel = %(channel)s AND d.lane = c.lane AND d.state = 'due'
)
SELECT c.lane, c.attempts, may.live FROM claimed c, may

-- name: breaker
SELECT changed_at, failures, greatest(extract(epoch FROM open_until - clock_timestamp())::float8, 0),
       greatest(extract(epoch FROM quiet_until - clock_timestamp())::float8, 0), reason
FROM breakers WHERE channel = %s

-- name: put_breaker
INSERT INTO breakers AS b (channel, failures, open_until, quiet_until, reason)
VALUES (%s, %s, clock_timestamp() + %s * interval '1 second', clock_timestamp() + %s * interval '1 second', %s)
ON CONFLICT (channel) DO UPDATE
SET failures = excluded.failures, open_until = excluded.open_until, quiet_until = excluded.quiet_until,
    reason = excluded.reason, changed_at = clock_timestamp()
RETURNING changed_at

-- name: alive
-- This worker lives; how many do.
WITH gone AS (
    DELETE FROM delivery_workers WHERE channel = %(channel)s AND alive_until < clock_timestamp() AND owner <> %(owner)s
), me AS (
    INSERT INTO delivery_workers AS w (channel, owner, alive_until)
    VALUES (%(channel)s, %(owner)s, clock_timestamp() + %(lease)s * interval '1 second')
    ON CONFLICT (channel, owner) DO UPDATE SET alive_until = excluded.alive_until
)
SELECT 1 + count(*) FROM delivery_workers
WHERE channel = %(channel)s AND owner <> %(owner)s AND alive_until >= clock_timestamp()

-- name: workers_alive
SELECT count(*) FROM delivery_workers WHERE channel = %s AND alive_until >= clock_timestamp()

-- name: not_alive
DELETE FROM delivery_workers WHERE channel = %s AND owner = %s

-- name: refresh
-- What was confirmed long ago is due again, some thousands at a time.
WITH old AS (
    SELECT d.channel, d.sku, d.facet, d.lane FROM deliveries d
    WHERE d.channel = %(channel)s AND d.state = 'confirmed' AND d.desired IS NOT NULL
      AND d.confirmed_at < clock_timestamp() - %(seconds)s * interval '1 second'
    LIMIT %(limit)s
), lanes_of AS (
    SELECT l.channel, l.lane FROM lanes l
    WHERE l.channel = %(channel)s AND l.lane IN (SELECT lane FROM old) ORDER BY l.lane COLLATE "C" FOR UPDATE
), woken AS (
    UPDATE lanes l SET next_try = coalesce(l.next_try, clock_timestamp())
    FROM lanes_of o WHERE l.channel = o.channel AND l.lane = o.lane
)
UPDATE deliveries d SET state = 'due', again = true FROM old o
WHERE d.channel = o.channel AND d.sku = o.sku AND d.facet = o.facet AND d.state = 'confirmed'

-- name: stopped
UPDATE projections SET paused = true, paused_because = %s WHERE name = %s

-- name: take_attempts_back
UPDATE deliveries d SET attempts = d.attempts - 1 FROM unnest(%b::text[], %b::text[]) AS u(sku, facet)
WHERE d.channel = %s AND d.sku = u.sku AND d.facet = u.facet AND d.state = 'due' AND d.attempts > 0

-- name: work
SELECT d.lane, d.sku, d.facet, d.key, d.rank, d.state, d.attempts, d.acknowledged, l.payload::text, l.hash,
       d.desired_position, e.event_id::text, e.correlation_id, d.submission, d.submitted, b.body::text,
       extract(epoch FROM clock_timestamp() - d.submitted_at)::float8, a.body::text
FROM deliveries d
LEFT JOIN {listings} l ON l.sku = d.sku AND l.facet = d.facet AND l.payload IS NOT NULL
LEFT JOIN events e ON e.position = d.desired_position
LEFT JOIN bodies b ON d.state = 'accepted' AND b.hash = d.submitted
LEFT JOIN bodies a ON d.facet = %s AND a.hash = d.acknowledged
WHERE d.channel = %s AND d.lane = ANY(%b)
ORDER BY d.lane, d.sku <> d.key, d.sku, d.rank

-- name: ids_of_lanes
SELECT key, sku, remote_id FROM remote_ids
WHERE channel = %(channel)s
  AND key IN (SELECT d.key FROM deliveries d WHERE d.channel = %(channel)s AND d.lane = ANY(%(lanes)b::text[]))

-- name: keep_leases
UPDATE lanes SET leased_until = clock_timestamp() + %(lease)s * interval '1 second'
WHERE channel = %(channel)s AND lane = ANY(%(hand)b::text[]) AND owner = %(owner)s AND leased_until IS NOT NULL

-- name: lock_lanes
SELECT lane FROM lanes WHERE channel = %s AND lane = ANY(%b) ORDER BY lane COLLATE "C" FOR UPDATE

-- name: release_lanes
UPDATE lanes l
SET owner = NULL, leased_until = NULL, attempts = r.attempts, last_error = r.error,
    next_try = CASE
        -- Nothing failed, and there is news that this worker has not seen.
        WHEN r.wait IS NOT NULL AND r.error IS NULL AND l.touched THEN clock_timestamp()
        WHEN r.wait IS NOT NULL THEN clock_timestamp() + r.wait * interval '1 second'
        WHEN EXISTS (SELECT 1 FROM deliveries d WHERE d.channel = l.channel AND d.lane = l.lane
                     AND d.state IN ('due', 'accepted')) THEN clock_timestamp() END
FROM unnest(%b::text[], %b::int[], %b::float8[], %b::text[]) AS r(lane, attempts, wait, error)
WHERE l.channel = %s AND l.lane = r.lane AND l.owner = %s

-- name: wake_failed
WITH waiting AS (
    SELECT channel, lane FROM lanes
    WHERE channel = %s AND attempts > 0 AND next_try > clock_timestamp() AND leased_until IS NULL
    ORDER BY lane COLLATE "C" FOR UPDATE
)
UPDATE lanes l SET next_try = clock_timestamp(), attempts = 0
FROM waiting w WHERE l.channel = w.channel AND l.lane = w.lane

-- name: wake_groups
WITH waiting AS (
    SELECT l.channel, l.lane FROM lanes l
    WHERE l.channel = %s AND l.leased_until IS NULL AND (l.next_try > clock_timestamp() OR l.next_try IS NULL)
      AND l.lane IN (
        SELECT d.lane FROM deliveries d WHERE d.channel = l.channel AND d.key = ANY(%b) AND d.state = 'due'
    )
    ORDER BY l.lane COLLATE "C" FOR UPDATE
)
UPDATE lanes l SET next_try = clock_timestamp(), attempts = 0
FROM waiting w WHERE l.channel = w.channel AND l.lane = w.lane

-- name: put_bodies
INSERT INTO bodies (hash, body) SELECT b.hash, b.body::json FROM unnest(%b::bytea[], %b::text[]) AS b(hash, body)
ORDER BY b.hash ON CONFLICT DO NOTHING

-- name: put_attempts
INSERT INTO attempts (at, channel, sku, facet, position, payload, outcome, detail, method, url, request, status, answer,
                      milliseconds)
SELECT a.at, %s, a.sku, a.facet, a.position, a.payload, a.outcome, a.detail, a.method, a.url, a.request, a.status, a.answer, a.ms
FROM unnest(%b::timestamptz[], %b::text[], %b::text[], %b::bigint[], %b::bytea[], %b::text[], %b::text[], %b::text[],
            %b::text[], %b::bytea[], %b::int[], %b::text[], %b::real[])
     AS a(at, sku, facet, position, payload, outcome, detail, method, url, request, status, answer, ms)

-- name: status
SELECT p.name, p.live, p.paused, g.position, g.reference_from IS NOT NULL, g.level_at, g.moved_at, g.failure::text,
       (SELECT count(*) FROM parked k WHERE k.projection = p.name AND k.generation = p.live)
FROM projections p JOIN generations g ON g.projection = p.name AND g.generation = p.live ORDER BY p.name

-- name: listed_counts
SELECT count(DISTINCT sku) FILTER (WHERE payload IS NOT NULL), count(DISTINCT sku) FILTER (WHERE held IS NOT NULL)
FROM {listings}

-- name: delivery_counts
SELECT channel,
       CASE WHEN state = 'due' AND rank > 0 AND EXISTS (
                SELECT 1 FROM deliveries c
                WHERE c.channel = d.channel AND c.sku = d.sku AND c.rank = 0 AND c.state = 'rejected' AND c.acknowledged IS NULL)
            THEN 'blocked' ELSE state END,
       count(*)
FROM deliveries d WHERE desired IS NOT NULL OR acknowledged IS NOT NULL GROUP BY 1, 2

-- name: lane_counts
SELECT channel, count(*) FILTER (WHERE leased_until > clock_timestamp()), min(next_try) FILTER (WHERE attempts > 0),
       max(last_error) FILTER (WHERE attempts > 0)
FROM lanes GROUP BY channel

-- name: rejected
SELECT sku, facet, desired_position, reasons::text FROM deliveries
WHERE channel = %s AND state = 'rejected' ORDER BY sku, rank

-- name: held
SELECT sku, facet, held FROM {listings} WHERE held IS NOT NULL ORDER BY sku

-- name: listing_of
SELECT l.facet, l.payload::text, l.held, encode(l.hash, 'hex'), l.position, d.state, encode(d.acknowledged, 'hex'),
       d.attempts, d.reasons::text
FROM {listings} l LEFT JOIN deliveries d ON d.channel = %s AND d.sku = l.sku AND d.facet = l.facet
WHERE l.sku = %s ORDER BY d.rank NULLS LAST, l.facet

-- name: attempts_of
SELECT at, facet, position, outcome, detail, method, url, status, milliseconds
FROM attempts WHERE channel = %s AND sku = %s ORDER BY id

-- name: note_start_failures
INSERT INTO start_failures (channel, role, error)
SELECT u.channel, %s, u.error FROM unnest(%s::text[], %s::text[]) AS u(channel, error)
ON CONFLICT (channel, role) DO UPDATE SET error = excluded.error, said_at = clock_timestamp()

-- name: start_failures
SELECT channel, role, error FROM start_failures
WHERE said_at > clock_timestamp() - make_interval(secs => %s) ORDER BY channel, role

-- What people ask for and put right: rejections, retry, resync, drift. A query that marks is run with its lanes locked.

-- name: has_deliveries
SELECT sku FROM deliveries WHERE channel = %s AND sku = ANY(%b) GROUP BY sku

-- name: keys_with_locale
SELECT DISTINCT e.key FROM events e
WHERE e.type = ANY(%(types)s) AND e.position > %(since)s
  AND EXISTS (
    SELECT 1 FROM json_array_elements(e.data -> 'changes') c
    WHERE c ->> 'locale' = %(locale)s OR starts_with(c ->> 'locale', %(locale)s || '-')
  )

-- name: chosen
SELECT count(*), count(DISTINCT d.sku) FROM deliveries d
WHERE d.channel = %(channel)s AND d.state = 'confirmed' AND d.desired IS NOT NULL AND d.desired_position > %(since)s
  AND (%(skus)s::text[] IS NULL OR d.sku = ANY(%(skus)s::text[]))
  AND (%(keys)s::text[] IS NULL OR d.key = ANY(%(keys)s::text[]))

-- name: chosen_lanes
SELECT DISTINCT d.lane FROM deliveries d
WHERE d.channel = %(channel)s AND d.state = 'confirmed' AND d.desired IS NOT NULL AND d.desired_position > %(since)s
  AND (%(skus)s::text[] IS NULL OR d.sku = ANY(%(skus)s::text[]))
  AND (%(keys)s::text[] IS NULL OR d.key = ANY(%(keys)s::text[]))
  AND d.lane > %(after)s
ORDER BY d.lane LIMIT %(limit)s

-- name: mark_chosen
UPDATE deliveries d SET state = 'due', again = true
WHERE d.channel = %(channel)s AND d.state = 'confirmed' AND d.desired IS NOT NULL AND d.desired_position > %(since)s
  AND (%(skus)s::text[] IS NULL OR d.sku = ANY(%(skus)s::text[]))
  AND (%(keys)s::text[] IS NULL OR d.key = ANY(%(keys)s::text[]))
  AND d.lane = ANY(%(lanes)s::text[])
RETURNING d.sku, d.lane

-- name: chosen_skus
SELECT d.sku, min(d.lane), bool_and(d.state = 'confirmed') FROM deliveries d
WHERE d.channel = %(channel)s AND d.desired IS NOT NULL
  AND (%(skus)s::text[] IS NULL OR d.sku = ANY(%(skus)s::text[]))
  AND (%(keys)s::text[] IS NULL OR d.key = ANY(%(keys)s::text[]))
GROUP BY d.sku HAVING max(d.desired_position) > %(since)s
ORDER BY d.sku

-- name: acknowledged
-- What the channel acknowledged, facet by facet: the payload as it was sent, as far as it is known.
SELECT d.lane, d.sku, d.facet, d.key, d.acknowledged, d.receipt_position, d.desired_position, d.state,
       coalesce(b.body::text, CASE WHEN l.hash = d.acknowledged THEN l.payload::text END)
FROM deliveries d
LEFT JOIN bodies b ON b.hash = d.acknowledged
LEFT JOIN {listings} l ON l.sku = d.sku AND l.facet = d.facet
WHERE d.channel = %s AND d.lane = ANY(%b) AND d.acknowledged IS NOT NULL
ORDER BY d.lane, d.sku, d.rank

-- name: still_acknowledged
SELECT d.sku, d.facet FROM unnest(%b::text[], %b::text[], %b::bytea[], %b::bigint[]) AS u(sku, facet, mark, receipt)
JOIN deliveries d ON d.channel = %s AND d.sku = u.sku AND d.facet = u.facet
WHERE d.state = 'confirmed' AND d.desired IS NOT NULL AND d.acknowledged = u.mark AND d.receipt_position = u.receipt

-- name: mark_drifted
-- A listing that is not there any more counts as never acknowledged, so that it is made first, whatever else is due.
-- And as tried: it is looked for before it is made, and taken off should it be unwanted before that.
UPDATE deliveries d
SET state = 'due', again = true,
    acknowledged = CASE WHEN u.gone THEN NULL ELSE d.acknowledged END,
    attempts = CASE WHEN u.gone THEN 1 ELSE d.attempts END
FROM unnest(%b::text[], %b::text[], %b::boolean[]) AS u(sku, facet, gone)
WHERE d.channel = %s AND d.sku = u.sku AND d.facet = u.facet

-- name: wake_lanes
UPDATE lanes
SET touched = true,
    next_try = CASE WHEN attempts = 0 OR last_error IS NULL OR next_try IS NULL THEN clock_timestamp() ELSE next_try END
WHERE channel = %s AND lane = ANY(%b)

-- name: rejections
SELECT d.channel, d.sku, d.facet, d.key, d.desired_position, e.recorded_at, d.acknowledged IS NOT NULL, d.reasons::text
FROM deliveries d LEFT JOIN events e ON e.position = d.receipt_position
WHERE d.state = 'rejected' AND d.receipt_position > %(since)s
  AND (%(channel)s::text IS NULL OR d.channel = %(channel)s)
  AND (%(skus)s::text[] IS NULL OR d.sku = ANY(%(skus)s::text[]))
  AND (%(facet)s::text IS NULL OR d.facet = %(facet)s)
  AND (%(code)s::text IS NULL OR EXISTS (
    SELECT 1 FROM json_array_elements(d.reasons) r WHERE r ->> 'code' = %(code)s))
  AND (d.channel, d.sku, d.facet) > (%(after_channel)s, %(after_sku)s, %(after_facet)s)
ORDER BY d.channel, d.sku, d.facet LIMIT %(limit)s

-- name: rejected_lanes
SELECT DISTINCT d.lane FROM deliveries d
WHERE d.channel = %(channel)s AND d.state = 'rejected'
  AND (%(skus)s::text[] IS NULL OR d.sku = ANY(%(skus)s::text[]))
  AND (%(code)s::text IS NULL OR EXISTS (
    SELECT 1 FROM json_array_elements(d.reasons) r WHERE r ->> 'code' = %(code)s))

-- name: offer_again
UPDATE deliveries d SET state = 'due', reasons = NULL
WHERE d.channel = %(channel)s AND d.state = 'rejected' AND d.lane = ANY(%(lanes)s::text[])
  AND (%(skus)s::text[] IS NULL OR d.sku = ANY(%(skus)s::text[]))
  AND (%(code)s::text IS NULL OR EXISTS (
    SELECT 1 FROM json_array_elements(d.reasons) r WHERE r ->> 'code' = %(code)s))
RETURNING d.sku, d.lane

-- name: wake_lanes_at_once
UPDATE lanes SET next_try = clock_timestamp(), attempts = 0, touched = true WHERE channel = %s AND lane = ANY(%b)

-- name: health
-- By channel: who paused it, what its breaker says, how many workers live. A time that has passed is null.
SELECT p.name, p.paused_because, b.failures, b.reason, b.changed_at,
       CASE WHEN b.open_until > clock_timestamp() THEN b.open_until END,
       CASE WHEN b.quiet_until > clock_timestamp() THEN b.quiet_until END,
       (SELECT count(*) FROM delivery_workers w WHERE w.channel = p.name AND w.alive_until >= clock_timestamp())
FROM projections p LEFT JOIN breakers b ON b.channel = p.name
