"""An order: its state, where its pieces come from, and the pure decisions about it."""
