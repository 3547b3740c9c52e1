"""Sendcloud to test against: `server` has its routes, `rules` what it refuses."""
