"""Rows of the two tables in the binary form of COPY, which is the cheapest way into Postgres.

Written out by hand: a row is a few length-prefixed fields, and going through a library's adapters for each of them
costs several times as much as making the bytes. The form is in the PostgreSQL manual, "COPY", "Binary Format".
"""

import struct
from collections.abc import Iterable, Sequence

from daybook.channel.folding import Entry
from daybook.postgres.arrays import Array

BEGIN = b"PGCOPY\n\xff\r\n\x00" + b"\x00" * 8
END = b"\xff\xff"

_count = struct.Struct(">h").pack
_int4 = struct.Struct(">i").pack
_int8 = struct.Struct(">iq").pack
_NULL = _int4(-1)
_STATE_FIELDS, _LISTING_FIELDS = _count(3), _count(7)


def texts(items: Sequence[str]) -> bytes:
    """A field of the type text[]."""
    array = Array.texts(items).data
    return _int4(len(array)) + array


def state(key: str, body: bytes, uses: bytes) -> bytes:
    """A row of the states: key, JSON, and the definitions it uses as `texts` gives them."""
    name = key.encode()
    return b"".join((_STATE_FIELDS, _int4(len(name)), name, _int4(len(body)), body, uses))


def listing(entry: Entry) -> bytes:
    """A row of the listings."""
    sku, facet, key = entry.sku.encode(), entry.facet.encode(), entry.key.encode()
    payload = _NULL if entry.payload is None else _int4(len(entry.payload)) + entry.payload
    return b"".join(
        (
            _LISTING_FIELDS,
            _int4(len(sku)),
            sku,
            _int4(len(facet)),
            facet,
            _int4(len(key)),
            key,
            payload,
            _NULL if entry.held is None else texts(entry.held),
            _int4(len(entry.hash)),
            entry.hash,
            _int8(8, entry.position),
        )
    )


def whole(rows: Iterable[bytes]) -> bytes:
    """Rows as one complete COPY."""
    return b"".join((BEGIN, *rows, END))
