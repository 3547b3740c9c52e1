"""A product group in the words of bol's Offers API v11 (11.3.0), and its texts in those of the content API.

Each facet of the offer holds top-level fields of it, so a PATCH sends one facet and a POST all three together. The
content goes by itself, after them.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from daybook.catalogue.group import Group
from daybook.catalogue.reference import Reference
from daybook.channel.contract import Held, Payload, Rendered, SkuChange
from daybook.events import ChannelConfigured
from daybook.values import Money
from daybook_projections.bol.content import DESCRIPTION, content, cut
from daybook_projections.bol.content import NAME as TITLE
from daybook_projections.bol.images import assets
from daybook_projections.bol.listing import CURRENCY, Item, items

NAME = "bol"
OFFER, PRICE, STOCK, CONTENT = "offer", "price", "stock", "content"
OF_THE_OFFER = (OFFER, PRICE, STOCK)
"""Facets that are parts of one offer: they come with it and go with it."""
FACETS = (*OF_THE_OFFER, CONTENT)
DEFAULTS = ChannelConfigured(
    name=NAME, scope="ecommerce", locales=("nl-NL", "nl-BE", "en-US"), currency=CURRENCY, price_list="default"
)

TITLE_LENGTH_MAX = 500
STOCK_MAX = 999
"""bol's own ceiling for an offer's stock. What lies above it is sold later, when the stock is sent again."""


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What `extra` of the channel's settings may hold; other keys are left alone."""

    title: str = "name"
    """The attribute that names the product."""
    description: str = "description"
    attributes: Annotated[dict[Annotated[str, Meta(min_length=1, max_length=100)], str], Meta(max_length=147)] = {}
    """Further content: bol's attribute id (`Colour`) -> the attribute that holds it. An upload has 150 at most."""
    labels: dict[str, str] = {}
    """What a picture shows: our attribute -> bol's label (`BACK`). Otherwise the first is FRONT, the others OTHER."""
    media_base_url: str | None = None
    """Where pictures with a relative path can be fetched. Without it bol does not get these."""
    countries: tuple[Literal["NL", "BE"], ...] = ("NL", "BE")
    schedule: Literal["BOL_DELIVERY_PROMISE", "MY_DELIVERY_PROMISE", "SHIPPING_VIA_BOL"] = "BOL_DELIVERY_PROMISE"
    days_min: int = 1
    """Days until the customer has it: at least. Only BOL_DELIVERY_PROMISE states them."""
    days_max: int = 2
    """At most."""
    order_before: str | None = None
    """`22:00`: the last moment to order on for that promise. bol takes it for next-day promises only."""
    economic_operator_id: str | None = None
    """bol's id of who answers for the product in the EU, once bol has found it valid."""
    managed_by_retailer: bool = True
    """True: bol takes off only orders that came after this figure. The book's stock has earlier sales off already;
    with False bol would take every open order off a second time."""


def render(group: Group, reference: Reference) -> Rendered:
    """(SKU, facet) -> the offer's fields, and the upload of its content where there is a text or a picture for it.

    Settings that make no sense hold every SKU, with the reason.
    """
    settings = reference.channels.get(NAME, DEFAULTS)
    try:
        terms = msgspec.convert(settings.extra, Terms)
    except msgspec.ValidationError as error:
        held = Held((f"the bol channel's settings are wrong: {error}",))
        return {(product.sku, OFFER): held for product in group.sellable(NAME)}
    rendered: dict[tuple[str, str], Payload | Held] = {}
    attributes = {TITLE: terms.title, DESCRIPTION: terms.description} | terms.attributes
    for item in items(group, settings, terms.title):
        problems = item.problems(settings)
        if item.gtin is None or item.price is None or problems:
            rendered[item.sku, OFFER] = Held(problems)
            continue
        rendered[item.sku, OFFER] = _offer(item, item.gtin, terms)
        rendered[item.sku, PRICE] = _price(item.price)
        rendered[item.sku, STOCK] = _stock(item.stock, terms)
        pictures = assets(group, item.sku, settings, terms.labels, terms.media_base_url)
        upload = content(group, item.sku, ean(item.gtin), attributes, pictures, settings, reference)
        if upload is not None:
            rendered[item.sku, CONTENT] = upload
    return rendered


def render_change(change: SkuChange) -> Rendered | None:
    """The stock alone, where nothing else has changed: no other facet shows it. Else None, for all of it."""
    settings = change.reference.channels.get(NAME, DEFAULTS)
    try:
        terms = msgspec.convert(settings.extra, Terms)
    except msgspec.ValidationError:
        return None
    if not change.stock_only:
        return None
    stock = _stock(change.after.offered(change.sku, settings), terms)
    return {(change.sku, STOCK): stock} if STOCK in change.listed else {}


def _offer(item: Item, gtin: str, terms: Terms) -> Payload:
    offer: Payload = {
        "ean": ean(gtin),
        "condition": {"category": "NEW"},
        "reference": item.sku,
        "onHoldByRetailer": False,
        "countryAvailabilities": [{"countryCode": code} for code in terms.countries],
        "fulfilment": _fulfilment(terms),
    }
    if item.title is not None:
        offer["unknownProductTitle"] = cut(item.title, TITLE_LENGTH_MAX)
    if terms.economic_operator_id is not None:
        offer["economicOperatorId"] = terms.economic_operator_id
    return offer


def _fulfilment(terms: Terms) -> Payload:
    fulfilment: Payload = {"method": "FBR", "schedule": terms.schedule}
    if terms.schedule == "BOL_DELIVERY_PROMISE":
        promise: Payload = {"minimumDaysToCustomer": terms.days_min, "maximumDaysToCustomer": terms.days_max}
        if terms.order_before is not None:
            promise["ultimateOrderTime"] = terms.order_before
        fulfilment["deliveryPromise"] = promise
    return fulfilment


def _price(cents: int) -> Payload:
    # The API wants a JSON number. Cents below 2**53 have an exact shortest decimal, so 19.99 is written as 19.99.
    # A price outside bol's 1 to 9999 is sent all the same: bol's own reason tells a person more than ours would.
    return {"pricing": {"bundlePrices": [{"quantity": 1, "unitPrice": float(Money(cents, CURRENCY).decimal())}]}}


def amount(stock: Payload) -> int:
    """Pieces that a payload of the stock facet offers."""
    return int(stock["stock"]["amount"])


def _stock(pieces: int, terms: Terms) -> Payload:
    return {"stock": {"amount": min(pieces, STOCK_MAX), "managedByRetailer": terms.managed_by_retailer}}


def ean(gtin: str) -> str:
    """The GTIN as the 13 digits that bol uses: shorter ones get zeros in front, a GTIN-14 loses a leading zero.

    Anything else goes as it is, for bol to refuse.
    """
    if gtin.isascii() and gtin.isdigit():
        return gtin[1:] if len(gtin) == 14 and gtin[0] == "0" else gtin.zfill(13)
    return gtin
