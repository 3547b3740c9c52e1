"""An account at bol to tell of parcels, to test against: `server` is all of it."""
