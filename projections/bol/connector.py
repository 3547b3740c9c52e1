"""Brings offers to bol: Offers API v11 (11.3.0). Every write of an offer is carried out before its answer.

Most pushes are one request. More are needed only where the truth has to be looked up first:

- A create whose earlier answer may be lost looks for an offer with our reference, and adopts the one it finds.
- A change of the offer facet reads the offer first, because bol can't change an offer's EAN: when the EAN is another
  one, the offer is deleted and created anew under a new id.
- An offer that bol does not have any more (404) is looked for by our reference in the same way, since it may have
  been replaced by a request whose answer was lost, and else created anew with everything that it should show.

Content is uploaded by itself and followed to its end: see `uploads.py`. An offer that bol took is confirmed, also when
bol does not sell it as it is: what the book says is there.
"""

import time
from collections.abc import Callable, Mapping
from datetime import datetime
from urllib.parse import quote

from daybook.channel.calls import Unanswered
from daybook.channel.contract import (
    ChannelUnavailable,
    Confirmed,
    Outcome,
    Payload,
    Push,
    Setting,
    Shown,
    Waiting,
)
from daybook.channel.orders import SWITCH, NotNow, OrdersPage
from daybook_projections.bol.access import Access, Failed, Failure, body_of, failure
from daybook_projections.bol.mapping import CONTENT, FACETS, OF_THE_OFFER, OFFER
from daybook_projections.bol.order_query import OrderQuery
from daybook_projections.bol.readback import facets_of, same_ean
from daybook_projections.bol.uploads import Uploads

OFFERS = "/retailer/offers"
FIXED = ("ean", "condition")
"""Fields of an offer that are given once, when it is created."""


class BolConnector:
    """One account at bol."""

    def __init__(
        self,
        url: str,
        login_url: str,
        client_id: str,
        client_secret: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._access = Access(url, login_url, client_id, client_secret, clock)
        self._uploads = Uploads(self._access)
        self._orders = OrderQuery(self._access)
        self.pace = self._access.pace

    async def push(self, push: Push) -> Outcome:
        """Brings one facet to bol; a create brings all that are parts of the offer."""
        try:
            return await self._push(push)
        except Failed as failed:
            return failed.outcome
        except Unanswered as unanswered:
            return unanswered.outcome()

    async def confirm(self, push: Push, submission: str) -> Outcome:
        """What became of an upload of content; a write of an offer that was answered is carried out."""
        try:
            return await self._uploads.confirm(push, submission)
        except Failed as failed:
            return failed.outcome
        except Unanswered as unanswered:
            return unanswered.outcome()

    async def read(self, push: Push) -> Shown | Failure:
        """What bol has of the SKU. Content is read where there was some: bol shows everybody's, and not whose it is."""
        try:
            return await self._read(push)
        except Failed as failed:
            return failed.outcome
        except Unanswered as unanswered:
            return unanswered.outcome()

    async def changed_orders(self, since: datetime, page: str | None) -> OrdersPage | NotNow:
        """A page of the orders that changed, and are ours to send."""
        return await self._orders.changed(since, page)

    async def close(self) -> None:
        """Closes both connection pools."""
        await self._access.close()

    async def _read(self, push: Push) -> Shown:
        offer = await self._offer(push)
        if offer is None:
            return Shown(dict.fromkeys(FACETS))
        facets = facets_of(offer, push.listing)
        if CONTENT in push.listing:
            facets[CONTENT] = await self._uploads.published(push.listing[CONTENT])
        return Shown(facets)

    async def _push(self, push: Push) -> Outcome:
        if push.payload is None:
            # An offer always has a price and a stock, which go with it; content that bol has taken can't be taken back.
            return await self._remove(push) if push.facet == OFFER else Confirmed(remote_id=push.remote_id)
        if OFFER not in push.listing:
            return Waiting(f"{push.sku} has no offer to set its {push.facet} on")
        if push.remote_id is None:
            if push.facet != OFFER:
                return Waiting(f"the offer of {push.sku} is not on bol yet")
            return await self._create_or_adopt(push)
        if push.facet == OFFER:
            return await self._change_offer(push, push.remote_id)
        if push.facet == CONTENT:
            return await self._uploads.upload(push, push.payload)
        if await self._patch(push.remote_id, push.payload):
            return Confirmed(remote_id=push.remote_id)
        return await self._create_or_adopt(push)

    async def _create_or_adopt(self, push: Push) -> Outcome:
        may_be_there = push.attempt > 1 or push.remote_id is not None
        found = await self._find(push.sku) if may_be_there else None
        if found is None:
            return await self._create(push)
        offer_id = str(found["offerId"])
        if not same_ean(found.get("ean"), push.listing[OFFER]["ean"]):
            return await self._replace(push, offer_id)
        if await self._patch(offer_id, _body(push.listing)):
            return Confirmed(covers=_parts(push.listing), remote_id=offer_id)
        return ChannelUnavailable(f"the offer {offer_id} of {push.sku} went away between two requests")

    async def _create(self, push: Push) -> Outcome:
        answer = await self._access.call("POST", OFFERS, "create-offer", body=_body(push.listing))
        created = body_of(answer, 201)
        if "offerId" not in created:
            raise Failed(failure(answer))
        return Confirmed(covers=_parts(push.listing), remote_id=str(created["offerId"]))

    async def _change_offer(self, push: Push, offer_id: str) -> Outcome:
        offer = await self._get(offer_id)
        if offer is None:
            return await self._create_or_adopt(push)
        if not same_ean(offer.get("ean"), push.listing[OFFER]["ean"]):
            return await self._replace(push, offer_id)
        if await self._patch(offer_id, push.listing[OFFER]):
            return Confirmed(remote_id=offer_id)
        return await self._create_or_adopt(push)

    async def _replace(self, push: Push, offer_id: str) -> Outcome:
        # Deleted first: two offers with one reference would let the look-up adopt the wrong one. If the create is
        # lost, the next attempt finds neither the id nor the reference, or finds the new offer, and goes on.
        await self._delete(offer_id)
        return await self._create(push)

    async def _remove(self, push: Push) -> Outcome:
        if push.remote_id is not None and await self._delete(push.remote_id):
            return Confirmed(covers=FACETS)
        # Its id is not known or not true any more: the answer that told the newest one may have been lost.
        found = await self._find(push.sku)
        if found is not None:
            await self._delete(str(found["offerId"]))
        return Confirmed(covers=FACETS)

    async def _offer(self, push: Push) -> Payload | None:
        """The offer under the id that is known, else under our reference."""
        offer = await self._get(push.remote_id) if push.remote_id is not None else None
        return offer if offer is not None else await self._find(push.sku)

    async def _get(self, offer_id: str) -> Payload | None:
        answer = await self._access.call("GET", _path(offer_id), "get-offer")
        return None if answer.status == 404 else body_of(answer)

    async def _find(self, sku: str) -> Payload | None:
        """The offer with our reference. The filter is bol's, but what it gives is compared again."""
        answer = await self._access.call("GET", OFFERS, "get-offers", query={"reference": sku})
        offers: list[Payload] = body_of(answer).get("offers", [])
        return next((offer for offer in offers if offer.get("reference") == sku), None)

    async def _patch(self, offer_id: str, fields: Payload) -> bool:
        """True when bol shows it now, False when it has no such offer."""
        body = {name: value for name, value in fields.items() if name not in FIXED}
        answer = await self._access.call("PATCH", _path(offer_id), "update-offer", body=body)
        if answer.status not in (204, 404):
            raise Failed(failure(answer))
        return answer.status == 204

    async def _delete(self, offer_id: str) -> bool:
        """True when it was there; either way it is not there any more."""
        answer = await self._access.call("DELETE", _path(offer_id), "delete-offer")
        if answer.status not in (204, 404):
            raise Failed(failure(answer))
        return answer.status == 204


SETTINGS = (
    Setting("url", "bol's API: https://api.bol.com"),
    Setting("login_url", "where tokens come from: https://login.bol.com; without it, `url`", optional=True),
    Setting("client_id", "of the API credentials that bol's seller dashboard makes"),
    Setting("client_secret", "of the same credentials"),
    Setting(SWITCH, "`true`: the orders that the retailer sends are taken in, by asking what changed", optional=True),
)


def connector(settings: Mapping[str, str]) -> BolConnector:
    """From the values of `SETTINGS`."""
    return BolConnector(
        settings["url"], settings.get("login_url") or settings["url"], settings["client_id"], settings["client_secret"]
    )


def _path(offer_id: str) -> str:
    return f"{OFFERS}/{quote(offer_id, safe='')}"


def _parts(listing: Mapping[str, Payload]) -> tuple[str, ...]:
    return tuple(facet for facet in OF_THE_OFFER if facet in listing)


def _body(listing: Mapping[str, Payload]) -> Payload:
    return {name: value for facet in OF_THE_OFFER for name, value in listing.get(facet, {}).items()}
