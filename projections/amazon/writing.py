"""What is written to Amazon for a push: a PUT of the whole listing, a PATCH of one attribute, or a DELETE. Pure.

The same write goes as a request of its own or as a message of a feed. A PUT that creates and one that replaces are the
same to Amazon; they are told apart for what it means when the listing is not to be seen afterwards: a new one is not
there yet, an old one is gone.
"""

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from daybook.channel.contract import ChannelUnavailable, Payload, Push, Waiting
from daybook_projections.amazon.listing import FACETS

Verb = Literal["create", "put", "patch", "delete"]
ANY_TYPE = "PRODUCT"
"""Amazon takes it in a patch for a listing of whatever type."""
ATTRIBUTE_OF = {"price": "purchasable_offer", "stock": "fulfillment_availability"}
"""The one attribute that each facet but the first owns."""
_SELECTORS = {"purchasable_offer": "marketplace_id", "fulfillment_availability": "fulfillment_channel_code"}
_OPERATION_TYPES: dict[Verb, str] = {"create": "UPDATE", "put": "UPDATE", "patch": "PATCH", "delete": "DELETE"}


class Write(msgspec.Struct, frozen=True):
    """`body` is the request's; `covers` are the facets that it brings."""

    verb: Verb
    body: dict[str, Any] | None
    covers: tuple[str, ...]


def listing_of(push: Push) -> dict[str, Payload]:
    """The listing's facets as they should be, the pushed one among them if it is not being taken off."""
    listing = {name: payload for name, payload in push.listing.items() if name != push.facet}
    if push.payload is not None:
        listing[push.facet] = push.payload
    return listing


def verb_of(push: Push) -> Verb:
    """How the push goes as a rule."""
    if push.facet != FACETS[0]:
        return "patch"
    return "delete" if push.payload is None else whole_verb_of(push)


def whole_verb_of(push: Push) -> Verb:
    """`put` for a listing that Amazon has shown: until then its SKU stands in for the ASIN."""
    return "create" if push.remote_id in (None, push.sku) else "put"


def write_of(push: Push, marketplace: str, *, seen_only: bool = False) -> Write | Waiting | ChannelUnavailable:
    """The write, or what it waits for. `seen_only`: it is to be looked at, so that a parent need not be there yet."""
    match verb_of(push):
        case "delete":
            return Write("delete", None, FACETS)
        case "create" | "put" as verb:
            return whole_of(push, marketplace, verb, seen_only=seen_only)
        case _ if push.remote_id is None:
            return Waiting(f"{push.sku} is not listed on Amazon yet")
        case _:
            return patch_of(push, marketplace)


def whole_of(
    push: Push, marketplace: str, verb: Verb = "create", *, seen_only: bool = False
) -> Write | Waiting | ChannelUnavailable:
    """The PUT of the whole listing, whatever facet was pushed. `push.listing` must have the creating facet."""
    listing = listing_of(push)
    product = listing[FACETS[0]]
    attributes = dict(product["attributes"])
    for related in attributes.get("child_parent_sku_relationship", ()):
        if related["parent_sku"] not in push.remote_ids and not seen_only:
            return Waiting(f"its parent {related['parent_sku']} is not listed on Amazon yet")
    named = attributes["item_name"][0]["marketplace_id"]
    if named != marketplace:
        # A DELETE has nothing but the connector's setting to go by, so the two must never differ.
        return ChannelUnavailable(
            f"the listing is for marketplace {named}, the connection for {marketplace}: set "
            "DAYBOOK_CHANNEL_AMAZON_MARKETPLACE_ID and the channel's extra.marketplace_id to the same"
        )
    body = {**product, "attributes": attributes | offer_of(listing)}
    return Write(verb, body, tuple(name for name in FACETS if name in listing))


def patch_of(push: Push, marketplace: str) -> Write:
    """The PATCH of the facet's one attribute."""
    name = ATTRIBUTE_OF[push.facet]
    if push.payload is None:
        value = marketplace if name == "purchasable_offer" else "DEFAULT"
        patch = {"op": "delete", "path": f"/attributes/{name}", "value": [{_SELECTORS[name]: value}]}
    else:
        patch = {"op": "replace", "path": f"/attributes/{name}", "value": push.payload[name]}
    product_type = listing_of(push).get(FACETS[0], {}).get("productType", ANY_TYPE)
    return Write("patch", {"productType": product_type, "patches": [patch]}, (push.facet,))


def offer_of(listing: Mapping[str, Payload]) -> dict[str, Any]:
    """The attributes of all facets but the creating one."""
    return {name: value for facet in FACETS[1:] for name, value in listing.get(facet, {}).items()}


def message_of(write: Write, sku: str, message_id: int) -> dict[str, Any]:
    """The write as a message of JSON_LISTINGS_FEED, version 2.0."""
    return {
        "messageId": message_id,
        "sku": sku,
        "operationType": _OPERATION_TYPES[write.verb],
        **(write.body or {}),
    }
