"""Brings listings to a WooCommerce shop: REST API v3, JSON, Basic authentication.

WooCommerce applies a request before it answers, so the outcome is Confirmed at once and nothing is polled. It has no
idempotency key, but a SKU is unique in a shop: that makes looking up before creating enough. A listing is found by its
SKU alone: a product of that SKU that somebody made in the shop by hand is taken over, not doubled.
"""

import json
import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from daybook.channel.calls import Answer, Unanswered
from daybook.channel.contract import (
    ChannelUnavailable,
    Confirmed,
    Outcome,
    Payload,
    Push,
    Rejected,
    Setting,
    Shown,
    Throttled,
    Waiting,
)
from daybook.channel.orders import SWITCH, HeardOrder, NotNow, OrdersPage
from daybook.channel.pacing import Rate
from daybook.errors import BadConfiguration, InvalidValue
from daybook.events import Rejection
from daybook_projections.webshop import readback
from daybook_projections.webshop.answers import code_of, kept_hidden
from daybook_projections.webshop.api import API, RATES, REST, Api, Ended
from daybook_projections.webshop.bodies import (
    CREATING,
    below_hidden,
    changed,
    hidden_variations,
    live,
    lost_axes,
    parent_of,
    sent,
    whole,
)
from daybook_projections.webshop.families import bring_parent, show_variations
from daybook_projections.webshop.gathering import Gathering, endpoint
from daybook_projections.webshop.listing import FACETS, NAME
from daybook_projections.webshop.orders import SECRETS, heard
from daybook_projections.webshop.place import DUPLICATE, GONE, INVALID_PARENT, TRASHED, Place, collection

__all__ = ["API", "REST", "WooConnector", "connector"]


class WooConnector:
    """One shop. Any number of pushes may be under way at once."""

    def __init__(self, url: str, consumer_key: str, consumer_secret: str, rates: Mapping[str, Rate] = RATES) -> None:
        self._api = Api(url, consumer_key, consumer_secret, rates)
        self.pace = self._api.pace
        self._gathering = Gathering(
            lambda path, body: self._api.request("POST", path, body=body), self.push, self._api.refused
        )

    async def push(self, push: Push) -> Outcome:
        """Creates, changes or takes off. At most three requests, unless somebody took something away in the shop."""
        try:
            if push.payload is None:
                return await (self._remove(push) if push.facet == CREATING else self._clear(push))
            return await self._bring(push, push.payload)
        except Ended as ended:
            return ended.outcome
        except Unanswered as lost:
            return lost.outcome()

    def gathers(self, push: Push) -> str | None:
        """The batch's path for changes of what is there, and for new simple products at their first attempt."""
        return endpoint(push)

    async def push_all(self, pushes: Sequence[Push]) -> Sequence[Outcome]:
        """One batch. Only a member that is gone, doubled or shared by several pushes costs further requests."""
        return await self._gathering.push_all(pushes)

    async def read(self, push: Push) -> Shown | Throttled | ChannelUnavailable | Rejected:
        """What the shop has under the id that it gave, else under the SKU. One request, at most three."""
        try:
            place = Place.parse(push.remote_id) if push.remote_id is not None else await self._api.find(push.sku)
            answer = await self._api.look(place) if place is not None else None
            if answer is None and push.remote_id is not None:
                place = await self._api.find(push.sku)  # deleted, and perhaps made anew by hand
                answer = await self._api.look(place) if place is not None else None
        except Ended as ended:
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

    async def changed_orders(self, since: datetime, page: str | None) -> OrdersPage | NotNow:
        """A page by id: one that is changed meanwhile keeps its place. `page` is its number, and how many there were.

        Hazard: an order that goes into the trash meanwhile moves all behind it one up, and one of them out of sight. So
        when there are fewer than before, it is begun anew.
        """
        number, _, before = (page or "1").partition(" of ")
        query = {
            "modified_after": since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S"),
            "dates_are_gmt": "true",
            "orderby": "id",
            "order": "asc",
            "per_page": str(ORDERS_A_PAGE),
            "page": number,
        }
        try:
            answer = await self._api.call("GET", "/orders", query=query)
        except Ended as ended:
            return NotNow(_why(ended.outcome), getattr(ended.outcome, "retry_after_seconds", None))
        except Unanswered as lost:
            return NotNow(_why(lost.outcome()), lost.outcome().retry_after_seconds)
        if answer.status != 200 or not isinstance(answer.body, list):
            return NotNow(_why(self._api.refused(answer)))
        pages, total = (_count(answer, name) for name in ("X-WP-TotalPages", "X-WP-Total"))
        if before and total < int(before):
            return OrdersPage((), "1")
        found = tuple(order for each in answer.body if (order := _readable(each)) is not None)
        return OrdersPage(found, f"{int(number) + 1} of {total}" if int(number) < pages else None)

    async def confirm(self, push: Push, submission: str) -> Outcome:
        """Never called: WooCommerce has no submissions."""
        return Rejected((Rejection("no_submissions", f"WooCommerce takes no submissions; {submission} is unknown"),))

    async def close(self) -> None:
        await self._api.close()

    async def _bring(self, push: Push, payload: Payload) -> Outcome:
        if push.remote_id is None:
            if push.facet != CREATING:
                return Waiting(f"{push.sku} is not in the shop yet")
            return await self._create(push)
        place = Place.parse(push.remote_id)
        answer = await self._api.call("PUT", place.path, body=sent(payload))
        if answer.status == 200:
            if not live(push.listing, answer.body) or lost_axes(push, answer.body) or below_hidden(answer.body):
                return await self._mend(push, place)
            return await self._seen(push, place, answer) or Confirmed()
        if code_of(answer) in GONE:
            # Deleted in the shop, alone or with its parent, but the book says that it is sold: bring all of it back.
            return await self._create(push)
        return self._api.refused(answer)

    async def _mend(self, push: Push, place: Place) -> Outcome:
        """Brings back all of what is in the shop and not on sale: in the trash, a draft, or without its axes."""
        if parent_of(push) is not None:
            parent = await bring_parent(self._api, push)
            if parent is None:
                return Waiting(f"{push.sku} is not on sale, and its product {parent_of(push)} is not known yet")
            if not isinstance(parent, Place):
                return parent
            if parent.product != place.product:
                return await self._create(push, under=parent.product)
        answer = await self._api.call("PUT", place.path, body=whole(push.listing))
        return await self._brought(push, place.under, answer, 200)

    async def _create(self, push: Push, under: int | None = None) -> Outcome:
        """Everything of the listing in one request: made anew, or put over what already has the SKU."""
        if CREATING not in push.listing:
            return Waiting(f"{push.sku} is not in the shop, and its {CREATING} facet is not known yet")
        parent = parent_of(push)
        if parent is not None and under is None:
            if parent not in push.remote_ids:
                return Waiting(f"{push.sku} is a variation of {parent}, which is not in the shop yet")
            under = Place.parse(push.remote_ids[parent]).product
        unsure = push.attempt > 1 or push.remote_id is not None
        found = await self._api.find(push.sku) if unsure else None
        if found is None:
            answer = await self._api.call("POST", collection(under), body=whole(push.listing))
            code = code_of(answer)
            if code == INVALID_PARENT and push.remote_ids.get(parent or "") == str(under):
                anew = await bring_parent(self._api, push)
                return (
                    await self._create(push, anew.product)
                    if isinstance(anew, Place)
                    else anew or self._api.refused(answer)
                )
            if code not in (DUPLICATE, TRASHED):
                return await self._joined(push, under, answer, 201)
            found = await self._api.find(push.sku, trash=code == TRASHED)
            if found is None:
                return self._api.refused(answer)
        if found.under != under and parent is not None:
            now = await bring_parent(self._api, push)  # made anew with a sister, and this one with it
            under = now.product if isinstance(now, Place) else under
        if found.under != under:
            return Rejected((Rejection(DUPLICATE, f"the SKU {push.sku} belongs to {found} in the shop", "sku"),))
        answer = await self._api.call("PUT", found.path, body=whole(push.listing))
        return await self._joined(push, under, answer, 200)

    async def _joined(self, push: Push, under: int | None, answer: Answer, expected: int) -> Outcome:
        """The outcome once a new variation can be chosen and its product is on sale: one in the trash takes it too."""
        made = _place(under, answer) if answer.status == expected else None
        if made is not None and (lost_axes(push, answer.body) or below_hidden(answer.body)):
            return await self._mend(push, made)
        return await self._brought(push, under, answer, expected)

    async def _brought(self, push: Push, under: int | None, answer: Answer, expected: int) -> Outcome:
        if answer.status != expected:
            return self._api.refused(answer)
        place = _place(under, answer)
        if place is None:
            return ChannelUnavailable(f"the shop answered {answer.status} without an id")
        refused = await self._seen(push, place, answer)
        return refused or Confirmed(covers=tuple(push.listing), remote_id=str(place))

    async def _seen(self, push: Push, place: Place, answer: Answer) -> Rejected | None:
        """Why buyers can't have what was brought. A variation that would fit every choice is put away."""
        hidden = hidden_variations(push, answer.body)
        if hidden:
            await show_variations(self._api, place.product, hidden)
        if not live(push.listing, answer.body):
            return kept_hidden(push.sku, answer)
        axes = lost_axes(push, answer.body)
        if not axes:
            return None
        await self._api.call("PUT", place.path, body={"status": "private"})
        lost = f"the shop did not keep {' and '.join(axes)} of {push.sku}: it would fit every choice, and is put away"
        return Rejected((Rejection("axis_not_kept", lost, "attributes"),))

    async def _remove(self, push: Push) -> Outcome:
        """Takes the listing off for good; with a variable product go its variations."""
        place = Place.parse(push.remote_id) if push.remote_id is not None else None
        if place is None and push.attempt > 1:
            place = await self._api.find(push.sku)
        if place is None:
            return Confirmed(covers=FACETS)
        answer = await self._api.call("DELETE", place.path, query={"force": "true"})
        if answer.status == 200 or code_of(answer) in GONE:
            return Confirmed(covers=FACETS)
        return self._api.refused(answer)

    async def _clear(self, push: Push) -> Outcome:
        if push.remote_id is None:
            return Confirmed()
        answer = await self._api.call("PUT", Place.parse(push.remote_id).path, body=changed(push))
        return Confirmed() if answer.status == 200 or code_of(answer) in GONE else self._api.refused(answer)


def _place(under: int | None, answer: Answer) -> Place | None:
    own = answer.body.get("id") if isinstance(answer.body, dict) else None
    if not isinstance(own, int):
        return None
    return Place(own) if under is None else Place(under, own)


def _readable(order: Payload) -> HeardOrder | None:
    """One order of a page; what is no order at all is left to the shop."""
    try:
        return heard(order, json.dumps(order, separators=(",", ":")).encode())
    except InvalidValue:
        return None


def _count(answer: Answer, name: str) -> int:
    text = answer.headers.get(name, "")
    return int(text) if text.isdigit() else 0


def _why(outcome: Outcome) -> str:
    match outcome:
        case ChannelUnavailable(reason=reason):
            return reason
        case Rejected(reasons=(first, *_)):
            return f"{first.code}: {first.message}"
        case _:
            return "too fast"


ORDERS_A_PAGE = 100
"""WooCommerce gives no more."""
SETTINGS = (
    Setting("url", "the shop's address"),
    Setting("consumer_key", "made in the shop under WooCommerce > Settings > Advanced > REST API"),
    Setting("consumer_secret", "made with it"),
    Setting("per_second", "how many requests the shop's host allows, where it counts them", optional=True),
    Setting(
        SWITCH, "`true`: the shop's orders are taken in, by its webhooks and by asking what changed", optional=True
    ),
    Setting(SECRETS, "of its order webhooks, letters and digits; several with spaces between them", optional=True),
)


def connector(settings: Mapping[str, str]) -> WooConnector:
    """From the values of `SETTINGS`. Raises BadConfiguration when `per_second` is no number."""
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
