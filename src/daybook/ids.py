"""Identifiers that nobody has to coordinate."""

import base64
import hashlib
import secrets
import time

import uuid6

_VERSION_7 = 7 << 76
_VARIANT = 2 << 62


def new_id() -> str:
    """A UUIDv7: unique, and rising with time, so that indexes on it stay compact."""
    return str(uuid6.uuid7())


def short_id(prefix: str, seed: str | None = None) -> str:
    """A short id of 50 bits after a prefix, `usr_k3v7…`, for people to type. The same seed gives the same id."""
    made = secrets.token_bytes(7) if seed is None else hashlib.sha256(f"{prefix}{seed}".encode()).digest()
    return prefix + base64.b32encode(made).decode().lower()[:10]


def new_secret(size: int = 32) -> bytes:
    """So many bytes that nobody can guess."""
    return secrets.token_bytes(size)


def new_ids(number: int) -> list[bytes]:
    """So many UUIDv7 at once, as their 16 bytes, rising: one moment and one random start for all, then counted up.

    RFC 9562, section 6.2, allows the counter. A log that takes 100,000 events a second can't spend 8 µs on each id,
    which is what making them one by one costs.
    """
    # The start's top bit is left clear, so that counting up never runs over into the fixed bits.
    start = (
        time.time_ns() // 1_000_000 << 80 | _VERSION_7 | secrets.randbits(12) << 64 | _VARIANT | secrets.randbits(61)
    )
    return [(start + one).to_bytes(16, "big") for one in range(number)]
