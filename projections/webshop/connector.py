"""Brings listings to a WooCommerce shop: REST API v3, JSON, Basic authentication.

WooCommerce applies a request before it answers, so the outcome is Confirmed at once and nothing is polled. It has no
idempotency key, but a SKU is unique in a shop: that makes looking up before creating enough. A listing is found by its
SKU alone: a product of that SKU that somebody made in the shop by hand is taken over, not doubled.
"""

import math
from base64 import b64encode
from collections.abc import Mapping, Sequence

from daybook.channel.calls import Answer, Calls, Unanswered
from daybook.channel.contract import (
    Confirmed,
    Outcome,
    Payload,
    Push,
    Rejected,
    Shown,
    Throttled,
    Unavailable,
    Waiting,
)
from daybook.channel.pacing import Rate
from daybook.errors import BadConfiguration
from daybook.events import Rejection
from projections.webshop import readback
from projections.webshop.bodies import CREATING, changed, kept_axes, parent_of, sent, whole
from projections.webshop.gathering import Gathering, endpoint
from projections.webshop.listing import FACETS, NAME
from projections.webshop.mapping import PARENT
from projections.webshop.place import DUPLICATE, GONE, Place, collection

API = "/wp-json/wc/v3"
REST = "rest"
"""The one operation: WooCommerce counts no requests, and a host or firewall that does counts all of them alike."""
RATES: Mapping[str, Rate] = {}
"""None is published: neither WooCommerce nor WordPress limits this API. A host's own limit is told by its 429, or by
the setting `per_second`."""


class _Ended(Exception):
    """The shop can't be used now: nothing more to do in this push."""

    def __init__(self, outcome: Throttled | Unavailable | Rejected) -> None:
        self.outcome = outcome


class WooConnector:
    """One shop. Any number of pushes may be under way at once."""

    def __init__(self, url: str, consumer_key: str, consumer_secret: str, rates: Mapping[str, Rate] = RATES) -> None:
        self._calls = Calls(url, rates=rates)
        self.pace = self._calls.pace
        self._gathering = Gathering(lambda path, body: self._request("POST", path, body=body), self.push, self._refused)
        token = b64encode(f"{consumer_key}:{consumer_secret}".encode()).decode()
        self._headers = {"Authorization": f"Basic {token}", "Accept": "application/json"}

    async def push(self, push: Push) -> Outcome:
        """Creates, changes or takes off. At most three requests: look up, create, change."""
        try:
            if push.payload is None:
                return await (self._remove(push) if push.facet == CREATING else self._clear(push))
            return await self._bring(push, push.payload)
        except _Ended as ended:
            return ended.outcome
        except Unanswered as lost:
            return lost.outcome()

    def gathers(self, push: Push) -> str | None:
        """The batch's path for changes of what is there, and for new simple products at their first attempt."""
        return endpoint(push)

    async def push_all(self, pushes: Sequence[Push]) -> Sequence[Outcome]:
        """One batch. Only a member that is gone, doubled or shared by several pushes costs further requests."""
        return await self._gathering.push_all(pushes)

    async def read(self, push: Push) -> Shown | Throttled | Unavailable | Rejected:
        """What the shop has under the id that it gave, else under the SKU. One request, at most three."""
        try:
            place = Place.parse(push.remote_id) if push.remote_id is not None else await self._find(push.sku)
            answer = await self._look(place) if place is not None else None
            if answer is None and push.remote_id is not None:
                place = await self._find(push.sku)  # deleted, and perhaps made anew by hand
                answer = await self._look(place) if place is not None else None
        except _Ended as ended:
            return ended.outcome
        except Unanswered as lost:
            return lost.outcome()
        if answer is None or place is None:
            return Shown(dict.fromkeys(FACETS))
        wanted = parent_of(push)
        brought_under = push.remote_ids.get(wanted) if wanted is not None else None
        moved = brought_under is not None and Place.parse(brought_under).product != place.product
        parent = f"product {place.product}" if moved else wanted
        return Shown(readback.facets(answer.body, push.listing, parent))

    async def confirm(self, push: Push, submission: str) -> Outcome:
        """Never called: WooCommerce has no submissions."""
        return Rejected((Rejection("no_submissions", f"WooCommerce takes no submissions; {submission} is unknown"),))

    async def close(self) -> None:
        await self._calls.close()

    async def _bring(self, push: Push, payload: Payload) -> Outcome:
        if push.remote_id is None:
            if push.facet != CREATING:
                return Waiting(f"{push.sku} is not in the shop yet")
            return await self._create(push)
        answer = await self._call("PUT", Place.parse(push.remote_id).path, body=sent(payload))
        if answer.status == 200:
            return kept_axes(push.sku, payload, answer.body) or Confirmed()
        if _code(answer) in GONE:
            # Deleted in the shop, alone or with its parent, but the book says that it is sold: bring all of it back.
            return await self._create(push)
        return self._refused(answer)

    async def _create(self, push: Push) -> Outcome:
        """Everything of the listing in one request: made anew, or put over what already has the SKU."""
        if CREATING not in push.listing:
            return Waiting(f"{push.sku} is not in the shop, and its {CREATING} facet is not known yet")
        under, parent = None, parent_of(push)
        if parent is not None:
            if parent not in push.remote_ids:
                return Waiting(f"{push.sku} is a variation of {parent}, which is not in the shop yet")
            under = Place.parse(push.remote_ids[parent]).product
        body = whole(push.listing)
        unsure = push.attempt > 1 or push.remote_id is not None
        found = await self._find(push.sku) if unsure else None
        if found is None:
            answer = await self._call("POST", collection(under), body=body)
            if answer.status == 201:
                return self._brought(push, under, answer)
            found = await self._find(push.sku) if _code(answer) == DUPLICATE else None
            if found is None:
                return self._refused(answer)
        if found.under != under:
            return Rejected((Rejection(DUPLICATE, f"the SKU {push.sku} belongs to {found} in the shop", "sku"),))
        answer = await self._call("PUT", found.path, body=body)
        return self._brought(push, under, answer) if answer.status == 200 else self._refused(answer)

    def _brought(self, push: Push, under: int | None, answer: Answer) -> Outcome:
        own = answer.body.get("id") if isinstance(answer.body, dict) else None
        if not isinstance(own, int):
            return Unavailable(f"the shop answered {answer.status} without an id: {answer.text[:200]}")
        place = Place(own) if under is None else Place(under, own)
        lost = kept_axes(push.sku, push.listing[CREATING], answer.body)
        return lost or Confirmed(covers=tuple(push.listing), remote_id=str(place))

    async def _remove(self, push: Push) -> Outcome:
        """Takes the listing off for good; with a variable product go its variations."""
        place = Place.parse(push.remote_id) if push.remote_id is not None else None
        if place is None and push.attempt > 1:
            place = await self._find(push.sku)
        if place is None:
            return Confirmed(covers=FACETS)
        answer = await self._call("DELETE", place.path, query={"force": "true"})
        if answer.status == 200 or _code(answer) in GONE:
            return Confirmed(covers=FACETS)
        return self._refused(answer)

    async def _clear(self, push: Push) -> Outcome:
        if push.remote_id is None:
            return Confirmed()
        answer = await self._call("PUT", Place.parse(push.remote_id).path, body=changed(push))
        return Confirmed() if answer.status == 200 or _code(answer) in GONE else self._refused(answer)

    async def _find(self, sku: str) -> Place | None:
        """Who has this SKU. The list of products has the variations too when a SKU is asked for."""
        answer = await self._call("GET", "/products", query={"sku": sku})
        if answer.status != 200 or not isinstance(answer.body, list):
            raise _Ended(self._refused(answer))
        for each in answer.body:
            if each.get("sku") == sku:
                under = each.get("parent_id") if each.get("type") == "variation" else None
                return Place(under, each["id"]) if under else Place(each["id"])
        return None

    async def _call(
        self, method: str, path: str, *, body: Payload | None = None, query: Mapping[str, str] | None = None
    ) -> Answer:
        answer = await self._request(method, path, body=body, query=query)
        outage = answer.outage()
        if outage is not None:
            raise _Ended(outage)
        return answer

    async def _request(
        self, method: str, path: str, *, body: Payload | None = None, query: Mapping[str, str] | None = None
    ) -> Answer:
        return await self._calls.request(
            method, API + path, body=body, query=query, headers=self._headers, operation=REST
        )

    async def _look(self, place: Place) -> Answer | None:
        """The product or variation in the words in which it was sent; None when the shop does not have it."""
        answer = await self._call("GET", place.path, query={"context": "edit"})
        if answer.status == 200 and isinstance(answer.body, dict):
            return answer
        if _code(answer) in GONE:
            return None
        raise _Ended(self._refused(answer))

    def _refused(self, answer: Answer) -> Unavailable | Rejected:
        """Credentials, addresses and redirects are the channel's trouble; anything else is this listing's."""
        code, told = _code(answer), f"HTTP {answer.status} {_code(answer)}: {_message(answer)}"
        if answer.status in (401, 403):
            keys = f"DAYBOOK_CHANNEL_{NAME.upper()}_CONSUMER_KEY and _CONSUMER_SECRET"
            return Unavailable(f"the shop refuses access ({told}); check {keys}, and that the key may read and write")
        if code == "rest_no_route" or 300 <= answer.status < 400 or not code:
            where = self._calls.base_url + API
            return Unavailable(
                f"no WooCommerce API answers at {where} ({told}); check DAYBOOK_CHANNEL_{NAME.upper()}_URL"
            )
        params = answer.body.get("data", {}).get("params") if isinstance(answer.body.get("data"), dict) else None
        if isinstance(params, dict) and params:
            return Rejected(tuple(Rejection(code, str(reason), str(field)) for field, reason in params.items()))
        return Rejected((Rejection(code, _message(answer), _FIELDS.get(code)),))


_FIELDS = {
    DUPLICATE: "sku",
    "product_invalid_global_unique_id": "global_unique_id",
    "product_invalid_global_unique_id_format": "global_unique_id",
    "woocommerce_product_image_upload_error": "images",
    "woocommerce_variation_image_upload_error": "image",
    "woocommerce_rest_product_variation_invalid_parent": PARENT,
}


def connector(settings: Mapping[str, str]) -> WooConnector:
    """From `url` (the shop's address), `consumer_key` and `consumer_secret`. Raises BadConfiguration.

    `per_second`, when given, is how many requests the shop's host allows.
    """
    for name in ("url", "consumer_key", "consumer_secret"):
        if not settings.get(name):
            variable = f"DAYBOOK_CHANNEL_{NAME.upper()}_{name.upper()}"
            raise BadConfiguration(f"the webshop needs {variable}; make a key under WooCommerce > Settings > Advanced")
    rates = RATES
    if settings.get("per_second"):
        rates = {REST: Rate(_per_second(settings["per_second"]))}
    return WooConnector(settings["url"], settings["consumer_key"], settings["consumer_secret"], rates)


def _per_second(text: str) -> float:
    try:
        found = float(text)
    except ValueError:
        found = 0.0
    if not 0 < found < math.inf:
        variable = f"DAYBOOK_CHANNEL_{NAME.upper()}_PER_SECOND"
        raise BadConfiguration(f"{variable} is {text!r}; it must be a number of requests above 0", field=variable)
    return found


def _code(answer: Answer) -> str:
    return str(answer.body.get("code", "")) if isinstance(answer.body, dict) and answer.status >= 400 else ""


def _message(answer: Answer) -> str:
    return str(answer.body.get("message", "")) if isinstance(answer.body, dict) else answer.text[:200]
