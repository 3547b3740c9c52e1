-- How far each policy is, and what it keeps of each product group. All of it is folded from the log: drop the rows at any
-- time, and the policy begins with what it said already, and says nothing twice.
CREATE TABLE policies (
    name         text PRIMARY KEY,
    version      integer NOT NULL,
    position     bigint NOT NULL DEFAULT 0,
    decides_from bigint NOT NULL,
    retried      bigint NOT NULL DEFAULT 0,
    swept        text,
    moved_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    failing      text,
    failing_since timestamptz
);
COMMENT ON TABLE policies IS 'the checkpoint of each policy';
COMMENT ON COLUMN policies.decides_from IS 'up to here events are only folded: they came before the policy, or before its new code';
COMMENT ON COLUMN policies.retried IS 'the version of the stream policy/<name> up to which retries were carried out';
COMMENT ON COLUMN policies.swept IS 'the key up to which all groups were decided anew because of the event at the checkpoint; null when none is under way';

CREATE TABLE policy_groups (
    policy text NOT NULL,
    key    text NOT NULL COLLATE "C",
    kept   json NOT NULL,
    PRIMARY KEY (policy, key)
);
COMMENT ON TABLE policy_groups IS 'what each policy keeps of a product group';

CREATE TABLE policy_parked (
    policy   text NOT NULL,
    key      text NOT NULL COLLATE "C",
    position bigint NOT NULL,
    reason   text NOT NULL,
    since    timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (policy, key)
);
COMMENT ON TABLE policy_parked IS 'product groups that the policy''s own code could not stand, until a person has them tried again';
