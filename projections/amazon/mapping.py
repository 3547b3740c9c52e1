"""A product group as Amazon wants it: attributes of the Listings Items API, version 2021-08-01. Pure.

Every attribute is a list of objects; `marketplace_id` and `language_tag` in each say where it holds. The payload of
`product` is a PUT body without its offer; those of `price` and `stock` are the one attribute that each of them owns.
A PUT replaces the whole listing, so the connector always puts the three together.
"""

from collections.abc import Mapping
from typing import Any

from daybook.catalogue.group import Group
from daybook.catalogue.reference import Reference
from daybook.channel.contract import Held, Payload, Rendered, SkuChange
from daybook.channel.markup import words
from daybook.values import Money, exponent
from daybook_projections.amazon.listing import Item, Text, items, language_tag, marketplace_of, settings_of

TITLE_LENGTH_MAX = 200
DESCRIPTION_LENGTH_MAX = 2000
CONDITION = "new_new"
_IDENTIFIER_TYPES = {8: "ean", 12: "upc", 13: "ean", 14: "gtin"}


def render(group: Group, reference: Reference) -> Mapping[tuple[str, str], Payload | Held]:
    """(SKU, facet) -> attributes, or why the SKU is held. A variation parent has the facet `product` only."""
    marketplace = marketplace_of(settings_of(reference))
    rendered: dict[tuple[str, str], Payload | Held] = {}
    for sku, item in items(group, reference).items():
        if isinstance(item, Held):
            rendered[sku, "product"] = item
            continue
        rendered[sku, "product"] = product(item, marketplace)
        if item.price is not None:
            rendered[sku, "price"] = price(item.price, marketplace)
            rendered[sku, "stock"] = stock(item.stock)
    return rendered


def render_change(change: SkuChange) -> Rendered | None:
    """The stock alone, where nothing else has changed: no other facet shows it. Else None, for all of it."""
    if not change.stock_only:
        return None
    pieces = change.after.offered(change.sku, settings_of(change.reference))
    return {(change.sku, "stock"): stock(pieces)} if "stock" in change.listed else {}


def product(item: Item, marketplace: str) -> Payload:
    """Everything but the offer's price and quantity.

    A missing brand or identifier is left out: what a product type requires is Amazon's to say, and it says so in its
    own words.
    """

    def plain(value: str) -> list[dict[str, str]]:
        return [{"value": value, "marketplace_id": marketplace}]

    def spoken(text: Text, value: str) -> list[dict[str, str | None]]:
        return [{"value": value, "language_tag": language_tag(text.locale), "marketplace_id": marketplace}]

    attributes: dict[str, Any] = {"item_name": spoken(item.title, cut(item.title.value, TITLE_LENGTH_MAX))}
    if item.description is not None and (text := cut(words(item.description.value), DESCRIPTION_LENGTH_MAX)):
        attributes["product_description"] = spoken(item.description, text)
    if item.brand is not None:
        attributes["brand"] = spoken(item.brand, item.brand.value)
    if item.gtin:
        attributes["externally_assigned_product_identifier"] = [
            {"type": _IDENTIFIER_TYPES[len(item.gtin)], "value": item.gtin, "marketplace_id": marketplace}
        ]
    if item.level != "parent":
        attributes["condition_type"] = plain(CONDITION)
    for number, address in enumerate(item.images):
        name = f"other_product_image_locator_{number}" if number else "main_product_image_locator"
        attributes[name] = [{"media_location": address, "marketplace_id": marketplace}]
    if item.level != "single":
        attributes["parentage_level"] = plain(item.level)
        theme = "/".join(name.upper() for name in item.theme)
        attributes["variation_theme"] = [{"name": theme, "marketplace_id": marketplace}]
    if item.parent is not None:
        attributes["child_parent_sku_relationship"] = [
            {"child_relationship_type": "variation", "parent_sku": item.parent, "marketplace_id": marketplace}
        ]
    for name, own in item.axes.items():
        attributes[name] = spoken(own, own.value)
    return {"productType": item.product_type, "requirements": "LISTING", "attributes": attributes}


def price(money: Money, marketplace: str) -> Payload:
    """What every buyer pays, tax included."""
    return {
        "purchasable_offer": [
            {
                "audience": "ALL",
                "currency": money.currency,
                "marketplace_id": marketplace,
                "our_price": [{"schedule": [{"value_with_tax": number(money)}]}],
            }
        ]
    }


def stock(quantity: int) -> Payload:
    """Pieces that the seller ships (`DEFAULT` is the seller's own fulfilment)."""
    return {"fulfillment_availability": [{"fulfillment_channel_code": "DEFAULT", "quantity": quantity}]}


def number(money: Money) -> int | float:
    """The amount as a JSON number that reads back exactly: prices have at most 15 digits, which a double keeps."""
    exact = money.decimal()
    return float(exact) if exponent(money.currency) else int(exact)


def cut(text: str, length_max: int) -> str:
    """At most so many characters in single white space, ending with a whole word where there is one."""
    text = " ".join(text.split())
    if len(text) <= length_max:
        return text
    end = text.rfind(" ", 0, length_max + 1)
    return text[: end if end > 0 else length_max]
