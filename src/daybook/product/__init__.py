"""A product: its state, folded from its events, and the pure decisions about it."""
