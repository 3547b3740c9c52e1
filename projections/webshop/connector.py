"""Brings listings to a WooCommerce shop: REST API v3, JSON, Basic authentication.

WooCommerce applies a request before it answers, so the outcome is Confirmed at once and nothing is polled. It has no
idempotency key, but a SKU is unique in a shop: that makes looking up before creating enough. A listing is found by its
SKU alone: a product of that SKU that somebody made in the shop by hand is taken over, not doubled.
"""

from base64 import b64encode
from collections.abc import Mapping
from typing import Any

import msgspec

from daybook.channel.calls import Answer, Calls, Unanswered
from daybook.channel.contract import Confirmed, Outcome, Payload, Push, Rejected, Unavailable, Waiting
from daybook.errors import BadConfiguration
from daybook.events import Rejection
from projections.webshop.listing import FACETS, NAME
from projections.webshop.mapping import PARENT

API = "/wp-json/wc/v3"
CREATING = FACETS[0]
DUPLICATE = "product_invalid_sku"
GONE = frozenset(
    {
        "woocommerce_rest_product_invalid_id",
        "woocommerce_rest_product_variation_invalid_id",
        "woocommerce_rest_invalid_product_id",
        "woocommerce_rest_invalid_product_variation_id",
        "woocommerce_rest_already_trashed",
    }
)
"""Codes for an id that the shop does not have. Go by the code: WooCommerce says 404 to GET and DELETE, 400 to PUT."""

CLEARED: Mapping[str, Payload] = {"price": {"regular_price": ""}, "stock": {"manage_stock": False}}
"""What takes one facet off a listing that stays."""


class Place(msgspec.Struct, frozen=True):
    """Where a listing is in the shop: a product, or a variation under a product. As text: `12` or `12/34`."""

    product: int
    variation: int | None = None

    @classmethod
    def parse(cls, text: str) -> "Place":
        product, _, variation = text.partition("/")
        return cls(int(product), int(variation) if variation else None)

    def __str__(self) -> str:
        return f"{self.product}" if self.variation is None else f"{self.product}/{self.variation}"

    @property
    def path(self) -> str:
        return f"/products/{self.product}" + ("" if self.variation is None else f"/variations/{self.variation}")


class _Ended(Exception):
    """The shop can't be used now: nothing more to do in this push."""

    def __init__(self, outcome: Outcome) -> None:
        self.outcome = outcome


class WooConnector:
    """One shop. Any number of pushes may be under way at once."""

    def __init__(self, url: str, consumer_key: str, consumer_secret: str) -> None:
        self._calls = Calls(url)
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

    async def confirm(self, push: Push, submission: str) -> Outcome:
        """Never called: WooCommerce has no submissions."""
        return Rejected((Rejection("no_submissions", f"WooCommerce takes no submissions; {submission} is unknown"),))

    async def close(self) -> None:
        await self._calls.close()

    async def _bring(self, push: Push, payload: Payload) -> Outcome:
        parent = _parent(push)
        if push.remote_id is None:
            if push.facet != CREATING:
                return Waiting(f"{push.sku} is not in the shop yet")
            return await self._create(push, parent)
        answer = await self._call("PUT", Place.parse(push.remote_id).path, body=_sent(payload))
        if answer.status == 200:
            return _kept_axes(push, payload, answer) or Confirmed()
        if _code(answer) in GONE:
            # Deleted in the shop, alone or with its parent, but the book says that it is sold: bring all of it back.
            return await self._create(push, parent)
        return self._refused(answer)

    async def _create(self, push: Push, parent: str | None) -> Outcome:
        """Everything of the listing in one request: made anew, or put over what already has the SKU."""
        if CREATING not in push.listing:
            return Waiting(f"{push.sku} is not in the shop, and its {CREATING} facet is not known yet")
        under: int | None = None
        if parent is not None:
            if parent not in push.remote_ids:
                return Waiting(f"{push.sku} is a variation of {parent}, which is not in the shop yet")
            under = Place.parse(push.remote_ids[parent]).product
        body = {key: value for facet in push.listing.values() for key, value in _sent(facet).items()}
        unsure = push.attempt > 1 or push.remote_id is not None
        found = await self._find(push.sku) if unsure else None
        if found is None:
            answer = await self._call("POST", _collection(under), body=body)
            if answer.status == 201:
                return self._brought(push, under, answer)
            found = await self._find(push.sku) if _code(answer) == DUPLICATE else None
            if found is None:
                return self._refused(answer)
        if (found.product if found.variation is not None else None) != under:
            return Rejected((Rejection(DUPLICATE, f"the SKU {push.sku} belongs to {found} in the shop", "sku"),))
        answer = await self._call("PUT", found.path, body=body)
        return self._brought(push, under, answer) if answer.status == 200 else self._refused(answer)

    def _brought(self, push: Push, under: int | None, answer: Answer) -> Outcome:
        own = answer.body.get("id") if isinstance(answer.body, dict) else None
        if not isinstance(own, int):
            return Unavailable(f"the shop answered {answer.status} without an id: {answer.text[:200]}")
        place = Place(own) if under is None else Place(under, own)
        lost = _kept_axes(push, push.listing[CREATING], answer)
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
        answer = await self._call("PUT", Place.parse(push.remote_id).path, body=CLEARED[push.facet])
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
        answer = await self._calls.request(method, API + path, body=body, query=query, headers=self._headers)
        outage = answer.outage()
        if outage is not None:
            raise _Ended(outage)
        return answer

    def _refused(self, answer: Answer) -> Outcome:
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
    """From `url` (the shop's address), `consumer_key` and `consumer_secret`. Raises BadConfiguration."""
    for name in ("url", "consumer_key", "consumer_secret"):
        if not settings.get(name):
            variable = f"DAYBOOK_CHANNEL_{NAME.upper()}_{name.upper()}"
            raise BadConfiguration(f"the webshop needs {variable}; make a key under WooCommerce > Settings > Advanced")
    return WooConnector(settings["url"], settings["consumer_key"], settings["consumer_secret"])


def _parent(push: Push) -> str | None:
    """The SKU of the variable product that this SKU is a variation of."""
    found = push.listing.get(CREATING, push.payload or {}).get(PARENT)
    return found if isinstance(found, str) else None


def _sent(payload: Payload) -> Payload:
    return {key: value for key, value in payload.items() if not key.startswith("_")}


def _collection(under: int | None) -> str:
    return "/products" if under is None else f"/products/{under}/variations"


def _kept_axes(push: Push, payload: Payload, answer: Answer) -> Waiting | None:
    """Waiting when a variation lost an axis.

    WooCommerce drops an attribute of a variation that its parent does not have (yet) and says nothing: the variation
    would then fit every choice. Its parent's own change brings the axis; after that this one is sent again.
    """
    sent = payload.get("attributes") if PARENT in payload else None
    kept: Any = answer.body.get("attributes") if isinstance(answer.body, dict) else None
    if not sent or not isinstance(kept, list) or len(kept) >= len(sent):
        return None
    return Waiting(f"{push.sku} has an axis that {payload[PARENT]} does not have in the shop yet")


def _code(answer: Answer) -> str:
    return str(answer.body.get("code", "")) if isinstance(answer.body, dict) and answer.status >= 400 else ""


def _message(answer: Answer) -> str:
    return str(answer.body.get("message", "")) if isinstance(answer.body, dict) else answer.text[:200]
