"""JetStream: the log's events on their way to everybody who listens. Postgres stays the only truth."""
