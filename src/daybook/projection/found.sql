-- name: make_found
-- Makes what products are found by, of a generation's listings: see the migrations.
SELECT make_found(%s, %s)
