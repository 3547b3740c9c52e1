"""Users: who may be given access."""
