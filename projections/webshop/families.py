"""Variable products with their variations: brought back together when somebody took one of them away in the shop."""

from collections.abc import Iterable

from daybook.channel.contract import ChannelUnavailable, Payload, Push, Rejected
from daybook_projections.webshop.answers import code_of, kept_hidden
from daybook_projections.webshop.api import Api
from daybook_projections.webshop.bodies import CREATING, live, parent_of, sent
from daybook_projections.webshop.gathering import MEMBERS_MAX
from daybook_projections.webshop.place import DUPLICATE, GONE, TRASHED, Place, collection


async def bring_parent(api: Api, push: Push) -> Place | Rejected | ChannelUnavailable | None:
    """Makes the product of a variation be there, on sale and with all its options; None when it is not known here.

    It keeps its texts and pictures, unless it is made anew. Its own next push learns its id.
    """
    sku = parent_of(push)
    listing = push.group.get(sku, {}) if sku is not None else {}
    if sku is None or CREATING not in listing:
        return None
    payload = listing[CREATING]
    frame = sent({field: payload[field] for field in ("type", "status", "attributes")})
    place = Place.parse(push.remote_ids[sku]) if sku in push.remote_ids else None
    answer = await api.call("PUT", place.path, body=frame) if place is not None else None
    if answer is None or code_of(answer) in GONE:
        place = await api.find(sku)  # made anew, with a sister or by hand
        answer = await (
            api.call("PUT", place.path, body=frame)
            if place is not None
            else api.call("POST", collection(None), body=sent(payload))
        )
        if place is None and code_of(answer) in (DUPLICATE, TRASHED):
            place = await api.find(sku, trash=code_of(answer) == TRASHED)
            answer = await api.call("PUT", place.path, body=frame) if place is not None else answer
    if answer.status not in (200, 201):
        return api.refused(answer)
    if not live(listing, answer.body):
        return kept_hidden(sku, answer)
    return place or Place(answer.body["id"])


async def show_variations(api: Api, product: int, variations: Iterable[int]) -> None:
    """Takes variations out of the trash. One that is gone for good comes back with its own next change."""
    waiting: list[Payload] = [{"id": own, "status": "publish"} for own in variations]
    for start in range(0, len(waiting), MEMBERS_MAX):
        part = waiting[start : start + MEMBERS_MAX]
        await api.call("POST", f"{collection(product)}/batch", body={"update": part})
