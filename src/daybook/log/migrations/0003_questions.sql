-- What people ask the log with psql alone, and the indexes that answer it. What each index costs an append is measured in
-- docs/decisions; an index that answers no question of a person or of the program does not belong here.

-- Everything that belongs to one import, one order, one request.
CREATE INDEX events_by_correlation ON events (correlation_id, position);
-- What did this person or system do, and when?
CREATE INDEX events_by_actor ON events (actor, recorded_at);
-- All price changes, all receipts of one kind.
CREATE INDEX events_by_type ON events (type, position);

-- Functions where a SKU is asked for: a view over `sku` would read the whole log, these read the SKU's two streams.
CREATE FUNCTION product_history(wanted text)
RETURNS TABLE (recorded_position bigint, recorded_at timestamptz, type text, actor text, reason text, source text, data json)
LANGUAGE sql STABLE AS $$
    SELECT position, recorded_at, type, actor, reason, source, data
    FROM events WHERE stream IN ('product/' || wanted, 'stock/' || wanted) ORDER BY position
$$;
COMMENT ON FUNCTION product_history IS 'what happened to a product and its stock: SELECT * FROM product_history(''SKU-1'')';

CREATE FUNCTION price_history(wanted text)
RETURNS TABLE (recorded_position bigint, recorded_at timestamptz, price_list text, currency text, minor_units bigint,
               minor_units_before bigint, actor text, reason text)
LANGUAGE sql STABLE AS $$
    SELECT position, recorded_at, data->>'price_list', data#>>'{price,currency}', (data#>>'{price,amount}')::bigint,
           lag((data#>>'{price,amount}')::bigint) OVER (
               PARTITION BY data->>'price_list', data#>>'{price,currency}' ORDER BY position),
           actor, reason
    FROM events WHERE stream = 'product/' || wanted AND type = 'product.price_changed.v1' ORDER BY position
$$;
COMMENT ON FUNCTION price_history IS 'every price that a product ever had, with the one before it';

CREATE VIEW changed_today AS
SELECT actor, source, split_part(type, '.', 1) || '.' || split_part(type, '.', 2) AS what, count(*) AS events,
       count(DISTINCT sku) AS products, min(recorded_at) AS first_at, max(recorded_at) AS last_at
FROM events
WHERE position > position_at(date_trunc('day', now()) - interval '1 microsecond')
GROUP BY 1, 2, 3;
COMMENT ON VIEW changed_today IS 'who changed what since midnight, UTC where the session is';
