"""`daybook order`."""
