"""The questions: what is, what was, what changed, and who saw it. Each is answered from the log alone."""
