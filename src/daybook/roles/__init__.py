"""The processes that a running Daybook is made of."""
