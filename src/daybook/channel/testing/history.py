"""Histories for tests: events with all their columns, made by hand and without a log."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Literal, Self

from daybook.events import (
    AttributeChange,
    AttributesChanged,
    CatalogueEvent,
    ChannelAdded,
    ChannelConfigured,
    ChannelRemoved,
    Event,
    GtinAssigned,
    ListingEvent,
    MediaAdded,
    OrderEvent,
    OrderPlaced,
    ParcelEvent,
    PersonEvent,
    PriceChanged,
    ProductCategorised,
    ProductCreated,
    ProductListed,
    Recorded,
    StockCounted,
    StockEvent,
    TextEvent,
    Value,
)
from daybook.events.codec import NAMES
from daybook.events.envelope import ORDER_KEY, PERSON_KEY, REFERENCE_KEY
from daybook.product.state import slot_parts
from daybook.values import gtin_problem, parse_money

STARTED = datetime(2026, 1, 1, tzinfo=UTC)
"""Position n happened n seconds later."""


class History:
    """A history to fold: dense positions, versions per stream, fixed times. Every method returns the history."""

    def __init__(self) -> None:
        self.recorded: list[Recorded] = []
        self._versions: dict[str, int] = {}
        self._keys: dict[str, str] = {}
        self._sku: str | None = None
        self._order = ""

    def happened(self, *events: Event, sku: str | None = None, key: str | None = None) -> Self:
        """Adds the events. Product and stock events without `sku` belong to the product that was named last,
        events of an order to the one that was placed last."""
        for event in events:
            self._record(event, sku, key)
        return self

    def product(
        self,
        sku: str,
        *,
        parent: str | None = None,
        kind: Literal["product", "model", "variant"] | None = None,
        family: str | None = None,
        axes: Sequence[str] = (),
        gtin: str | None = None,
        attributes: Mapping[str, Value] | None = None,
        price: tuple[str, str, str] | None = None,
        stock: Mapping[str, int] | None = None,
        categories: Sequence[str] = (),
        media: Sequence[str] = (),
        listed: Sequence[str] = (),
    ) -> Self:
        """A product enters the book with what is given; the kind follows from `parent` and `axes`.

        `attributes` is by slot: `{"name@nl-NL": "Koffer", "brand": "Acme"}`. `price` is list, amount and currency.
        `media` are image URLs, `listed` are channels.
        """
        self.happened(
            ProductCreated(
                sku=sku,
                key=self._keys.get(parent, parent) if parent else sku,
                kind=kind or ("variant" if parent else "model" if axes else "product"),
                family=family,
                parent=parent,
                axes=tuple(axes),
            )
        )
        if attributes:
            parts = [(*slot_parts(name), value) for name, value in attributes.items()]
            self.happened(
                AttributesChanged(
                    tuple(AttributeChange(attribute=a, locale=at, channel=c, value=v) for a, at, c, v in parts)
                )
            )
        if gtin is not None:
            self.happened(GtinAssigned(gtin, gtin_problem(gtin)))
        if categories:
            self.happened(ProductCategorised(tuple(categories)))
        self.happened(*(MediaAdded(media_id=f"{sku}-{n}", url=url) for n, url in enumerate(media, start=1)))
        if price is not None:
            self.happened(PriceChanged(price[0], parse_money(price[1], price[2])))
        self.happened(*(StockCounted(location, quantity) for location, quantity in (stock or {}).items()))
        return self.happened(*(ProductListed(channel) for channel in listed))

    def _record(self, event: Event, sku: str | None, key: str | None) -> None:
        if isinstance(event, CatalogueEvent):
            code = event.name if isinstance(event, ChannelConfigured | ChannelAdded | ChannelRemoved) else event.code
            sku, key, stream = None, REFERENCE_KEY, f"{NAMES[type(event)].partition('.')[0]}/{code}"
        elif isinstance(event, ListingEvent):
            sku, stream = event.sku, f"listing/{event.channel}/{event.sku}"
        elif isinstance(event, OrderEvent):
            self._order = event.order if isinstance(event, OrderPlaced) else self._order
            sku, key, stream = None, f"{ORDER_KEY}{self._order}", f"order/{self._order}"
        elif isinstance(event, ParcelEvent):
            sku, key, stream = None, f"{ORDER_KEY}{event.order}", f"parcel/{event.shipper}/{event.order}"
        elif isinstance(event, TextEvent):
            sku, stream = event.sku, f"text/{event.engine}/{event.sku}"
        elif isinstance(event, PersonEvent):
            sku, key, stream = None, f"{PERSON_KEY}{event.person}", f"person/{event.person}"
        else:
            if isinstance(event, ProductCreated):
                sku, key = event.sku, event.key
            sku = self._sku = sku or self._sku
            if sku is None:
                raise ValueError(f"{type(event).__name__} belongs to a product: pass sku=")
            stream = f"stock/{sku}" if isinstance(event, StockEvent) else f"product/{sku}"
        if sku is not None:
            key = self._keys[sku] = key or self._keys.get(sku, sku)
        position = len(self.recorded) + 1
        version = self._versions[stream] = self._versions.get(stream, 0) + 1
        event_id = f"00000000-0000-7000-8000-{position:012x}"
        self.recorded.append(
            Recorded(
                position=position,
                event_id=event_id,
                stream=stream,
                version=version,
                type=NAMES[type(event)],
                sku=sku,
                key=key or REFERENCE_KEY,
                recorded_at=STARTED + timedelta(seconds=position),
                actor="test",
                reason=None,
                source="test",
                correlation_id=event_id,
                causation_id=None,
                command_id=event_id,
                event=event,
            )
        )
