"""Reading the log: by position, by key, by stream. Each question is one indexed statement."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from daybook.catalogue.reference import EMPTY, Reference, fold_reference
from daybook.events import Recorded, codec
from daybook.events.envelope import REFERENCE_KEY
from daybook.log import QUERIES
from daybook.postgres.pool import AsyncConnection, Pool, fetch

LAST = 2**62
"""A position that is later than any."""
PAGE_EVENTS = 1000


def recorded(row: Sequence[Any]) -> Recorded:
    """A row of the reading queries as an event. Raises CorruptLog."""
    return Recorded(
        position=row[0],
        event_id=row[1],
        stream=row[2],
        version=row[3],
        type=row[4],
        sku=row[5],
        key=row[6],
        recorded_at=row[7],
        actor=row[8],
        reason=row[9],
        source=row[10],
        correlation_id=row[11],
        causation_id=row[12],
        command_id=row[13],
        event=codec.decode(row[4], row[14]),
    )


class Reader:
    """Reads with a pool; for commands, queries and edges. Raises Unavailable and CorruptLog."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def _rows(self, query: str, parameters: Sequence[Any]) -> list[Any]:
        return fetch(self._pool, QUERIES[query], parameters)

    def head(self) -> int:
        """The last position; 0 in an empty log."""
        return int(self._rows("head", ())[0][0])

    def position_at(self, moment: datetime) -> int:
        """The last position recorded at or before the moment; 0 before the first event."""
        return int(self._rows("position_at", (moment,))[0][0])

    def after(self, position: int, limit: int = PAGE_EVENTS, upto: int = LAST) -> list[Recorded]:
        """The next events after a position, in order."""
        return [recorded(row) for row in self._rows("after", (position, upto, limit))]

    def all_after(self, position: int, upto: int = LAST) -> Iterator[Recorded]:
        """Every event after a position, in order, read in pages."""
        while page := self.after(position, upto=upto):
            yield from page
            position = page[-1].position

    def last(self, limit: int) -> list[Recorded]:
        """The newest events, oldest first."""
        return [recorded(row) for row in reversed(self._rows("last", (limit,)))]

    def of_key(self, key: str, upto: int = LAST, after: int = 0) -> list[Recorded]:
        """A product group's events in order."""
        return [recorded(row) for row in self._rows("of_key", (key, after, upto))]

    def of_types(self, types: Sequence[str], after: int = 0) -> list[Recorded]:
        """Events of these stored names after a position, in order: for rare ones, as all of them are read."""
        return [recorded(row) for row in self._rows("of_types", (list(types), after))]

    def of_stream(self, stream: str, upto: int = LAST, after_version: int = 0) -> list[Recorded]:
        """A stream's events in order."""
        return [recorded(row) for row in self._rows("of_stream", (stream, after_version, upto))]

    def key_of(self, sku: str) -> str | None:
        """The product group of a SKU; None for a SKU that the book does not know."""
        rows = self._rows("key_of", (f"product/{sku}",))
        return str(rows[0][0]) if rows else None

    def keys(self, after: str = "", upto: int = LAST, limit: int = PAGE_EVENTS) -> list[str]:
        """Product groups in order of their key, a page at a time."""
        return [str(row[0]) for row in self._rows("keys", (after, upto, limit))]

    def reference(self, upto: int = LAST) -> Reference:
        """The reference state at a position."""
        reference = EMPTY
        for one in self.of_key(REFERENCE_KEY, upto):
            reference = fold_reference(reference, one.event)
        return reference

    def count_by_type(self) -> list[tuple[str, int, datetime, datetime]]:
        """How many events of each type there are, and from when to when."""
        return [tuple(row) for row in self._rows("count_by_type", ())]

    def size(self) -> dict[str, Any]:
        """Head, and bytes on disk."""
        position, recorded_at, table, indexes = self._rows("size", ())[0]
        return {"position": position, "recorded_at": recorded_at, "table_bytes": table, "index_bytes": indexes}


async def head(conn: AsyncConnection) -> int:
    """The last position, for the worker loops."""
    row = await (await conn.execute(QUERIES["head"])).fetchone()
    assert row is not None
    return int(row[0])


async def rows_after(conn: AsyncConnection, position: int, limit: int, upto: int = LAST) -> list[Any]:
    """The next events as rows, undecoded: what the relay publishes and `recorded` decodes."""
    cursor = await conn.execute(QUERIES["after"], (position, upto, limit), prepare=True)
    return await cursor.fetchall()


async def of_key(conn: AsyncConnection, key: str, upto: int) -> list[Recorded]:
    """A key's events up to a position, for the worker loops."""
    cursor = await conn.execute(QUERIES["of_key"], (key, 0, upto))
    return [recorded(row) for row in await cursor.fetchall()]
