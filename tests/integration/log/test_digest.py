"""The digest of events is the same for whoever holds the same events, and for nobody else."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import msgspec
import psycopg
import pytest

from daybook.events import AttributeChange, AttributesChanged, Event, StockCounted
from daybook.log import reader
from daybook.log.digest import digest, digest_of_log
from daybook.log.pending import Context
from daybook.postgres.pool import connect_async
from daybook.stream import cloudevents
from tests.fixtures.logs import happened, opened

ODD = '\n"naïve" \\ \t 🧦 {}, (1)'


@pytest.fixture
def filled(database: str) -> str:
    plain = Context.new("ada", "test", reason=ODD, correlation_id="order 7", causation_id="c")
    plain = msgspec.structs.replace(plain, access="dbk_a/gr_b")
    bare = Context.new("c", "c", command_id="2")
    events: list[tuple[Context, str, Event]] = [
        (plain, "stock/A", StockCounted("main", 3)),
        (bare, "product/B", AttributesChanged((AttributeChange(attribute="t", value=ODD + "\x1f\x00"),))),
        (Context.new("bob", "test"), "stock/A", StockCounted("main", 4)),
    ]
    with opened(database) as (log, _):
        for context, stream, event in events:
            log.append(happened(stream, 0, 1, event), context)
    return database


def of_log(dsn: str, after: int, upto: int) -> bytes | None:
    async def main() -> bytes | None:
        async with await connect_async(dsn, "test") as conn:
            return await digest_of_log(conn, after, upto)

    return asyncio.run(main())


def held(dsn: str) -> list[tuple[Any, ...]]:
    async def main() -> list[tuple[Any, ...]]:
        async with await connect_async(dsn, "test") as conn:
            return await reader.rows_after(conn, 0, 100)

    return asyncio.run(main())


def test_rows_and_messages_have_the_digest_of_the_log(filled: str) -> None:
    rows = held(filled)
    messages = [cloudevents.row(cloudevents.encode(row)) for row in rows]
    for first in range(3):
        for last in range(first + 1, 4):
            wanted = of_log(filled, first, last)
            assert digest(rows[first:last]) == digest(messages[first:last]) == wanted is not None


def test_positions_that_the_log_does_not_have_have_no_digest(filled: str) -> None:
    assert of_log(filled, 0, 4) is None
    assert of_log(filled, 3, 4) is None


@pytest.mark.parametrize("column", range(16))
def test_any_other_column_gives_another_digest(filled: str, column: int) -> None:
    rows = held(filled)
    was = rows[0][column]
    other = was + 1 if isinstance(was, int) else was + timedelta(microseconds=1) if column == 7 else f"{was}x"
    for value in (other, None) if column in (5, 9, 12, 14) else (other,):
        changed = [(*rows[0][:column], value, *rows[0][column + 1 :]), *rows[1:]]
        assert digest(changed) != digest(rows)


@pytest.mark.parametrize("mark", ["\x1f", "\x1e"])
def test_rows_that_hold_what_stands_between_columns_have_no_digest(filled: str, mark: str) -> None:
    row: Sequence[Any] = held(filled)[0]
    assert digest([(*row[:8], f"ada{mark}because", *row[9:])]) is None


def test_a_time_zone_or_a_setting_of_the_session_makes_no_difference(filled: str) -> None:
    rows, wanted = held(filled), of_log(filled, 0, 3)
    with psycopg.connect(filled, autocommit=True) as conn:
        for setting in ("timezone = 'Asia/Kolkata'", "bytea_output = escape", "datestyle = 'German'"):
            conn.execute(f"ALTER DATABASE {conn.info.dbname} SET {setting}".encode())
    assert of_log(filled, 0, 3) == wanted == digest(rows)
