"""`daybook order`: what it does and shows."""
