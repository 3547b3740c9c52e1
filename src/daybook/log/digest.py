"""One hash over many events: computed here of what somebody says the log holds, and by Postgres of what it does hold.

Hazard: two different runs of events must never come to the same text. One character stands between columns, and one for
a column that is null. Rows that hold either of them in a column have no digest.
"""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from daybook.log import QUERIES
from daybook.postgres.pool import AsyncConnection

_COLUMN, _NULL, _ROW = "\x1f", "\x1e", "\n"
_COLUMNS = 16
_POSTGRES_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def digest(rows: Sequence[Sequence[Any]]) -> bytes | None:
    """The hash of events as the reading queries give them; None when they hold what would make it ambiguous."""
    nulls = 0
    lines = []
    for row in rows:
        columns = [_NULL if one is None else one if type(one) is str else str(one) for one in row]
        columns[7] = _moment(row[7])
        nulls += (row[5] is None) + (row[9] is None) + (row[12] is None) + (row[14] is None)
        lines.append(_COLUMN.join(columns))
    text = _ROW.join(lines)
    if text.count(_COLUMN) != len(rows) * (_COLUMNS - 1) or text.count(_NULL) != nulls:
        return None
    return hashlib.sha256(text.encode()).digest()


async def digest_of_log(conn: AsyncConnection, after: int, upto: int) -> bytes | None:
    """The hash of the log's events of these positions; None when it does not have all of them."""
    row = await (await conn.execute(QUERIES["digest"], (after, upto), prepare=True)).fetchone()
    return row[1] if row is not None and row[0] == upto - after else None


def _moment(at: datetime) -> str:
    """As Postgres keeps it: microseconds since 2000, 64 bits."""
    return f"{(at - _POSTGRES_EPOCH) // _MICROSECOND & 0xFFFFFFFFFFFFFFFF:016x}"
