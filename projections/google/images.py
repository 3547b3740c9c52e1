"""The pictures of a product that Google can fetch. Pure."""

from collections.abc import Iterator
from posixpath import splitext
from urllib.parse import quote, urlsplit

from daybook.catalogue.group import Group
from daybook.events import ChannelConfigured, MediaAdded

TAKEN = frozenset({"", ".jpg", ".jpeg", ".png", ".gif", ".bmp", ".tif", ".tiff", ".webp"})
"""File endings of pictures that Google takes."""
NOT_TAKEN = frozenset({".avif", ".svg", ".heic"})
"""Pictures of other formats. What has neither ending, such as a manual, is none."""


def images(group: Group, sku: str, settings: ChannelConfigured, base: str | None) -> tuple[str, ...]:
    """Absolute addresses, the SKU's own pictures before its parents', each once, whatever attribute they fill."""
    found = (_address(item.url, base) for item in _pictures(group, sku, settings) if _ending(item) in TAKEN)
    return tuple(dict.fromkeys(filter(None, found)))


def image_problem(group: Group, sku: str, settings: ChannelConfigured) -> str:
    """Why there is none, for a person to read."""
    first = next(_pictures(group, sku, settings), None)
    if first is None:
        return "it has no picture"
    if _ending(first) not in TAKEN:
        return f"it has no picture that Google takes: {first.url} is in another format"
    return f"it has no picture that Google can fetch: {first.url} is no address on the web (set media_base_url)"


def _pictures(group: Group, sku: str, settings: ChannelConfigured) -> Iterator[MediaAdded]:
    for item in group.media(sku, settings.scope):
        if item.locale in (None, *settings.locales) and _ending(item) in TAKEN | NOT_TAKEN:
            yield item


def _ending(item: MediaAdded) -> str:
    return splitext(urlsplit(item.url).path)[1].lower()


def _address(url: str, base: str | None) -> str | None:
    if url.startswith(("https://", "http://")):
        return url
    return None if base is None or "://" in url else f"{base.rstrip('/')}/{quote(url.lstrip('/'))}"
