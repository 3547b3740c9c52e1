"""Rows of the two tables in the binary form of COPY, which is the cheapest way into Postgres.

Written out by hand: a row is a few length-prefixed fields, and going through a library's adapters for each of them
costs several times as much as making the bytes. The form is in the PostgreSQL manual, "COPY", "Binary Format".
"""

import struct
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from daybook.postgres.arrays import Array
from daybook.projection.folding import Entry
from daybook.projection.versions import Version

BEGIN = b"PGCOPY\n\xff\r\n\x00" + b"\x00" * 8
END = b"\xff\xff"

_count = struct.Struct(">h").pack
_int4 = struct.Struct(">i").pack
_int8 = struct.Struct(">iq").pack
_NULL = _int4(-1)
_STATE_FIELDS, _LISTING_FIELDS, _VERSION_FIELDS = _count(3), _count(7), _count(10)
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
STANDS = 2**63 - 1
"""The end of a version that still stands."""


def texts(items: Sequence[str]) -> bytes:
    """A field of the type text[]."""
    array = Array.texts(items).data
    return _int4(len(array)) + array


def state(key: str, body: bytes, uses: bytes) -> bytes:
    """A row of the states: key, JSON, and the definitions it uses as `texts` gives them."""
    return b"".join((_STATE_FIELDS, _field(key.encode()), _field(body), uses))


def listing(entry: Entry) -> bytes:
    """A row of the listings."""
    return b"".join(
        (
            _LISTING_FIELDS,
            _field(entry.sku.encode()),
            _field(entry.facet.encode()),
            _field(entry.key.encode()),
            *_shown(entry),
            _int8(8, entry.position),
        )
    )


def version(found: Version) -> bytes:
    """A row of the versions, which must know its times."""
    entry, until = found.entry, found.until
    return b"".join(
        (
            _VERSION_FIELDS,
            _field(entry.key.encode()),
            _field(entry.sku.encode()),
            _field(entry.facet.encode()),
            _int8(8, STANDS if until is None else until),
            _int8(8, entry.position),
            *_shown(entry),
            _time(found.at),
            _time(found.until_at),
        )
    )


def _shown(entry: Entry) -> tuple[bytes, ...]:
    """The fields payload, held and hash."""
    return (
        _NULL if entry.payload is None else _field(entry.payload),
        _NULL if entry.held is None else texts(entry.held),
        _field(entry.hash),
    )


def _field(body: bytes) -> bytes:
    return _int4(len(body)) + body


def _time(moment: datetime | None) -> bytes:
    return _NULL if moment is None else _int8(8, (moment - _EPOCH) // _MICROSECOND)


def whole(rows: Iterable[bytes]) -> bytes:
    """Rows as one complete COPY."""
    return b"".join((BEGIN, *rows, END))
