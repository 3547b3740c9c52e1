"""The read side's engine: what a channel promises, and everything that it need not know about."""
