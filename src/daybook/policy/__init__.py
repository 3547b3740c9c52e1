"""Policies: what follows in the book from what is in it. Events in, events out, nothing of the world outside."""
