"""What one projection reads of the log: told of a row before it is decoded, and asked of Postgres as a condition.

Whoever reads orders alone pays nothing for a million products, and a product's channels pay nothing for orders.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec
from psycopg import sql

from daybook.channel.contract import Manifest
from daybook.channel.reads import PRODUCTS, key_test
from daybook.events import EventDiscarded, ListingAccepted, ListingConfirmed, ListingRejected, Recorded
from daybook.events.codec import stored_names
from daybook.events.envelope import KEY_BEGINS, REFERENCE_KEY
from daybook.limits import PAGE_BYTES_MAX
from daybook.log import reader
from daybook.postgres.pool import AsyncConnection
from daybook.postgres.sql import beside

QUERIES = beside(__file__)

TYPE, KEY = 4, 6
"""Where a row of the log has them."""
OWN_TYPES = stored_names((ListingAccepted, ListingConfirmed, ListingRejected, EventDiscarded))
"""What the engine itself has to see of a key that a projection reads."""


class Passed(msgspec.Struct, frozen=True):
    """An event that nobody here reads: it has its place in the order and was not decoded."""

    position: int


Takes = Callable[[str, str], bool]
"""takes(type, key) -> whether an event has to be decoded."""


def decoded(rows: Sequence[Sequence[Any]], takes: Takes) -> list[Recorded | Passed]:
    """Rows of the log, those that are taken as events."""
    return [reader.recorded(row) if takes(row[TYPE], row[KEY]) else Passed(row[0]) for row in rows]


class Stretch(msgspec.Struct, frozen=True):
    """What a projection reads between a position and `upto`."""

    events: list[Recorded]
    upto: int
    more: bool
    """Whether there may be more behind it."""


class Reading:
    """One projection's part of the log."""

    def __init__(self, manifest: Manifest) -> None:
        reads = manifest.reads
        self._of_key = key_test(reads.keys)
        self._types = stored_names(reads.events) | OWN_TYPES if reads.events else None
        self._whole = reads == PRODUCTS
        self._manifest = manifest

    def takes(self, type_: str, key: str) -> bool:
        """Whether an event is this projection's, or of the reference."""
        if self._of_key(key):
            return self._types is None or type_ in self._types
        return key == REFERENCE_KEY

    def of(self, events: Sequence[Recorded | Passed]) -> list[Recorded]:
        """Those of the events that are this projection's, in order."""
        return [one for one in events if isinstance(one, Recorded) and self.takes(one.type, one.key)]

    def row(self, row: Sequence[Any]) -> Recorded | Passed:
        """A row of the log."""
        return reader.recorded(row) if self.takes(row[TYPE], row[KEY]) else Passed(row[0])

    async def after(self, conn: AsyncConnection, position: int, limit: int) -> Stretch:
        """The next events behind a position, from the log; others don't even leave Postgres where that pays."""
        if self._whole:
            rows = await reader.page_after(conn, position, limit)
            found = [reader.recorded(row) for row in rows if self.takes(row[TYPE], row[KEY])]
            return Stretch(found, rows[-1][0] if rows else position, bool(rows))
        query = sql.SQL(QUERIES["page_of"]).format(wanted=condition(self._manifest, own=True)).as_bytes()
        given = {"after": position, "limit": limit, "bytes": PAGE_BYTES_MAX}
        head, *rows = await (await conn.execute(query, given)).fetchall()
        found = [reader.recorded(row) for row in rows]
        return Stretch(found, rows[-1][0] if rows else max(position, head[0]), bool(rows))


def any_takes(manifests: Iterable[Manifest]) -> Takes:
    """Whether one of these projections takes an event."""
    each = tuple(one.takes for one in {one.reads: Reading(one) for one in manifests}.values())
    if len(each) == 1:
        return each[0]
    return lambda type_, key: any(takes(type_, key) for takes in each)


def condition(manifest: Manifest, *, own: bool = False) -> sql.Composed:
    """In SQL, over the columns `key` and `type`: what the projection folds; with `own` all that `takes` takes."""
    reads = manifest.reads
    kinds = [
        sql.SQL("key ^@ {}").format(sql.Literal(KEY_BEGINS[kind]))
        if kind in KEY_BEGINS
        else sql.SQL("left(key, 1) <> '@'")
        for kind in reads.keys
    ]
    wanted = sql.SQL("({})").format(sql.SQL(" OR ").join(kinds))
    if reads.events:
        types = stored_names(reads.events) | (OWN_TYPES if own else frozenset())
        wanted = sql.SQL("({} AND type = ANY({}))").format(wanted, sql.Literal(sorted(types)))
    if own:
        wanted = sql.SQL("({} OR key = {})").format(wanted, sql.Literal(REFERENCE_KEY))
    return wanted
