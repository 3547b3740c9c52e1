"""What a product's page embeds for search engines: schema.org as JSON-LD. Pure.

Made from the listing as the shop is to show it, so the page and its data never tell two stories:

- a simple product is a `Product`, a variation too, with `isVariantOf` for its group;
- a variable product is a `ProductGroup` with `hasVariant`, its variations complete with their offers.

Only what the listing holds is told. The condition of the goods, how long a price holds and what shipping costs are not
in it, and are left to the page. Texts are told without their markup; a name has none, and what looks like it is told
as it is read. Whoever writes it into a page escapes it, as for a page's element: the API has done that.
"""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from daybook.catalogue.reference import Reference
from daybook.channel.contract import Payload
from daybook.events import ChannelConfigured
from daybook.values import gtin_problem
from daybook_projections.webshop.listing import DEFAULTS, FACETS, NAME, label
from daybook_projections.webshop.mapping import PARENT, offered
from daybook_projections.webshop.texts import words

PRODUCT, PRICE, STOCK = FACETS
CONTEXT = "https://schema.org"
PROPERTIES: Mapping[str, str] = {
    "color": "color",
    "colour": "color",
    "size": "size",
    "material": "material",
    "pattern": "pattern",
}
"""Attribute code -> the property of its own that schema.org has for it. Others become `additionalProperty`."""

Listing = Mapping[str, Mapping[str, Payload]]


def document(sku: str, listing: Listing, reference: Reference) -> Payload | None:
    """The JSON-LD of one SKU; None when the shop shows nothing of it. `extra.page_url` gives the pages' addresses."""
    facets = listing.get(sku, {})
    if PRODUCT not in facets:
        return None
    writer = _Writer(listing, reference)
    if facets[PRODUCT].get("type") == "variable":
        return {"@context": CONTEXT} | writer.group(sku)
    parent = facets[PRODUCT].get(PARENT)
    if parent is None:
        return {"@context": CONTEXT} | writer.product(sku)
    if PRODUCT not in listing.get(parent, {}):
        return None
    return {"@context": CONTEXT} | writer.product(sku) | {"isVariantOf": writer.frame(parent)}


class _Writer:
    """Writes one group's things with the channel's settings."""

    def __init__(self, listing: Listing, reference: Reference) -> None:
        self.listing = listing
        self.settings: ChannelConfigured = reference.channels.get(NAME, DEFAULTS)
        self.brand = label(str(self.settings.extra.get("brand", "brand")), self.settings, reference)
        self.properties = {label(code, self.settings, reference): name for code, name in PROPERTIES.items()}
        """Attribute name as it is shown -> schema.org's property."""

    def group(self, sku: str) -> Payload:
        """A variable product with its variations, in the order of its options."""
        variants = sorted((other for other in self.listing if self.parent(other) == sku), key=self.place)
        return self.frame(sku) | {"hasVariant": [self.product(variant) for variant in variants]}

    def place(self, sku: str) -> tuple[list[int], str]:
        """Where a variation stands among its sisters."""
        product, parent = self.listing[sku][PRODUCT], self.parent(sku)
        above = self.listing[parent][PRODUCT]["attributes"] if parent is not None else ()
        places = {each["name"]: list(each["options"]) for each in above}
        order = [
            places[each["name"]].index(each["option"])
            for each in product["attributes"]
            if each["option"] in places.get(each["name"], ())
        ]
        return order, sku

    def frame(self, sku: str) -> Payload:
        """A variable product without its variations."""
        product = self.listing[sku][PRODUCT]
        axes = [each["name"] for each in product["attributes"] if each["variation"]]
        varies = [f"{CONTEXT}/{self.properties[axis]}" if axis in self.properties else axis for axis in axes]
        return {
            "@type": "ProductGroup",
            **self.whereabouts(sku, "group"),
            "productGroupID": sku,
            **_told(name=words(product["name"]), description=self.description(sku), variesBy=varies),
            **self.details(product["attributes"]),
            **_told(image=_addresses(product)),
        }

    def product(self, sku: str) -> Payload:
        """A simple product or a variation. A variation has its parent's texts and pictures where it has none."""
        product, parent = self.listing[sku][PRODUCT], self.parent(sku)
        above = self.listing[parent][PRODUCT] if parent is not None else {}
        chosen = ", ".join(each["option"] for each in product["attributes"]) if parent is not None else ""
        own = words(above.get("name") or product.get("name", ""))
        name = f"{own} - {chosen}" if chosen else own
        gtin = product["global_unique_id"]
        return {
            "@type": "Product",
            **self.whereabouts(sku, "product"),
            "sku": sku,
            **({f"gtin{len(gtin)}": gtin} if gtin and gtin_problem(gtin) is None else {}),
            **_told(name=name, description=self.description(sku) or (self.description(parent) if parent else "")),
            **self.details([*above.get("attributes", ()), *product["attributes"]]),
            **_told(image=_addresses(product) or _addresses(above)),
            **self.offer(sku),
        }

    def offer(self, sku: str) -> Payload:
        """The price at which it can be bought, and whether it is there."""
        facets = self.listing[sku]
        if PRICE not in facets:
            return {}
        there = STOCK in facets and offered(facets[STOCK]) > 0
        offer: Payload = {
            "@type": "Offer",
            **_told(url=self.address(sku)),
            "price": facets[PRICE]["regular_price"],
            "priceCurrency": self.settings.currency,
            "availability": f"{CONTEXT}/{'InStock' if there else 'OutOfStock'}",
        }
        return {"offers": offer}

    def details(self, attributes: list[Payload]) -> Payload:
        """Brand, colour and the like, and everything else by its name. The axes of a group have no value yet."""
        found: Payload = {}
        more: list[Payload] = []
        for name, value in _values(attributes):
            if name == self.brand:
                found["brand"] = {"@type": "Brand", "name": value}
            elif name in self.properties:
                found[self.properties[name]] = value
            else:
                more.append({"@type": "PropertyValue", "name": name, "value": value})
        return found | _told(additionalProperty=more)

    def description(self, sku: str) -> str:
        """The long text, else the short one, without markup."""
        product = self.listing[sku][PRODUCT]
        return words(product.get("description") or product.get("short_description") or "")

    def parent(self, sku: str) -> str | None:
        """The SKU of the variable product that this is a variation of."""
        found: Any = self.listing[sku].get(PRODUCT, {}).get(PARENT)
        return found if isinstance(found, str) else None

    def whereabouts(self, sku: str, part: str) -> Payload:
        """Its page, and a name for the thing itself; nothing when the settings don't say where pages are."""
        address = self.address(sku)
        return {"@id": f"{address}#{part}", "url": address} if address else {}

    def address(self, sku: str) -> str:
        """The page of the SKU, or nothing."""
        pages = self.settings.extra.get("page_url")
        return pages.replace("{sku}", quote(sku, safe="")) if isinstance(pages, str) else ""


def _values(attributes: list[Payload]) -> Iterator[tuple[str, str]]:
    """(name, value) of what has a value: a variation's choice, or the options of what is not chosen between."""
    for each in attributes:
        if "option" in each:
            yield each["name"], each["option"]
        elif not each["variation"]:
            yield each["name"], ", ".join(each["options"])


def _addresses(product: Payload) -> list[str]:
    own = [product["image"]] if product.get("image") else product.get("images", ())
    return [each["src"] for each in own]


def _told(**fields: Any) -> Payload:
    """The fields that say something."""
    return {name: value for name, value in fields.items() if value}
