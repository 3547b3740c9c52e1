-- When a grant was last used with a key, to the minute. No event: it decides nothing, and would be one for each request.
-- Drop the rows at any time; what is listed as unused is then counted from the day that it was granted.
CREATE TABLE access_uses (
    key_id       text NOT NULL,
    grant_id     text NOT NULL,
    last_used_at timestamptz NOT NULL,
    PRIMARY KEY (key_id, grant_id)
) WITH (fillfactor = 80);
COMMENT ON TABLE access_uses IS 'when a grant was last used with a key, noted at most once a minute by each process';
