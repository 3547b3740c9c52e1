"""Writing the catalogue out, as it is or as it was."""
