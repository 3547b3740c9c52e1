"""`daybook text`."""
