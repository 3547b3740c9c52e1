"""The pictures of a product that the shop can fetch, and why others can't be sent. Pure."""

from posixpath import basename, splitext
from urllib.parse import quote, urlsplit

import msgspec

from daybook.catalogue.group import Group
from daybook.events import ChannelConfigured, MediaAdded

FORMATS = frozenset({".jpg", ".jpeg", ".jpe", ".gif", ".png", ".bmp", ".tif", ".tiff", ".ico", ".webp"})
"""File endings that WooCommerce accepts for a picture (wc_rest_allowed_image_mime_types). One other fails the whole
product. The ending need not be true: the shop looks into the file and gives the copy the right one."""
OTHER_FORMATS = frozenset({".avif", ".eps", ".heic", ".heif", ".jxl", ".psd", ".svg"})
"""File endings of pictures that it does not take. What has any other ending is no picture, such as a manual."""
SCRIPTS = frozenset({".ashx", ".asp", ".aspx", ".cgi", ".jsp", ".php"})
"""File endings that say nothing of what comes."""
PICTURE = "image"
"""The role under which a file is taken for a picture whose ending says nothing."""


class Image(msgspec.Struct, frozen=True):
    """A picture: an absolute address, and the text for people who can't see it."""

    src: str
    alt: str


class Images(msgspec.Struct, frozen=True):
    """What of a product's pictures is sent, and why the others are not."""

    sent: tuple[Image, ...] = ()
    lost: tuple[str, ...] = ()


def images(group: Group, sku: str, root: str | None, settings: ChannelConfigured, alt: str) -> Images:
    """Finds the product's pictures, its own before its parents'; those of `root` are left to it."""
    shared = set(group.media(root, settings.scope)) if root is not None else set()
    base = settings.extra.get("media_base_url")
    found: dict[str, None] = {}
    lost: dict[str, None] = {}
    for item in group.media(sku, settings.scope):
        if item in shared or item.locale not in (None, *settings.locales) or not _is_picture(item):
            continue
        address = _address(item.url, base)
        if address is None:  # known only since nobody said where such pictures are
            continue
        problem = _problem(address)
        if problem is None:
            found[address] = None
        else:
            lost[f"{item.url} {problem}"] = None
    return Images(tuple(Image(src, alt) for src in found), tuple(lost))


def named(src: str) -> str:
    """Gives an address whose file name has an ending, as the shop wants: it looks behind a `#` too and fetches without.

    WooCommerce reads the file's name off the address, and refuses a name without an ending.
    """
    fetched = src.partition("#")[0]
    return fetched if _ending(fetched) in FORMATS else f"{fetched}#.jpg"


def _is_picture(item: MediaAdded) -> bool:
    ending = _ending(item.url)
    if ending in FORMATS or ending in OTHER_FORMATS:
        return True
    return item.role == PICTURE and (not ending or ending in SCRIPTS)


def _ending(url: str) -> str:
    return splitext(basename(urlsplit(url).path))[1].lower()


def _problem(address: str) -> str | None:
    ending, parts = _ending(address), urlsplit(address)
    if ending in OTHER_FORMATS:
        return f"is in a format ({ending}) that WooCommerce does not take"
    if ending not in FORMATS and parts.query:
        return "has no file ending such as .jpg before its `?`, and WooCommerce takes no picture without one"
    return None


def _address(url: str, base: object) -> str | None:
    """The absolute address; a relative path is joined to `base` when there is one."""
    if url.startswith(("http://", "https://")):
        return url
    if not isinstance(base, str) or "://" in url:
        return None
    return f"{base.rstrip('/')}/{quote(url.lstrip('/'))}"
