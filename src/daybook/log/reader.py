"""Reading the log: by position, by key, by stream. Each question is one indexed statement."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from daybook.access.state import NOBODY, AccessState, fold_access
from daybook.catalogue.reference import EMPTY, Reference, fold_references
from daybook.events import Recorded, codec
from daybook.events.access import ACCESS_KEY
from daybook.events.envelope import REFERENCE_KEY
from daybook.limits import PAGE_BYTES_MAX
from daybook.log import QUERIES
from daybook.postgres.pool import AsyncConnection, Parameters, Pool, fetch

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
        access=row[14],
        event=codec.decode(row[4], row[15]),
    )


class Reader:
    """Reads with a pool; for commands, queries and edges. Raises Unavailable and CorruptLog."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._newest: tuple[Recorded | None, Reference] = (None, EMPTY)
        self._access: tuple[Recorded | None, AccessState] = (None, NOBODY)

    def _rows(self, query: str, parameters: Parameters) -> list[Any]:
        return fetch(self._pool, QUERIES[query], parameters)

    def head(self) -> int:
        """The last position; 0 in an empty log."""
        return int(self._rows("head", ())[0][0])

    def position_at(self, moment: datetime) -> int:
        """The last position recorded at or before the moment; 0 before the first event."""
        return int(self._rows("position_at", (moment,))[0][0])

    def after(self, position: int, limit: int = PAGE_EVENTS, upto: int = LAST) -> list[Recorded]:
        """The next events after a position, in order."""
        return [recorded(row) for row in self._rows("after", {"after": position, "upto": upto, "limit": limit})]

    def last(self, limit: int) -> list[Recorded]:
        """The newest events, oldest first."""
        return [recorded(row) for row in reversed(self._rows("last", (limit,)))]

    def of_key(self, key: str, upto: int = LAST, after: int = 0) -> list[Recorded]:
        """A product group's events in order."""
        return [recorded(row) for row in self._rows("of_key", {"key": key, "after": after, "upto": upto})]

    def of_types(self, types: Sequence[str], after: int = 0) -> list[Recorded]:
        """Events of these stored names after a position, in order: for rare ones, as all of them are read."""
        return [recorded(row) for row in self._rows("of_types", (list(types), after))]

    def of_stream(self, stream: str, upto: int = LAST, after_version: int = 0) -> list[Recorded]:
        """A stream's events in order."""
        given = {"stream": stream, "after": after_version, "upto": upto}
        return [recorded(row) for row in self._rows("of_stream", given)]

    def key_of(self, sku: str) -> str | None:
        """The product group of a SKU; None for a SKU that the book does not know."""
        rows = self._rows("key_of", (f"product/{sku}",))
        return str(rows[0][0]) if rows else None

    def groups_after(self, key: str = "", limit: int = PAGE_EVENTS) -> list[tuple[str, int]]:
        """The next product groups in order of their key, each with the position of its first event."""
        return [(str(key), int(first)) for key, first in self._rows("groups_after", (key, limit))]

    def changed_groups(self, low: int, high: int, after: str, limit: int) -> list[str]:
        """The next product groups, in order of key, that changed after a position and up to another."""
        given = {"low": low, "high": high, "after": after, "limit": limit}
        return [str(key) for (key,) in self._rows("changed_groups", given)]

    def reference(self, upto: int = LAST) -> Reference:
        """The reference state at a position.

        The newest one is remembered, with the event that made it, which is read again each time: after Postgres came
        back at an earlier moment it is another one, and everything is folded anew.
        """
        last, reference = self._newest
        older = last is not None and upto < last.position
        if last is not None and not older:
            same, *news = self.of_key(REFERENCE_KEY, upto, last.position - 1) or (None,)
            if same is not None and same.event_id == last.event_id:
                if not news:
                    return reference
                # Two threads may both read the news: they come to equal states, and the pair is replaced as one.
                self._newest = (news[-1], fold_references(reference, (one.event for one in news)))
                return self._newest[1]
        events = self.of_key(REFERENCE_KEY, upto)
        reference = fold_references(EMPTY, (one.event for one in events))
        if events and not older:
            self._newest = (events[-1], reference)
        return reference

    def access(self, upto: int = LAST) -> AccessState:
        """Who may do what at a position. The newest is remembered as the reference is: one indexed look for news."""
        last, state = self._access
        older = last is not None and upto < last.position
        if last is not None and not older:
            same, *news = self.of_key(ACCESS_KEY, upto, last.position - 1) or (None,)
            if same is not None and same.event_id == last.event_id:
                if not news:
                    return state
                self._access = (news[-1], fold_access(state, news))
                return self._access[1]
        events = self.of_key(ACCESS_KEY, upto)
        state = fold_access(NOBODY, events)
        if not older:
            self._access = (events[-1] if events else None, state)
        return state

    def of_types_after(self, types: Sequence[str], after: int, limit: int, upto: int = LAST) -> list[Recorded]:
        """The next events of these stored names after a position, in order."""
        given = {"types": list(types), "after": after, "upto": upto, "limit": limit}
        return [recorded(row) for row in self._rows("of_types_after", given)]

    def chosen_of_correlation(self, correlation: str, limit: int) -> list[tuple[int, str, str]]:
        """(position, key, stored type) of the events of one cause, in order."""
        return self._rows("chosen_of_correlation", {"correlation": correlation, "limit": limit})

    def chosen_between(self, after: int, upto: int, by: str | None, limit: int) -> list[tuple[int, str, str]]:
        """The same of the events after a position and up to another, of one actor or of all."""
        return self._rows("chosen_between", {"after": after, "upto": upto, "by": by, "limit": limit})

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


async def page_after(conn: AsyncConnection, position: int, limit: int, upto: int = LAST) -> list[Any]:
    """The next events as rows, undecoded: what the relay publishes and `recorded` decodes.

    At most `limit`, and no more once they have `limits.PAGE_BYTES_MAX`: events may be long, and memory is not endless.
    Only an empty page says that there are none.
    """
    given = {"after": position, "upto": upto, "limit": limit, "bytes": PAGE_BYTES_MAX}
    cursor = await conn.execute(QUERIES["page"], given, prepare=True)
    return await cursor.fetchall()


async def rows_after(conn: AsyncConnection, position: int, limit: int, upto: int = LAST) -> list[Any]:
    """The next events as rows, undecoded, whatever their size: for a few, or for as many as somebody holds already."""
    cursor = await conn.execute(QUERIES["after"], {"after": position, "upto": upto, "limit": limit}, prepare=True)
    return await cursor.fetchall()


async def reference_at(conn: AsyncConnection, upto: int) -> tuple[Reference, int]:
    """The reference state at a position and the position of its last event, for the worker loops."""
    events = await of_key(conn, REFERENCE_KEY, upto)
    return fold_references(EMPTY, (one.event for one in events)), events[-1].position if events else 0


async def of_key(conn: AsyncConnection, key: str, upto: int) -> list[Recorded]:
    """A key's events up to a position, for the worker loops."""
    cursor = await conn.execute(QUERIES["of_key"], {"key": key, "after": 0, "upto": upto})
    return [recorded(row) for row in await cursor.fetchall()]
