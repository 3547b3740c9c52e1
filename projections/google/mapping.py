"""A product group in the words of Google's Merchant API v1: one product input for each SKU.

The payload is the body of `productInputs:insert` but for its `versionNumber`. That is the position of the change, which
rises with every event; in here it would make two equal listings differ. The connector adds it.
"""

from daybook.catalogue.group import Group
from daybook.catalogue.reference import Reference
from daybook.channel.contract import Held, Payload, Rendered, SkuChange
from daybook.values import Money, exponent
from daybook_projections.google.listing import Item, items
from daybook_projections.google.terms import DEFAULTS, NAME, PRODUCT, Axis, Feed, feed_of, terms_of

TITLE_LENGTH_MAX = 150
DESCRIPTION_LENGTH_MAX = 5000
BRAND_LENGTH_MAX = 70
MPN_LENGTH_MAX = 70
GROUP_LENGTH_MAX = 50
PRODUCT_TYPE_LENGTH_MAX = 750
AXIS_LENGTH_MAX: dict[Axis, int] = {"color": 100, "size": 100, "material": 200, "pattern": 100}
MORE_IMAGES_MAX = 10
MICROS_DIGITS = 6


def render(group: Group, reference: Reference) -> Rendered:
    """(SKU, product) -> the product input. Settings that make no sense hold every SKU, with the reason."""
    settings = reference.channels.get(NAME, DEFAULTS)
    try:
        terms = terms_of(settings)
        feed = feed_of(settings, terms)
    except ValueError as error:  # msgspec's ValidationError is one
        held = Held((f"the google channel's settings are wrong: {error}",))
        return {(product.sku, PRODUCT): held for product in group.sellable(NAME)}
    rendered: dict[tuple[str, str], Payload | Held] = {}
    for item in items(group, settings, terms, feed, reference):
        problems = item.problems(settings, terms)
        rendered[item.sku, PRODUCT] = Held(problems) if problems else _input(item, feed)
    return rendered


def render_change(change: SkuChange) -> Rendered | None:
    """Nothing, where a stock is neither gone now nor back: Google is not told how much there is."""
    if not change.stock_only:
        return None
    settings = change.reference.channels.get(NAME, DEFAULTS)
    had, has = (state.offered(change.sku, settings) > 0 for state in (change.before, change.after))
    return {} if had == has else None


def _input(item: Item, feed: Feed) -> Payload:
    return {
        "offerId": item.sku,
        "contentLanguage": feed.language,
        "feedLabel": feed.label,
        "productAttributes": _attributes(item),
    }


def _attributes(item: Item) -> Payload:
    attributes: Payload = {
        "title": cut(item.title or "", TITLE_LENGTH_MAX),
        "description": cut(item.description or "", DESCRIPTION_LENGTH_MAX),
        "link": item.link,
        "imageLink": item.images[0],
        "availability": "IN_STOCK" if item.available > 0 else "OUT_OF_STOCK",
        "condition": "NEW",
    }
    if item.price is not None:
        attributes["price"] = price(item.price)
    if len(item.images) > 1:
        attributes["additionalImageLinks"] = list(item.images[1 : MORE_IMAGES_MAX + 1])
    attributes |= _identifiers(item)
    # A longer one is left out: cut, it could be another group's, and Google would join what does not belong together.
    if item.group is not None and len(item.group) <= GROUP_LENGTH_MAX:
        attributes["itemGroupId"] = item.group
    attributes |= {name: cut(text, AXIS_LENGTH_MAX[name]) for name, text in item.axes.items()}
    types = [path for path in item.product_types if len(path) <= PRODUCT_TYPE_LENGTH_MAX]
    if types:
        attributes["productTypes"] = types
    if item.google_category is not None:
        attributes["googleProductCategory"] = item.google_category
    return attributes


def _identifiers(item: Item) -> Payload:
    """Brand, GTIN and MPN. With neither number Google must be told that there is none, or it waits for one."""
    found: Payload = {}
    if item.brand is not None:
        found["brand"] = cut(item.brand, BRAND_LENGTH_MAX)
    if item.gtin is not None:
        found["gtins"] = [item.gtin]
    if item.mpn is not None and len(item.mpn) <= MPN_LENGTH_MAX:
        found["mpn"] = item.mpn
    if "gtins" not in found and "mpn" not in found:
        found["identifierExists"] = False
    return found


def price(money: Money) -> Payload:
    """Millionths of the currency's unit, as the text that protobuf's JSON has for 64-bit numbers. Exact."""
    micros = money.amount * 10 ** (MICROS_DIGITS - exponent(money.currency))
    return {"amountMicros": str(micros), "currencyCode": money.currency}


def cut(text: str, length_max: int) -> str:
    """The text in at most `length_max` characters: whole words, unless the first one alone is too long."""
    if len(text) <= length_max:
        return text
    head, space, _ = text[: length_max + 1].rpartition(" ")
    return head.rstrip() if space and head.strip() else text[:length_max]
