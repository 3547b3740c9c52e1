"""The JetStream stream that carries the log."""
