-- How many products a group has, which is asked before another one joins it, without reading the group's events.
CREATE INDEX events_products_of_key ON events (key) WHERE type = 'product.created.v1';
