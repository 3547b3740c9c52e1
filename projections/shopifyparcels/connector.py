"""Tells a Shopify shop of parcels: a fulfilment for each, through the Admin GraphQL API 2026-07.

`fulfillmentCreate` has no idempotency key, and mails the customer. So what the shop has is read on every try, also on
the first (a restored book counts its tries anew), and only what it lacks is sent; see `matching`.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from daybook.channel.calls import Unanswered
from daybook.channel.contract import ChannelUnavailable, Confirmed, Outcome, Payload, Push, Rejected, Setting
from daybook.events import Rejection
from daybook_projections.shopifyparcels.api import Ended, FulfillmentApi
from daybook_projections.shopifyparcels.listing import NAME
from daybook_projections.shopifyparcels.matching import Fulfilled, OpenLine, Parcel, compare, take

FULFILLED_MAX = 50
TOOK_NOTHING = frozenset({"CANCELLED", "ERROR", "FAILURE"})
MAY_BE_SENT = frozenset({"OPEN", "IN_PROGRESS"})
_PAGE = "pageInfo { hasNextPage endCursor }"

ORDER = f"""
query ($id: ID!) {{
  order(id: $id) {{
    id
    fulfillments(first: {FULFILLED_MAX}) {{ id status trackingInfo(first: 10) {{ number }} }}
    fulfillmentOrders(first: {FULFILLED_MAX}) {{ nodes {{ id status assignedLocation {{ location {{ id }} }} }} }}
  }}
}}"""

FULFILLED_LINES = f"""
query ($id: ID!, $after: String) {{
  fulfillment(id: $id) {{
    fulfillmentLineItems(first: 100, after: $after) {{ nodes {{ quantity lineItem {{ id }} }} {_PAGE} }}
  }}
}}"""

OPEN_LINES = f"""
query ($id: ID!, $after: String) {{
  fulfillmentOrder(id: $id) {{
    lineItems(first: 100, after: $after) {{ nodes {{ id remainingQuantity lineItem {{ id }} }} {_PAGE} }}
  }}
}}"""

CREATE = """
mutation ($fulfillment: FulfillmentInput!) {
  fulfillmentCreate(fulfillment: $fulfillment) { fulfillment { id } userErrors { field message } }
}"""

TRACK = """
mutation ($fulfillmentId: ID!, $trackingInfoInput: FulfillmentTrackingInput!, $notifyCustomer: Boolean) {
  fulfillmentTrackingInfoUpdate(
    fulfillmentId: $fulfillmentId, trackingInfoInput: $trackingInfoInput, notifyCustomer: $notifyCustomer
  ) { fulfillment { id } userErrors { field message } }
}"""


class ShopifyParcelsConnector:
    """One shop."""

    def __init__(self, settings: Mapping[str, str]) -> None:
        self._api = FulfillmentApi(settings)
        self.pace = self._api.pace

    async def push(self, push: Push) -> Outcome:
        """Brings the fulfilments of one order. What was told stays told."""
        if push.payload is None:
            return Confirmed()
        try:
            return await self._bring(push.payload)
        except Ended as ended:
            return ended.outcome
        except Unanswered as lost:
            return lost.outcome()

    async def confirm(self, push: Push, submission: str) -> Outcome:
        """Never called: an answer is the end of it."""
        return ChannelUnavailable(f"{NAME} gives no submissions, yet {submission} is asked for")

    async def close(self) -> None:
        """Closes the connection pool."""
        await self._api.close()

    async def _bring(self, payload: Payload) -> Outcome:
        number, notify = str(payload["number"]), bool(payload["notify"])
        order = await self._api.ask(ORDER, "order", id=f"gid://shopify/Order/{number}")
        if order is None:
            return Rejected((Rejection("order_not_found", f"the shop has no order {number} any more"),))
        if len(order["fulfillments"]) == FULFILLED_MAX:
            message = f"order {number} has {FULFILLED_MAX} fulfilments or more: fulfil the rest in the shop by hand"
            return Rejected((Rejection("too_many_fulfilments", message),))
        parcels = [msgspec.convert(one, Parcel) for one in payload["parcels"]]
        found = compare(parcels, [await self._fulfilled(one) for one in order["fulfillments"]])
        for own, parcel in found.untracked:
            await self._api.ask(
                TRACK,
                "fulfillmentTrackingInfoUpdate",
                fulfillmentId=own,
                trackingInfoInput=parcel.tracking_info,
                notifyCustomer=notify,
            )
        if not found.missing:
            return Confirmed()
        orders = order["fulfillmentOrders"]["nodes"]
        lines = [line for one in orders if one["status"] in MAY_BE_SENT for line in await self._open(one)]
        for parcel, needed in found.missing:
            chosen, lacking = take(needed, lines)
            if lacking:
                return Rejected((_lacking(parcel, lacking, orders),))
            for group in chosen:
                await self._create(group, parcel, notify)
            lines = _without(lines, chosen)
        return Confirmed()

    async def _create(self, group: Sequence[Payload], parcel: Parcel, notify: bool) -> None:
        wanted: dict[str, Any] = {"lineItemsByFulfillmentOrder": group, "notifyCustomer": notify}
        if parcel.tracking_info:
            wanted["trackingInfo"] = parcel.tracking_info
        await self._api.ask(CREATE, "fulfillmentCreate", fulfillment=wanted)

    async def _fulfilled(self, one: Payload) -> Fulfilled:
        numbers = frozenset(str(each["number"]) for each in one["trackingInfo"] if each["number"])
        lines: Counter[str] = Counter()
        if one["status"] not in TOOK_NOTHING:
            for node in await self._api.pages(FULFILLED_LINES, "fulfillment", "fulfillmentLineItems", one["id"]):
                lines[_number(node["lineItem"]["id"])] += node["quantity"] or 0
        return Fulfilled(one["id"] if lines else "", numbers if lines else frozenset(), lines)

    async def _open(self, one: Payload) -> list[OpenLine]:
        location = str((one["assignedLocation"]["location"] or {}).get("id"))
        nodes = await self._api.pages(OPEN_LINES, "fulfillmentOrder", "lineItems", one["id"])
        return [
            OpenLine(one["id"], location, node["id"], _number(node["lineItem"]["id"]), node["remainingQuantity"])
            for node in nodes
        ]


def _without(lines: Sequence[OpenLine], chosen: Sequence[Sequence[Payload]]) -> list[OpenLine]:
    sent = {
        each["id"]: each["quantity"]
        for group in chosen
        for order in group
        for each in order["fulfillmentOrderLineItems"]
    }
    return [msgspec.structs.replace(one, pieces=one.pieces - sent.get(one.id, 0)) for one in lines]


def _lacking(parcel: Parcel, lacking: Counter[str], orders: Sequence[Payload]) -> Rejection:
    said = ", ".join(f"{pieces} of line {line}" for line, pieces in sorted(lacking.items()))
    other = sorted({str(one["status"]) for one in orders} - MAY_BE_SENT - {"CLOSED", "CANCELLED"})
    why = (
        f"; others are {' and '.join(other)} there: release them, then `daybook channel retry {NAME}`" if other else ""
    )
    return Rejection(
        "nothing_to_fulfil", f"parcel {parcel.parcel} has {said} that the shop has not to send{why}", "lines"
    )


def _number(gid: str) -> str:
    return gid.rpartition("/")[2]


SETTINGS = (
    Setting("url", "the shop's own address: https://<shop>.myshopify.com"),
    Setting("client_id", "of the app", unless="access_token"),
    Setting("client_secret", "of the app", unless="access_token"),
    Setting("access_token", "of an app that was made in the shop's admin before 2026", optional=True),
)


def connector(settings: Mapping[str, str]) -> ShopifyParcelsConnector:
    """From the values of `SETTINGS`."""
    return ShopifyParcelsConnector(settings)
