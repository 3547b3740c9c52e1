"""A page of the log holds a bounded amount of bytes: who reads it needs no more memory when events are long."""

import random
import string

import pytest

from daybook.events import AttributeChange, AttributesChanged, Event, StockCounted
from daybook.log import reader
from daybook.log.pending import NewEvent
from daybook.postgres.pool import connect_async
from tests.fixtures.logs import context, opened

BYTES_MAX = 20_000


def value(text: str) -> Event:
    return AttributesChanged((AttributeChange(attribute="name", value=text),))


def events(seed: int = 7) -> list[Event]:
    """Short ones, long ones that compress to nearly nothing, and long ones that don't."""
    chance = random.Random(seed)
    long = ["x" * 15_000, "".join(chance.choices(string.ascii_letters, k=15_000))]
    return [value(chance.choice(long)) if n % 3 == 0 else StockCounted("main", n) for n in range(30)]


async def pages(dsn: str, limit: int) -> list[list[int]]:
    """The bytes of each event, page by page."""
    found, at = [], 0
    async with await connect_async(dsn, "test") as conn:
        while rows := await reader.page_after(conn, at, limit):
            assert [row[0] for row in rows] == list(range(at + 1, at + len(rows) + 1))
            at = rows[-1][0]
            found.append([len(row[15].encode()) for row in rows])
    return found


async def test_a_page_ends_with_the_event_that_fills_it_and_none_is_left_out(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "PAGE_BYTES_MAX", BYTES_MAX)
    with opened(database) as (log, _):
        log.record([(context(), [NewEvent("product/A", 0, one, "A", "A")]) for one in events()])
    found = await pages(database, 1000)
    assert sum(map(len, found)) == 30
    for page in found[:-1]:
        assert sum(page[:-1]) < BYTES_MAX <= sum(page)
    assert [len(page) for page in await pages(database, 2)] == [2] * 15
