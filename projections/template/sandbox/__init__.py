"""A marketplace to test against: `server` is all of it."""
