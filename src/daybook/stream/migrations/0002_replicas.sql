-- On how many servers of a cluster the stream is kept, so that one that is removed and made anew is on as many.
ALTER TABLE stream_state ADD COLUMN replicas integer NOT NULL DEFAULT 1 CHECK (replicas BETWEEN 1 AND 5);
COMMENT ON COLUMN stream_state.replicas IS 'copies that JetStream keeps, as the relay last saw it or asked for';
