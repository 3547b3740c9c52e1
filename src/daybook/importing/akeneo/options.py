"""What the person who imports decides."""

import msgspec


class AkeneoOptions(msgspec.Struct, frozen=True, kw_only=True):
    """An export says nothing about Daybook's channels: an Akeneo channel is a scope here, one view on the values."""

    list_on: tuple[str, ...] = ()
    """Daybook channels on which enabled products are listed and others taken off. None: listings are left alone."""
    scope: str | None = None
    """The Akeneo channel whose values count. None: `ecommerce`, or the only one that there is."""
    locales: tuple[str, ...] = ()
    """Locales in order of preference. None: those of the Akeneo channel, `en-US` first if it is there."""
    currency: str | None = None
    """The currency that a new channel of `list_on` shows. None: `EUR`, or the first of the Akeneo channel."""
    price_list: str = "default"
    """Where the prices of `price_attribute` go."""
    price_attribute: str = "price"
    """Other price attributes become price lists named like the attribute."""
    gtin_attribute: str | None = "ean"
    """The attribute that is the product's GTIN. It is not kept as an attribute beside that."""
    identifier: str | None = None
    """The attribute that is the SKU. None: `sku`, or the only identifier that there is."""
