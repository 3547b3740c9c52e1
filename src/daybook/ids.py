"""Identifiers that nobody has to coordinate."""

import uuid6


def new_id() -> str:
    """A UUIDv7: unique, and rising with time, so that indexes on it stay compact."""
    return str(uuid6.uuid7())
