"""`daybook inbox`."""
