"""The pictures of a product that Amazon can fetch. Pure.

Which attribute a picture fills says nothing about whether it is one: `main_image`, `packshot` and `image` are alike. A
file counts as a picture by its ending, or when it has none.
"""

from collections.abc import Iterator
from posixpath import splitext
from urllib.parse import quote, urlsplit

from daybook.catalogue.group import Group
from daybook.events import ChannelConfigured, MediaAdded

TAKEN = frozenset({"", ".jpg", ".jpeg", ".png", ".gif", ".tif", ".tiff"})
"""Endings of the formats that Amazon takes: JPEG, PNG, TIFF and GIF that does not move."""
NOT_TAKEN = frozenset({".webp", ".avif", ".bmp", ".svg", ".heic"})
"""Pictures of other formats. What has neither ending, such as a manual, is none."""
COUNT_MAX = 9
"""One main picture and eight others."""


def images(group: Group, sku: str, settings: ChannelConfigured) -> tuple[str, ...]:
    """Addresses, the SKU's own pictures before its parents', each once."""
    found = (_address(item.url, settings) for item in _pictures(group, sku, settings) if _ending(item) in TAKEN)
    return tuple(dict.fromkeys(filter(None, found)))[:COUNT_MAX]


def image_problem(group: Group, sku: str, settings: ChannelConfigured) -> str | None:
    """Why Amazon would get none of the pictures that there are; None when it gets some, or there are none."""
    first = next(_pictures(group, sku, settings), None)
    if first is None or images(group, sku, settings):
        return None
    if _ending(first) not in TAKEN:
        return f"no picture that Amazon takes: {first.url} is no JPEG, PNG, TIFF or GIF"
    return (
        f"no picture that Amazon can fetch: {first.url} is no address on the web (set media_base_url in the amazon "
        "channel's extra settings)"
    )


def _pictures(group: Group, sku: str, settings: ChannelConfigured) -> Iterator[MediaAdded]:
    for item in group.media(sku, settings.scope):
        if item.locale in (None, *settings.locales) and _ending(item) in TAKEN | NOT_TAKEN:
            yield item


def _ending(item: MediaAdded) -> str:
    return splitext(urlsplit(item.url).path)[1].lower()


def _address(url: str, settings: ChannelConfigured) -> str | None:
    if url.startswith(("https://", "http://")):
        return url
    base = settings.extra.get("media_base_url")
    if not isinstance(base, str) or "://" in url:
        return None
    return f"{base.rstrip('/')}/{quote(url.lstrip('/'))}"
