"""The channel's name, its one facet, and what its settings may say. Pure.

One facet, and one whole insert for every change, is what makes Google's `versionNumber` a sound guard. Google refuses
an insert whose number is lower than the stored one, so a request that was held up on the way can't undo a newer one.
Two things would break that:

- A PATCH of the price alone carries no number. A create that hangs in the network and arrives after the PATCH has the
  number that is still stored, is taken, and puts the old price back.
- Several facets, each inserted with everything, would each bring their own position, while the number must be the
  newest of them all. A change of the text could then carry a lower number than the price that it brings along.

The cost: the book's receipts say `product` for every change, and a text that Google refuses holds up a new price.
"""

import re
from typing import Literal

import msgspec

from daybook.events import ChannelConfigured
from daybook.values import locale_parts

NAME = "google"
PRODUCT = "product"
FACETS = (PRODUCT,)
DEFAULTS = ChannelConfigured(name=NAME, scope="ecommerce", locales=("nl-NL", "en-GB"), currency="EUR")

_LANGUAGE = re.compile(r"[a-z]{2}\Z")
_REGION = re.compile(r"[A-Z]{2}\Z")
_LABEL = re.compile(r"[A-Z0-9_-]{1,20}\Z")

Axis = Literal["color", "size", "material", "pattern"]
"""Google's attributes that tell variants apart and hold free text."""


class Feed(msgspec.Struct, frozen=True):
    """A language and a label: together with the SKU they are the name of a product at Google."""

    language: str
    label: str

    def __str__(self) -> str:
        return f"{self.language}~{self.label}"


DEFAULT_FEED = Feed("nl", "NL")
"""Of the first locale in DEFAULTS."""


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What `extra` of the channel's settings may hold; other keys are left alone."""

    title: str = "name"
    """The attribute that names the product."""
    description: str = "description"
    brand: str = "brand"
    mpn: str = "mpn"
    """The attribute with the maker's own part number."""
    product_url: str | None = None
    """Where the product can be bought: `https://shop.example.com/p/{sku}`. May also hold {group}, the SKU of the
    topmost parent, and {language}. Nothing can be listed without it."""
    media_base_url: str | None = None
    """Where pictures with a relative path can be fetched."""
    feed_label: str | None = None
    """In place of the region of the first locale."""
    axes: dict[str, Axis] = msgspec.field(
        default_factory=lambda: {"color": "color", "size": "size", "material": "material", "pattern": "pattern"}
    )
    """Our attribute -> Google's. An axis that is not here is not told, so its variants look alike to Google."""
    google_categories: dict[str, str] = {}
    """Our category -> a number or path of Google's taxonomy; a category without one takes its parent's."""


def terms_of(settings: ChannelConfigured) -> Terms:
    """The checked `extra`. Raises ValueError naming what is wrong with it."""
    terms = msgspec.convert(settings.extra, Terms)
    url = terms.product_url
    if url is not None and not (_absolute(url) and ("{sku}" in url or "{group}" in url)):
        raise ValueError("product_url must be an absolute address that holds {sku} or {group}")
    if terms.media_base_url is not None and not _absolute(terms.media_base_url):
        raise ValueError("media_base_url must be an absolute address")
    return terms


def feed_of(settings: ChannelConfigured, terms: Terms) -> Feed:
    """The one feed that this channel fills: that of the first locale, whose texts come first too.

    The other locales are only fallbacks for missing texts. A second feed is a second channel with its own settings.
    Raises ValueError when the locale gives no language or label that Google would take.
    """
    if not settings.locales:
        raise ValueError("locales must name at least one: its language and region are Google's feed")
    parts = locale_parts(settings.locales[0])
    language, region = parts.language, parts.region or ""
    label = terms.feed_label or (region if _REGION.match(region) else "")
    if parts.script is not None:
        raise ValueError(f"Google can't be told the script of the first locale, {settings.locales[0]}")
    if not _LANGUAGE.match(language):
        raise ValueError(f"Google takes two-letter languages only, but the first locale is {settings.locales[0]}")
    if not _LABEL.match(label):
        raise ValueError(
            f"{label or settings.locales[0]!r} gives no feed label: set feed_label to 1 to 20 of A-Z, 0-9, - and _"
        )
    return Feed(language, label)


def _absolute(url: str) -> bool:
    return url.startswith(("https://", "http://"))
