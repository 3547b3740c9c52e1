"""The pictures of a product that bol can fetch, with the view that each shows. Pure."""

from collections.abc import Iterator, Mapping
from posixpath import splitext
from urllib.parse import quote, urlsplit

from daybook.catalogue.group import Group
from daybook.channel.contract import Payload
from daybook.events import ChannelConfigured, MediaAdded

PICTURES = frozenset({"", ".jpg", ".jpeg", ".png", ".gif", ".webp", ".tif", ".tiff", ".bmp"})
"""File endings. bol does not publish which formats it takes: it declines another one by name, in its report."""
COUNT_MAX = 30
FRONT, OTHER = "FRONT", "OTHER"


def assets(
    group: Group, sku: str, settings: ChannelConfigured, labels: Mapping[str, str], base: str | None
) -> list[Payload]:
    """Addresses and labels, the SKU's own pictures before its parents', each once. `labels`: our attribute -> bol's.

    bol puts pictures in an order of its own, by what they show. Which attribute a picture fills says nothing about
    that unless the settings say it: then the first picture is the front, and the others are what they are.
    """
    found: dict[str, str | None] = {}
    for item in _pictures(group, sku, settings):
        address = _address(item.url, base)
        if address is not None:
            found.setdefault(address, labels.get(item.role))
    others = [FRONT, *[OTHER] * len(found)] if FRONT not in found.values() else [OTHER] * len(found)
    guesses = iter(others)
    named = [{"url": url, "labels": [label or next(guesses)]} for url, label in found.items()]
    return named[:COUNT_MAX]


def _pictures(group: Group, sku: str, settings: ChannelConfigured) -> Iterator[MediaAdded]:
    for item in group.media(sku, settings.scope):
        if item.locale in (None, *settings.locales) and splitext(urlsplit(item.url).path)[1].lower() in PICTURES:
            yield item


def _address(url: str, base: str | None) -> str | None:
    if url.startswith(("https://", "http://")):
        return url
    return None if base is None or "://" in url else f"{base.rstrip('/')}/{quote(url.lstrip('/'))}"
