"""Request bodies made of payloads, and what an answer's body shows of them. Pure."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

from daybook.channel.contract import Payload, Push
from daybook_projections.webshop.images import named
from daybook_projections.webshop.listing import FACETS
from daybook_projections.webshop.mapping import PARENT
from daybook_projections.webshop.place import Place

CREATING = FACETS[0]
CLEARED: Mapping[str, Payload] = {"price": {"regular_price": ""}, "stock": {"manage_stock": False}}
"""What takes one facet off a listing that stays."""
_UNSLASHED = frozenset({"name", "description", "short_description"})


def sent(payload: Payload) -> Payload:
    """Makes the body of a payload: without what is for the connector only, and as WordPress reads it.

    WordPress takes a backslash off these texts, as PHP once put one before each quote (`wp_unslash`); a doubled one
    leaves one. A product's own options and the names of attributes keep theirs as they are.
    """
    body = {field: value for field, value in payload.items() if not field.startswith("_")}
    for field in _UNSLASHED & body.keys():
        body[field] = _slashed(body[field])
    if PARENT in payload and "attributes" in body:
        body["attributes"] = [each | {"option": _slashed(each["option"])} for each in body["attributes"]]
    if "images" in body:
        body["images"] = [_picture(each) for each in body["images"]]
    if body.get("image"):
        body["image"] = _picture(body["image"])
    return body


def whole(listing: Mapping[str, Payload]) -> Payload:
    """All facets as one body."""
    return {key: value for payload in listing.values() for key, value in sent(payload).items()}


def changed(push: Push) -> Payload:
    """The body that brings one facet of a listing that is there, or takes it off."""
    return sent(push.payload) if push.payload is not None else CLEARED[push.facet]


def parent_of(push: Push) -> str | None:
    """The SKU of the variable product that this SKU is a variation of."""
    found = push.listing.get(CREATING, push.payload or {}).get(PARENT)
    return found if isinstance(found, str) else None


def seen_by_buyers(push: Push, answered: Any) -> bool:
    """Whether what the shop answers is on sale as it should be, with all that hangs on it."""
    hidden = below_hidden(answered) or hidden_variations(push, answered)
    return live(push.listing, answered) and not lost_axes(push, answered) and not hidden


def live(listing: Mapping[str, Payload], answered: Any) -> bool:
    """Whether it is in the state in which buyers see it, and not in the trash or a draft."""
    wanted = listing.get(CREATING, {}).get("status")
    shown = answered.get("status") if isinstance(answered, dict) else None
    return wanted is None or shown is None or shown == wanted


def below_hidden(answered: Any) -> bool:
    """Whether it is a variation of a product that is in the trash or a draft, which takes its changes all the same.

    Of the product an answer tells the address only, and WordPress gives one by number to what is not published
    (`wp_force_plain_post_permalink`). A private product has one by name for those who may read it.
    """
    address = answered.get("permalink") if isinstance(answered, dict) else None
    return "post_type" in parse_qs(urlsplit(str(address or "")).query)


def lost_axes(push: Push, answered: Any) -> list[str]:
    """The axes of a variation without the option that was sent: it fits every choice then, or none.

    WooCommerce drops an attribute of a variation that its product does not have, and says nothing.
    """
    kept: Any = answered.get("attributes") if isinstance(answered, dict) else None
    if parent_of(push) is None or not isinstance(kept, list):
        return []
    options = [each.get("option") for each in kept]
    lost = []
    for each in push.listing.get(CREATING, {}).get("attributes", ()):
        if each["option"] in options:
            options.remove(each["option"])
        else:
            lost.append(each["name"])
    return lost


def hidden_variations(push: Push, answered: Any) -> list[int]:
    """The ids of a product's variations that were brought and are not among those that it shows, such as in the trash.

    Whoever puts a product into the trash puts its variations there too; bringing it back leaves them there.
    """
    shown: Any = answered.get("variations") if isinstance(answered, dict) else None
    if push.remote_id is None or not isinstance(shown, list):
        return []
    places = (
        Place.parse(push.remote_ids[sku])
        for sku, listing in push.group.items()
        if sku in push.remote_ids and listing.get(CREATING, {}).get(PARENT) == push.sku
    )
    own = Place.parse(push.remote_id).product
    return [place.own for place in places if place.under == own and place.own not in shown]


def _picture(image: Payload) -> Payload:
    return image | {"src": named(image["src"])} | ({"alt": _slashed(image["alt"])} if "alt" in image else {})


def _slashed(text: str) -> str:
    return text.replace("\\", "\\\\")
