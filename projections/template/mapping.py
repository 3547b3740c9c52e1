"""A product group in the channel's words: a title and a price, and the pieces that may be sold."""

from daybook.catalogue.group import Group
from daybook.catalogue.reference import Reference
from daybook.channel.contract import Held, Payload, Rendered
from daybook.events import ChannelConfigured
from daybook.values import Money

NAME = "template"
OFFER, STOCK = "offer", "stock"
FACETS = (OFFER, STOCK)
DEFAULTS = ChannelConfigured(name=NAME, locales=("nl-NL",), currency="EUR", price_list="default")


def render(group: Group, reference: Reference) -> Rendered:
    """(SKU, facet) -> the body of the facet's request. Without a title or a price an offer can't be shown."""
    settings = reference.channels.get(NAME, DEFAULTS)
    rendered: dict[tuple[str, str], Payload | Held] = {}
    for product in group.sellable(NAME):
        sku = product.sku
        title = group.text(sku, "name", settings.locales, settings.scope)
        price = group.price(sku, settings.price_list, settings.currency)
        if title is None or price is None:
            reasons = [] if title else ["it has no name"]
            reasons += [f"it has no price in {settings.currency}"] if price is None else []
            rendered[sku, OFFER] = Held(tuple(reasons))
            continue
        amount = f"{Money(price, settings.currency).decimal():f}"
        rendered[sku, OFFER] = {"title": title, "price": amount, "currency": settings.currency}
        rendered[sku, STOCK] = {"stock": group.offered(sku, settings)}
    return rendered
