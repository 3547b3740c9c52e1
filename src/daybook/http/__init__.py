"""The HTTP edge: decode, call, encode. Nothing is decided here."""
