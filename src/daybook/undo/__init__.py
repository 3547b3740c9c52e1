"""Takes back what was done: the inverse of events as new commands; nothing is ever removed from the log."""
