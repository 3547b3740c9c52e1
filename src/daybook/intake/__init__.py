"""Orders that arrive by themselves: what channels tell is kept first, and decided on afterwards."""
