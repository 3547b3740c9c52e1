"""`daybook completeness`."""
