"""The pictures of a product that the shop can fetch. Pure."""

from collections.abc import Sequence
from posixpath import splitext
from urllib.parse import quote, urlsplit

import msgspec

from daybook.catalogue.group import Group
from daybook.events import ChannelConfigured, MediaAdded

FORMATS = frozenset({"", ".jpg", ".jpeg", ".jpe", ".gif", ".png", ".bmp", ".tif", ".tiff", ".ico", ".webp"})
"""File endings that WooCommerce accepts for a picture (wc_rest_allowed_image_mime_types); it looks at the address when
there is none. Anything else, such as a manual, fails the whole product."""


class Image(msgspec.Struct, frozen=True):
    """A picture: an absolute address, and the text for people who can't see it."""

    src: str
    alt: str


def images(group: Group, sku: str, root: str | None, settings: ChannelConfigured, alt: str) -> tuple[Image, ...]:
    """The product's pictures that the shop can fetch, its own before its parents'; those of `root` are left to it."""
    shared = set(group.media(root, settings.scope)) if root is not None else set()
    pictures = (item for item in group.media(sku, settings.scope) if item not in shared and _is_picture(item, settings))
    base = settings.extra.get("media_base_url")
    found = dict.fromkeys(filter(None, (_address(item.url, base) for item in pictures)))
    return tuple(Image(src, alt) for src in found)


def _is_picture(item: MediaAdded, settings: ChannelConfigured) -> bool:
    locales: Sequence[str | None] = (None, *settings.locales)
    return item.locale in locales and splitext(urlsplit(item.url).path)[1].lower() in FORMATS


def _address(url: str, base: object) -> str | None:
    """The absolute address; a relative path is joined to `base` when there is one."""
    if url.startswith(("http://", "https://")):
        return url
    if not isinstance(base, str) or "://" in url:
        return None
    return f"{base.rstrip('/')}/{quote(url.lstrip('/'))}"
