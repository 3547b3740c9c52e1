"""Groups of many variants: what the whole costs, and what one change of one of them costs everybody.

A model and its variants are described, folded and listed from nothing, for every projection alone. Then single stock
changes are made and folded one by one, as they are when they come one by one. The neighbour is a product that stands
behind such a change in the same batch: it is listed with it, or waits for it. Beside them, in the same run: the same
with a group of one variant.
"""

import asyncio
import statistics
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from daybook.app import App
from daybook.channel.contract import Manifest
from daybook.channel.registry import installed
from daybook.commands import CountStock, DefineAttribute, DescribeProduct
from daybook.commands.book import Command
from daybook.commands.describe import Price
from daybook.config import Settings
from daybook.embedded.postgres import PostgresServer
from daybook.events import AttributeChange, AttributeDefined
from daybook.events.catalogue import AttributeOption
from daybook.log import reader
from daybook.log.pending import Context
from daybook.postgres.pool import AsyncConnection, connect_async
from daybook.projection.generations import live
from daybook.projection.session import BATCH_EVENTS_MAX, Session
from tests.benchmarks.databases import database, server
from tests.benchmarks.report import Figure, arguments, report

VARIANTS, QUICK_VARIANTS = (1, 100, 3000), (1, 100, 500)
PROJECTIONS = ("webshop", "shopify", "amazon", "bol", "google", "timeline")
CHANNELS = tuple(name for name in PROJECTIONS if name != "timeline")
CHANGES = 7
CHANGE_MS_MAX = 100.0


def definitions(variants: int) -> Iterator[Command]:
    """What the products have."""
    sizes = tuple(AttributeOption(code=f"s{n}", labels={"en": f"Size {n}"}) for n in range(variants))
    yield DefineAttribute(attribute=AttributeDefined(code="name", type="text"))
    yield DefineAttribute(attribute=AttributeDefined(code="brand", type="text"))
    yield DefineAttribute(attribute=AttributeDefined(code="size", type="select", options=sizes))


def model() -> DescribeProduct:
    """The root of the group."""
    named = tuple(AttributeChange(attribute=code, value=f"{code} of it") for code in ("name", "brand"))
    listed = dict.fromkeys(CHANNELS, True)
    return DescribeProduct(sku="M", kind="model", axes=("size",), attributes=named, channels=listed)


def variant(n: int) -> DescribeProduct:
    """One variant."""
    return DescribeProduct(
        sku=f"M-{n}",
        kind="variant",
        parent="M",
        attributes=(AttributeChange(attribute="size", value=f"s{n}"),),
        prices=(Price(amount="5.00", currency="EUR"),),
        stock={"main": 5},
    )


def neighbour() -> DescribeProduct:
    """A product beside the group."""
    named = tuple(AttributeChange(attribute=code, value=f"{code} beside") for code in ("name", "brand"))
    prices, listed = (Price(amount="5.00", currency="EUR"),), dict.fromkeys(CHANNELS, True)
    return DescribeProduct(sku="N", kind="product", attributes=named, prices=prices, stock={"main": 5}, channels=listed)


class Writer:
    """The book, and how long it took."""

    def __init__(self, app: App) -> None:
        self._app = app
        self.chance = 0

    def carry_out(self, *commands: Command) -> float:
        """Seconds that these commands took."""
        started = time.perf_counter()
        for one in commands:
            self._app.book.carry_out(one, Context.new("bench", "bench"))
        return time.perf_counter() - started

    def change(self, sku: str) -> None:
        """A stock that was never there before."""
        self.chance += 1
        self.carry_out(CountStock(sku=sku, quantity=100 + self.chance))


class Projected:
    """One projection, moved by hand."""

    def __init__(self, session: Session, rows: AsyncConnection) -> None:
        self._session, self._conn = session, rows

    async def step(self) -> float:
        """Milliseconds until all that is in the log is listed."""
        started = time.perf_counter()
        while rows := await reader.rows_after(self._conn, self._session.at.position, BATCH_EVENTS_MAX):
            await self._session.step([reader.recorded(row) for row in rows])
        while self._session.at.reference_from is not None:
            await self._session.step([])
        return 1000 * (time.perf_counter() - started)


async def folded(dsn: str, manifest: Manifest, variants: int, write: Writer) -> list[Figure]:
    """What one projection pays."""
    async with await connect_async(dsn, "bench") as conn, await connect_async(dsn, "bench rows") as rows:
        generation, at = await live(conn, manifest)
        projected = Projected(await Session.open(conn, manifest, generation, at), rows)
        whole = await projected.step()
        alone, beside = [], []
        for n in range(CHANGES):
            write.change(f"M-{n % variants}")
            alone.append(await projected.step())
            write.change(f"M-{n % variants}")
            write.change("N")
            beside.append(await projected.step())
    what = f"{manifest.name}, {variants} variants"
    return [
        Figure(f"{what}: the whole listed", whole / 1000, "s"),
        Figure(f"{what}: one change listed", statistics.median(alone), "ms", CHANGE_MS_MAX, at_most=True),
        Figure(f"{what}: its neighbour behind it", statistics.median(beside), "ms", CHANGE_MS_MAX, at_most=True),
    ]


def measure(sizes: Sequence[int], names: Sequence[str]) -> Iterator[Figure]:
    """One run."""
    with server() as postgres:
        for variants in sizes:
            yield from of_size(postgres, variants, names)


def of_size(postgres: PostgresServer, variants: int, names: Sequence[str]) -> Iterator[Figure]:
    """A group of this many variants, in a database of its own."""
    with database(postgres, f"group_{variants}") as dsn:
        settings = Settings(data=Path("/nowhere"), postgres=dsn, nats="nats://nowhere")
        with App(settings) as app:
            write = Writer(app)
            write.carry_out(*definitions(variants), neighbour(), model())
            seconds = write.carry_out(*map(variant, range(variants)))
            yield Figure(f"book, {variants} variants: one described", 1000 * seconds / variants, "ms")
            for name in names:
                yield from asyncio.run(folded(dsn, installed().get(name), variants, write))


def main() -> None:
    """Measures and prints."""
    parser = arguments("Groups of many variants")
    parser.add_argument("--variants", type=int, help="of one size")
    parser.add_argument("--only", action="append", help="of these projections")
    given = parser.parse_args()
    sizes = (given.variants,) if given.variants else QUICK_VARIANTS if given.quick else VARIANTS
    report("group", list(measure(sizes, given.only or PROJECTIONS)), given.json)


if __name__ == "__main__":
    main()
