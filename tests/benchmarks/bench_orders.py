"""How fast orders are placed with their reservations, beside commands of one event, by sixteen callers.

An order looks at its product, its stock and itself, and appends two events at least in one commit: the order and the
reservation. The baseline is a command of one event through the same book, taken in turn with it.
"""

import random
import threading
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path
from statistics import median, quantiles

from daybook.app import App
from daybook.channel.registry import Registry
from daybook.commands import AdjustStock, ConfigureChannel, CountStock, CreateProduct, OrderedLine, PlaceOrder
from daybook.commands.book import Command
from daybook.config import Settings
from daybook.events import ChannelConfigured
from daybook.log.pending import Context
from tests.benchmarks.bench_append import server
from tests.benchmarks.report import Figure, arguments, report

CALLERS = 16
ROUNDS = 3
PRODUCTS = 2_000
PIECES = 1_000_000

Make = Callable[[random.Random], Command]
_numbers = count(1)


def changing(chance: random.Random) -> Command:
    """A command of one event, which looks at the same two streams as an order of one line."""
    return AdjustStock(sku=_sku(chance), delta=1)


def ordering(lines: int) -> Make:
    """Orders of so many different items."""

    def make(chance: random.Random) -> Command:
        return PlaceOrder(
            channel="shop",
            number=str(next(_numbers)),
            currency="EUR",
            lines=tuple(OrderedLine(sku=_sku(chance), quantity=1, price="19.99") for _ in range(lines)),
        )

    return make


def one_item(chance: random.Random) -> Command:
    """An order of the item that everybody wants."""
    return PlaceOrder(
        channel="shop",
        number=str(next(_numbers)),
        currency="EUR",
        lines=(OrderedLine(sku="SKU-0", quantity=1, price="19.99"),),
    )


KINDS: dict[str, Make] = {
    "one event": changing,
    "one line": ordering(1),
    "three lines": ordering(3),
    "one item": one_item,
}


def _sku(chance: random.Random) -> str:
    return f"SKU-{chance.randrange(1, PRODUCTS)}"


def measure(app: App, make: Make, seconds: float) -> list[float]:
    """How long each command took that ended within the time, after a warm-up."""
    begin = time.time() + 0.5
    taken: list[list[float]] = [[] for _ in range(CALLERS)]

    def work(number: int) -> None:
        chance = random.Random(number)
        started = time.time()
        while started < begin + seconds:
            app.book.carry_out(make(chance), Context.new("bench", "bench"))
            ended = time.time()
            if begin <= ended < begin + seconds:
                taken[number].append(ended - started)
            started = ended

    running = [threading.Thread(target=work, args=(number,)) for number in range(CALLERS)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    return [one for mine in taken for one in mine]


def measured(app: App, rounds: int, seconds: float) -> list[Figure]:
    """The figures, each the median of its rounds."""
    rates: dict[str, list[float]] = {name: [] for name in KINDS}
    times: dict[str, list[float]] = {name: [] for name in KINDS}
    for _ in range(rounds):
        for name, make in KINDS.items():
            taken = measure(app, make, seconds)
            rates[name].append(len(taken) / seconds)
            times[name] += taken
    rate = {name: median(found) for name, found in rates.items()}
    single = rate["one event"]
    figures = [
        Figure("orders of one line", rate["one line"], "orders/s", 0.4 * single, single),
        Figure("orders of three lines", rate["three lines"], "orders/s", None, single),
        Figure("orders that all want one item", rate["one item"], "orders/s", None, single),
    ]
    for name, share in (("one line", 50), ("one line", 99), ("one item", 99)):
        most, beside = (quantiles(times[each], n=100)[share - 1] * 1000 for each in (name, "one event"))
        said = "half" if share == 50 else f"{share} %"
        what = "orders of one line" if name == "one line" else "orders of one item"
        figures.append(Figure(f"{what}: {said} are acknowledged within", most, "ms", baseline=beside, at_most=True))
    return figures


def fill(app: App) -> None:
    """A channel, and products with more stock than is sold here."""
    by = Context.new("bench", "bench")
    app.book.carry_out(ConfigureChannel(channel=ChannelConfigured(name="shop")), by)

    def work(first: int) -> None:
        for number in range(first, PRODUCTS, CALLERS):
            sku = f"SKU-{number}"
            app.book.carry_out(CreateProduct(sku=sku), Context.new("bench", "bench"))
            app.book.carry_out(CountStock(sku=sku, quantity=PIECES), Context.new("bench", "bench"))

    running = [threading.Thread(target=work, args=(first,)) for first in range(CALLERS)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()


def main() -> None:
    """Measures and prints."""
    options = arguments("How fast orders are placed with their reservations").parse_args()
    with server() as dsn, App(Settings(data=Path("unused"), postgres=dsn), Registry([])) as app:
        fill(app)
        figures = measured(app, 1 if options.quick else ROUNDS, 1.0 if options.quick else 3.0)
    report("orders", figures, options.json)


if __name__ == "__main__":
    main()
