-- name: holds
-- The lease, when the token is still the newest one. Nobody can take it over before this transaction has ended.
SELECT 1 FROM leases WHERE name = %s AND token = %s FOR SHARE
