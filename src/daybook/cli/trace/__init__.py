"""`daybook trace`."""
