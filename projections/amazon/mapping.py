"""A product group as Amazon wants it: attributes of the Listings Items API, version 2021-08-01. Pure.

Every attribute is a list of objects; `marketplace_id` and `language_tag` in each say where it holds. The payload of
`product` is a PUT body without its offer; those of `price` and `stock` are the one attribute that each of them owns.
A PUT replaces the whole listing, so the connector always puts the three together.
"""

from collections.abc import Mapping
from html.parser import HTMLParser
from typing import Any

from daybook.catalogue.group import Group
from daybook.catalogue.reference import Reference
from daybook.channel.contract import Held, Payload
from daybook.values import Money, exponent
from projections.amazon.listing import Item, Text, items, marketplace_of, settings_of

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


def product(item: Item, marketplace: str) -> Payload:
    """Everything but the offer's price and quantity.

    A missing brand or a wrong identifier is sent as it is: what a product type requires is Amazon's to say, and it
    says so in its own words.
    """

    def plain(value: str) -> list[dict[str, str]]:
        return [{"value": value, "marketplace_id": marketplace}]

    def spoken(text: Text, value: str) -> list[dict[str, str]]:
        return [{"value": value, "language_tag": text.locale.replace("-", "_"), "marketplace_id": marketplace}]

    attributes: dict[str, Any] = {"item_name": spoken(item.title, cut(item.title.value, TITLE_LENGTH_MAX))}
    if item.description is not None and (text := cut(without_tags(item.description.value), DESCRIPTION_LENGTH_MAX)):
        attributes["product_description"] = spoken(item.description, text)
    if item.brand is not None:
        attributes["brand"] = spoken(item.brand, item.brand.value)
    if item.gtin:
        # A placeholder of another length is no GTIN of any kind; it goes out as one all the same and Amazon refuses it.
        kind = _IDENTIFIER_TYPES.get(len(item.gtin), "gtin")
        attributes["externally_assigned_product_identifier"] = [
            {"type": kind, "value": item.gtin, "marketplace_id": marketplace}
        ]
    if item.level != "parent":
        attributes["condition_type"] = plain(CONDITION)
    if item.image is not None:
        attributes["main_product_image_locator"] = [{"media_location": item.image, "marketplace_id": marketplace}]
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


def without_tags(text: str) -> str:
    """The words of an HTML text: tags, scripts and styles gone, entities read, white space single."""
    reader = _Words()
    reader.feed(text)
    reader.close()
    return " ".join("".join(reader.found).split())


class _Words(HTMLParser):
    INLINE = frozenset({"a", "abbr", "b", "em", "i", "mark", "small", "span", "strong", "sub", "sup", "u"})
    SILENT = frozenset({"script", "style"})

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self._silent += tag in self.SILENT
        self._between(tag)

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in self.SILENT and self._silent > 0
        self._between(tag)

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.found.append(data)

    def _between(self, tag: str) -> None:
        if tag not in self.INLINE:
            self.found.append(" ")
