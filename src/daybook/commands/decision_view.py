"""What a command sees while it decides: states loaded with their versions, the reference, the known channels."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any

import msgspec

from daybook import limits
from daybook.access.state import NOBODY, AccessState
from daybook.catalogue.reference import Reference
from daybook.channel.registry import Kind, Purpose
from daybook.errors import InvalidValue, NotFound
from daybook.events import ChannelConfigured, Event
from daybook.log.application import Log
from daybook.log.snapshots import Evolve, Fold, S
from daybook.orders.decisions import known as known_order
from daybook.orders.state import Order
from daybook.orders.state import evolve as evolve_order
from daybook.people.state import PersonState
from daybook.people.state import evolve as evolve_person
from daybook.product.decisions import known
from daybook.product.state import Product
from daybook.product.state import evolve as evolve_product
from daybook.schedule.state import Schedule
from daybook.schedule.state import evolve as evolve_schedule
from daybook.stock.state import Stock
from daybook.stock.state import evolve as evolve_stock
from daybook.texts.state import Texts
from daybook.texts.state import evolve as evolve_texts
from daybook.values import check_limit, parse_code, parse_sku


def _newest(_: Any, event: Event) -> Any:
    """A definition's state is its newest event."""
    return event


FOLDS = {
    "product": Fold(evolve_product, Product, 1),
    "stock": Fold(evolve_stock, Stock, 2),
    "order": Fold(evolve_order, Order, 1),
    "schedule": Fold(evolve_schedule, Schedule, 1),
    "text": Fold(evolve_texts, Texts, 1),
}
"""The streams whose states decisions rest on. Raise a version when its `evolve` or state changes: see `Fold`."""


SNAPSHOTS = {noun: FOLDS[noun] for noun in ("product", "stock")}
"""Those of them that grow long: an order has few events, and most are looked for before they are there."""

Loaded = Mapping[str, tuple[Any, int]]
"""Stream -> its state and version."""
Kinds = Mapping[str, Kind]
"""The kinds of channels, and the read models, that are installed, by name."""
UNSOLD: dict[Purpose, str] = {
    "work": "is a work: it is told of products and orders, and nothing is sold there",
}


class Change(msgspec.Struct, frozen=True):
    """Events for one stream, with the columns that say whose they are."""

    stream: str
    sku: str | None
    key: str
    events: Sequence[Event]


class DecisionView:
    """One look at the log. What is loaded is remembered, so that the append can be checked against it."""

    def __init__(
        self,
        log: Log,
        reference: Reference,
        channels: frozenset[str],
        kinds: Kinds = MappingProxyType({}),
        access: Callable[[], AccessState] = lambda: NOBODY,
        loaded: Loaded = MappingProxyType({}),
    ) -> None:
        self._log = log
        self._kinds = kinds
        self.access = access
        """Who may do what, as the log has it now."""
        self.reference = reference
        self.installed = channels
        self.channels = (channels | frozenset(reference.channels)) - frozenset(reference.removed)
        self.versions: dict[str, int] = {}
        self._looked: dict[str, tuple[Any, int]] = dict(loaded)

    def look(self, skus: Iterable[str], order: str | None = None) -> None:
        """Loads the products and stocks of these SKUs, and an order, in one round trip: what is asked for next."""
        wanted: dict[str, Evolve[Any]] = {} if order is None else {f"order/{order}": evolve_order}
        for sku in skus:
            wanted |= {f"product/{sku}": evolve_product, f"stock/{sku}": evolve_stock}
        self._looked |= self._log.load_many(wanted)

    def _load(self, stream: str, evolve: Evolve[S]) -> S | None:
        state, self.versions[stream] = self._looked.get(stream) or self._log.load(stream, evolve)
        return state

    def product(self, sku: str) -> Product | None:
        """The product now; None when the book does not know it. Raises InvalidValue for a malformed SKU."""
        return self._load(f"product/{parse_sku(sku)}", evolve_product)

    def known_product(self, sku: str) -> Product:
        """The product now, or NotFound."""
        return known(self.product(sku), sku)

    def parent_of_new(self, sku: str | None) -> Product | None:
        """The product under which another is to be created. Raises InvalidValue when there is no room in its group."""
        if sku is None:
            return None
        parent = self.product(parse_sku(sku, "parent"))
        if parent is not None:
            check_limit(limits.VARIANTS, self._log.products_of(parent.key) + 1, "parent")
            level, above = 1, parent
            while above.parent is not None:
                above, level = self.known_product(above.parent), level + 1
                check_limit(limits.LEVELS, level, "parent")
        return parent

    def stock(self, sku: str) -> Stock | None:
        """The stock now; None when nothing ever happened to it. Raises InvalidValue for a malformed SKU."""
        return self._load(f"stock/{parse_sku(sku)}", evolve_stock)

    def texts(self, engine: str, sku: str) -> Texts | None:
        """What an engine drafted of the product's texts; None before it drafted anything."""
        return self._load(f"text/{engine}/{parse_sku(sku)}", evolve_texts)

    def order(self, order: str) -> Order | None:
        """The order now; None when the book does not know it."""
        return self._load(f"order/{order}", evolve_order)

    def known_order(self, order: str) -> Order:
        """The order now, or NotFound."""
        return known_order(self.order(order), order)

    def schedule(self, name: str) -> Schedule | None:
        """The planned change now; None when the book does not know it."""
        return self._load(f"schedule/{name}", evolve_schedule)

    def now(self) -> datetime:
        """The book's time: Postgres's, never before its last event. For what is planned, and for nothing else."""
        return self._log.now()

    def person(self, person: str) -> PersonState | None:
        """Whether the person is known, or was erased; None when the book never heard of him or her."""
        return self._load(f"person/{person}", evolve_person)

    def version(self, stream: str) -> int:
        """The version that the stream had when it was loaded; looks it up when it was not."""
        if stream not in self.versions:
            # The log caches states by stream, so every load of a stream must fold with the same function.
            noun = stream.partition("/")[0]
            fold = FOLDS.get(noun)
            _, self.versions[stream] = self._log.load(stream, fold.evolve if fold else _newest)
        return self.versions[stream]

    def kind(self, kind: str) -> Kind:
        """The kind of channel of this name, or NotFound."""
        if kind not in self._kinds or self._kinds[kind].purpose == "reading":
            there = ", ".join(sorted(name for name, one in self._kinds.items() if one.purpose != "reading")) or "none"
            raise NotFound(f"kind: no kind of channel {kind!r} is installed; installed are: {there}", field="kind")
        return self._kinds[kind]

    def first_settings(self, name: str) -> ChannelConfigured | None:
        """What an installed channel goes by until it is configured; None for one that is not installed."""
        found = self._kinds.get(name)
        return None if found is None or found.purpose == "reading" else found.defaults(name)

    def purpose(self, name: str) -> Purpose:
        """What the projection of a channel's name is there for. One that is not installed was made to sell."""
        added = self.reference.added.get(name)
        kind = self._kinds.get(name if added is None else added.kind)
        return "sale" if kind is None else kind.purpose

    def check_channel(self, name: str, field: str = "channel", *, idle: bool = False) -> str:
        """The channel's name, when things are sold there. `idle`: nothing is asked of it, so it may be one that went.

        So a description that names a removed channel as it is, or takes the product off it, still holds.
        """
        parse_code(name, field)
        if idle and name in self.reference.removed:
            return name
        if name in self.reference.removed:
            raise NotFound(
                f"{field}: the channel {name!r} was removed; `daybook channel add {name}` brings it back", field=field
            )
        there = ", ".join(sorted(one for one in self.channels if self.purpose(one) not in UNSOLD)) or "none"
        if not idle and (why := UNSOLD.get(self.purpose(name))):
            raise InvalidValue(field, f"{name} {why}; the channels are: {there}", name)
        if name not in self.channels:
            raise NotFound(f"{field}: there is no channel {name!r}; the channels are: {there}", field=field)
        return name


def of_product(product: Product, events: Sequence[Event]) -> list[Change]:
    """A change to an existing product."""
    return [Change(f"product/{product.sku}", product.sku, product.key, events)]
