"""A product's stock by location: its state and the pure decisions about it."""
