"""A SKU in the words of the messages. Each facet holds fields of a message's `data`, so one message can hold them all.

What changes without the SKU changing (a time, a position) is the connector's to add: two payloads are equal when what
they tell is.
"""

from typing import Any

import msgspec

from daybook.catalogue.group import Group
from daybook.catalogue.reference import Reference
from daybook.channel.contract import Held, Payload, Rendered, SkuChange
from daybook.events import Measure, Value
from daybook.values import Money
from daybook_projections.webhook.listing import NAME, Item, Narrowed, defaults, items, locations

PRODUCT, PRICE, STOCK = "product", "price", "stock"


def render(group: Group, reference: Reference, name: str = NAME) -> Rendered:
    """(SKU, facet) -> fields of `data`, for the endpoint of this name. Malformed settings hold every SKU."""
    settings = reference.channels.get(name, defaults(name))
    try:
        narrowed = msgspec.convert(settings.extra, Narrowed)
    except msgspec.ValidationError as error:
        held = Held((f"the {name} channel's settings are wrong: {error}",))
        return {(product.sku, PRODUCT): held for product in group.sellable(name)}
    rendered: dict[tuple[str, str], Payload | Held] = {}
    for item in items(group, settings, narrowed, reference):
        rendered[item.product.sku, PRODUCT] = {"product": _product(item)}
        rendered[item.product.sku, PRICE] = _price(item)
        rendered[item.product.sku, STOCK] = _stock(item.available, item.locations)
    return rendered


def render_change(change: SkuChange, name: str = NAME) -> Rendered | None:
    """The stock alone, where nothing else has changed: no other facet shows it. Else None, for all of it."""
    if not change.stock_only:
        return None
    settings = change.reference.channels.get(name, defaults(name))
    pieces = change.after.offered(change.sku, settings)
    stock = _stock(pieces, locations(change.after, change.sku, settings))
    return {(change.sku, STOCK): stock} if STOCK in change.listed else {}


def _stock(available: int, by_location: dict[str, int]) -> Payload:
    return {"stock": {"available": available, "locations": by_location}}


def offered(payload: Payload) -> int:
    """How many a payload of the stock facet offers."""
    return int(payload["stock"]["available"])


def _product(item: Item) -> Payload:
    product = item.product
    return {
        "kind": product.kind,
        "group": item.group,
        "parent": product.parent,
        "axes": list(item.axes),
        "family": item.family,
        "gtin": product.gtin,
        "gtin_problem": product.gtin_problem,
        "attributes": {
            code: [{"locale": each.locale, "scope": each.scope, "value": _plain(each.value)} for each in told]
            for code, told in item.attributes.items()
        },
        "categories": [{"code": path[-1], "path": list(path)} for path in item.categories],
        "media": [
            {"id": each.media_id, "url": each.url, "role": each.role, "locale": each.locale, "scope": each.channel}
            for each in item.media
        ],
    }


def _price(item: Item) -> Payload:
    prices: dict[str, Any] = {
        price_list: {currency: _amount(price) for currency, price in found.items()}
        for price_list, found in item.prices.items()
    }
    main = item.price and {"amount": _amount(item.price), "currency": item.price.currency}
    return {"price": main, "prices": prices}


def _plain(value: Value) -> Any:
    """A measure as its amount and unit; everything else is JSON as it is."""
    return {"amount": value.amount, "unit": value.unit} if isinstance(value, Measure) else value


def _amount(price: Money) -> str:
    """Major units as decimal text: a JSON number would be read as a binary fraction by most receivers."""
    return f"{price.decimal():f}"
