"""`daybook schedule`."""
