"""Loading a product and a stock item that have few or many events: cold, as after a start, and cached."""

import statistics
import time
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

from daybook.commands.decision_view import FOLDS
from daybook.events import AttributeChange, AttributesChanged, Event, ProductCreated, StockReceived
from daybook.log.application import Log
from daybook.log.pending import Context, NewEvent
from daybook.postgres.pool import Pool, pool
from daybook.product.state import evolve as evolve_product
from daybook.stock.state import evolve as evolve_stock
from tests.benchmarks.databases import database, run, server
from tests.benchmarks.report import Figure, arguments, report

SIZES = (10, 95, 995, 9_995)
"""The worst case of each size: the newest snapshot, where there is one, is some ninety events old."""
ATTRIBUTES = 40
COLD, CACHED = 30, 200
EVOLVES: dict[str, Callable[[Any, Event], Any]] = {"product": evolve_product, "stock": evolve_stock}


def main() -> None:
    """Measures and prints."""
    options = arguments("Loading streams with few and with many events").parse_args()
    sizes = SIZES[:3] if options.quick else SIZES
    with server() as on, database(on, "streams") as dsn, pool(dsn, "bench", 2) as connections:
        for size in sizes:
            for noun in EVOLVES:
                _fill(Log(connections, FOLDS), noun, size)
        run(dsn, "VACUUM (ANALYZE) events")
        report("load", list(_figures(connections, sizes)), options.json)


def _figures(connections: Pool, sizes: tuple[int, ...]) -> Iterator[Figure]:
    """The stream of about 100 events, all of which are read, is the yardstick."""
    for noun, evolve in EVOLVES.items():
        _cold(connections, noun, evolve, sizes[-1])  # connections and statements are made
        of_100 = _cold(connections, noun, evolve, 95)
        whole = {size: _cold(connections, noun, evolve, size, snapshots=False) for size in sizes}
        for size in sizes:
            cold = _cold(connections, noun, evolve, size)
            target = 2 * of_100 if size > 100 else None
            yield Figure(f"{noun}, {size:,} events, cold", cold, "ms", target, of_100, at_most=True)
        for size in sizes:
            yield Figure(f"{noun}, {size:,} events, cold, no snapshots", whole[size], "ms", None, of_100)
        for size in sizes:
            yield Figure(
                f"{noun}, {size:,} events, cached", _cached(connections, noun, evolve, size), "ms", None, of_100
            )
        growing = _growing(connections, noun, evolve, sizes[-1])
        yield Figure(f"{noun}, {sizes[-1]:,} events, cached, it grows", growing, "ms", 2 * of_100, of_100, at_most=True)


def _fill(log: Log, noun: str, size: int) -> None:
    """In commands of seven events, as a busy product has them."""
    stream = f"{noun}/SKU-{size}"
    sku = f"SKU-{size}"
    events = _product(sku) if noun == "product" else (StockReceived("main", number) for number in range(1, 10**9))
    version = 0
    while some := list(islice(events, min(7, size - version))):
        context = Context.new("erp", "bench")
        log.append([NewEvent(stream, version + n, one, sku, sku) for n, one in enumerate(some, 1)], context)
        version += len(some)


def _product(sku: str) -> Iterator[Event]:
    yield ProductCreated(sku=sku, key=sku)
    for number in range(10**9):
        change = AttributeChange(attribute=f"attribute_{number % ATTRIBUTES}", value=f"the value number {number}")
        yield AttributesChanged((change,))


def _cold(
    connections: Pool, noun: str, evolve: Callable[[Any, Event], Any], size: int, *, snapshots: bool = True
) -> float:
    """Milliseconds for a log that has just started; the median of many."""

    def load() -> float:
        return _timed(Log(connections, FOLDS if snapshots else None), noun, evolve, size)

    return statistics.median(load() for _ in range(COLD))


def _cached(connections: Pool, noun: str, evolve: Callable[[Any, Event], Any], size: int) -> float:
    """Milliseconds for a log that has loaded it before: one look whether anything came since."""
    log = Log(connections, FOLDS)
    _timed(log, noun, evolve, size)
    return statistics.median(_timed(log, noun, evolve, size) for _ in range(CACHED))


def _growing(connections: Pool, noun: str, evolve: Callable[[Any, Event], Any], size: int) -> float:
    """Milliseconds between appends of the same log: after many of them, no more than one new event is read."""
    log = Log(connections, FOLDS)
    _timed(log, noun, evolve, size)
    stream, sku = f"{noun}/SKU-{size}", f"SKU-{size}"
    change = AttributeChange(attribute="attribute_1", value="a new value")
    event: Event = AttributesChanged((change,)) if noun == "product" else StockReceived("main", 1)
    taken = []
    for version in range(size + 1, size + CACHED + 1):
        log.append([NewEvent(stream, version, event, sku, sku)], Context.new("erp", "bench"))
        taken.append(_timed(log, noun, evolve, size, version))
    return statistics.median(taken[CACHED // 2 :])


def _timed(log: Log, noun: str, evolve: Callable[[Any, Event], Any], size: int, expected: int | None = None) -> float:
    begun = time.perf_counter()
    state, version = log.load(f"{noun}/SKU-{size}", evolve)
    took = (time.perf_counter() - begun) * 1000
    assert state is not None and version == (expected or size)
    return took


if __name__ == "__main__":
    main()
