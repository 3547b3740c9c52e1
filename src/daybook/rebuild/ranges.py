"""The log cut by key: ranges of whole product groups, of about the same number of events each."""

from psycopg import sql

from daybook.channel.contract import Manifest
from daybook.channel.reads import PRODUCTS
from daybook.postgres.pool import AsyncConnection
from daybook.projection.generations import Generation
from daybook.projection.reading import condition
from daybook.rebuild import QUERIES

RANGES_MIN, RANGES_MAX = 64, 4096
RANGE_EVENTS_MIN, RANGE_EVENTS_MAX = 500, 50_000
"""A range is one transaction: small enough that little is lost when a worker dies, large enough to be worth one."""
SAMPLE_EVENTS = 50_000


def amount(events: int) -> int:
    """Into how many ranges so many events are cut."""
    wanted = max(RANGES_MIN, -(-events // RANGE_EVENTS_MAX))
    return max(1, min(wanted, events // RANGE_EVENTS_MIN, RANGES_MAX))


async def cut(conn: AsyncConnection, manifest: Manifest, upto: int) -> list[tuple[str, str | None]]:
    """(first key, first key of the next range or None) of each range; together they hold every key."""
    parts = amount(upto)
    bounds: list[str] = []
    if parts > 1:
        percent = min(100.0, max(0.1, 100.0 * SAMPLE_EVENTS / upto))
        query = sql.SQL(QUERIES["cut"]).format(percent=sql.Literal(percent), wanted=condition(manifest)).as_bytes()
        shares = [number / parts for number in range(1, parts)]
        row = await (await conn.execute(query, {"parts": shares, "upto": upto})).fetchone()
        # One group may be as large as several ranges.
        bounds = [] if row is None or row[0] is None else list(dict.fromkeys(row[0]))
    return list(zip(["", *bounds], [*bounds, None], strict=True))


async def events_to_fold(conn: AsyncConnection, manifest: Manifest, upto: int) -> int:
    """How many events up to a position the projection folds."""
    products = manifest.reads == PRODUCTS
    query = sql.SQL(QUERIES["not_of_products" if products else "folded_count"]).format(wanted=condition(manifest))
    row = await (await conn.execute(query.as_bytes(), (upto,))).fetchone()
    assert row is not None
    return upto - int(row[0]) if products else int(row[0])


async def put(conn: AsyncConnection, generation: Generation, ranges: list[tuple[str, str | None]]) -> None:
    """Keeps the ranges, none of them done."""
    numbers = list(range(1, len(ranges) + 1))
    starts, ends = [start for start, _ in ranges], [end for _, end in ranges]
    given = {
        "projection": generation.projection,
        "generation": generation.number,
        "numbers": numbers,
        "starts": starts,
        "ends": ends,
    }
    await conn.execute(QUERIES["put_ranges"], given)
