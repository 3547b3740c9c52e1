"""Asks a shop which of its orders changed, and tells each in the words of its webhooks.

An order is found by the shop's search, sorted by the time of its change: one that is changed meanwhile moves behind the
page, never before it. What it holds is asked for by its id, as a page of whole orders would cost more points than one
question may. Its lines go page by page, and so do those of each fulfilment and refund.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from daybook.channel.calls import Unanswered
from daybook.channel.contract import ChannelUnavailable, Rejected, Throttled
from daybook.channel.orders import HeardOrder, NotNow, OrdersPage
from daybook_projections.shopify.graphql import Refusal, Shop, Stopped
from daybook_projections.shopify.orders import heard

ORDERS_A_PAGE = 20
LISTED_MAX = 50
"""Fulfilments and refunds of one order: the shop has no pages of them."""

_MONEY = "{ shopMoney { amount } }"
_ADDRESS = "{ firstName lastName company address1 address2 zip city provinceCode countryCodeV2 phone }"
_PAGE = "pageInfo { hasNextPage endCursor }"

CHANGED = f"""
query ($query: String!, $after: String) {{
  orders(first: {ORDERS_A_PAGE}, after: $after, query: $query, sortKey: UPDATED_AT) {{
    nodes {{ id }}
    {_PAGE}
  }}
}}"""

ORDER = f"""
query ($id: ID!, $after: String) {{
  order(id: $id) {{
    legacyResourceId createdAt processedAt updatedAt cancelledAt test currencyCode taxesIncluded
    displayFinancialStatus email phone
    totalPriceSet {_MONEY} totalOutstandingSet {_MONEY}
    shippingAddress {_ADDRESS} billingAddress {_ADDRESS}
    shippingLines(first: 10) {{ nodes {{ discountedPriceSet {_MONEY} taxLines {{ priceSet {_MONEY} }} }} }}
    fulfillments(first: {LISTED_MAX}) {{ id status trackingInfo(first: 1) {{ company number }} }}
    refunds(first: {LISTED_MAX}) {{ id totalRefundedSet {_MONEY} }}
    lineItems(first: 50, after: $after) {{
      nodes {{
        id sku quantity currentQuantity unfulfilledQuantity requiresShipping
        originalUnitPriceSet {_MONEY}
        discountAllocations {{ allocatedAmountSet {_MONEY} }}
        taxLines {{ priceSet {_MONEY} }}
      }}
      {_PAGE}
    }}
  }}
}}"""

FULFILLMENT = f"""
query ($id: ID!, $after: String) {{
  fulfillment(id: $id) {{
    fulfillmentLineItems(first: 100, after: $after) {{ nodes {{ quantity lineItem {{ id }} }} {_PAGE} }}
  }}
}}"""

REFUND = f"""
query ($id: ID!, $after: String) {{
  refund(id: $id) {{
    refundLineItems(first: 100, after: $after) {{ nodes {{ quantity restockType lineItem {{ id }} }} {_PAGE} }}
  }}
}}"""

Node = Mapping[str, Any]


class OrderQuery:
    """One shop's orders."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop

    async def changed(self, since: datetime, page: str | None) -> OrdersPage | NotNow:
        """A page of the orders that changed since then, each as a whole. `page` is the shop's own cursor."""
        moment = since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        try:
            found = await self._shop.ask(CHANGED, "orders", {"query": f"updated_at:>='{moment}'", "after": page})
            told = [one for node in found["nodes"] if (one := await self._order(node["id"])) is not None]
        except Stopped as stopped:
            return NotNow(_why(stopped.outcome), getattr(stopped.outcome, "retry_after_seconds", None))
        except Refusal as refusal:
            return NotNow(_why(refusal.rejected("orders")))
        except Unanswered as lost:
            return NotNow(_why(lost.outcome()), lost.outcome().retry_after_seconds)
        more = found["pageInfo"]["hasNextPage"]
        return OrdersPage(tuple(told), found["pageInfo"]["endCursor"] if more else None)

    async def _order(self, own: str) -> HeardOrder | None:
        """One order in the words of a webhook; None when it was deleted meanwhile."""
        pages = await self._pages(ORDER, "order", own, "lineItems")
        if not pages:
            return None
        order = pages[0]
        told = dict(_told(order))
        told["line_items"] = [_line(node) for page in pages for node in page["lineItems"]["nodes"]]
        for field in ("fulfillments", "refunds"):
            if len(order[field]) == LISTED_MAX:
                told["incomplete"] = field
        told["fulfillments"] = [await self._fulfillment(one) for one in order["fulfillments"]]
        told["refunds"] = [await self._refund(one, order) for one in order["refunds"]]
        return heard(told, json.dumps(told, separators=(",", ":")).encode())

    async def _fulfillment(self, one: Node) -> dict[str, Any]:
        tracking: Node = next(iter(one["trackingInfo"]), {})
        pages = await self._pages(FULFILLMENT, "fulfillment", one["id"], "fulfillmentLineItems")
        return {
            "id": _number(one["id"]),
            "status": str(one["status"]).lower(),
            "tracking_company": tracking.get("company"),
            "tracking_number": tracking.get("number"),
            "line_items": [
                {"id": _number(node["lineItem"]["id"]), "quantity": node["quantity"]}
                for page in pages
                for node in page["fulfillmentLineItems"]["nodes"]
            ],
        }

    async def _refund(self, one: Node, order: Node) -> dict[str, Any]:
        pages = await self._pages(REFUND, "refund", one["id"], "refundLineItems")
        money = {"amount": _money(one["totalRefundedSet"]), "currency": order["currencyCode"]}
        return {
            "id": _number(one["id"]),
            "transactions": [money | {"kind": "refund", "status": "success"}],
            "refund_line_items": [
                {
                    "line_item_id": _number(node["lineItem"]["id"]),
                    "quantity": node["quantity"],
                    "restock_type": str(node["restockType"]).lower(),
                }
                for page in pages
                for node in page["refundLineItems"]["nodes"]
            ],
        }

    async def _pages(self, document: str, name: str, own: str, connection: str) -> list[Node]:
        found: list[Node] = []
        after: str | None = None
        while True:
            answer = await self._shop.ask(document, name, {"id": own, "after": after})
            if answer is None:
                return []
            found.append(answer)
            if not answer[connection]["pageInfo"]["hasNextPage"]:
                return found
            after = answer[connection]["pageInfo"]["endCursor"]


def _told(order: Node) -> Iterator[tuple[str, Any]]:
    yield "id", int(order["legacyResourceId"])
    for ours, theirs in (
        *(("created_at", "createdAt"), ("processed_at", "processedAt"), ("updated_at", "updatedAt")),
        *(("cancelled_at", "cancelledAt"), ("test", "test"), ("currency", "currencyCode")),
        *(("taxes_included", "taxesIncluded"), ("email", "email"), ("phone", "phone")),
    ):
        yield ours, order[theirs]
    yield "financial_status", str(order["displayFinancialStatus"] or "").lower()
    yield "total_price", _money(order["totalPriceSet"])
    yield "total_outstanding", _money(order["totalOutstandingSet"])
    yield "shipping_address", _address(order["shippingAddress"])
    yield "billing_address", _address(order["billingAddress"])
    yield (
        "shipping_lines",
        [
            {"discounted_price": _money(one["discountedPriceSet"]), "tax_lines": _taxes(one)}
            for one in order["shippingLines"]["nodes"]
        ],
    )


def _line(node: Node) -> dict[str, Any]:
    return {
        "id": _number(node["id"]),
        "sku": node["sku"],
        "quantity": node["quantity"],
        "current_quantity": node["currentQuantity"],
        "fulfillable_quantity": node["unfulfilledQuantity"],
        "requires_shipping": node["requiresShipping"],
        "price": _money(node["originalUnitPriceSet"]),
        "discount_allocations": [{"amount": _money(one["allocatedAmountSet"])} for one in node["discountAllocations"]],
        "tax_lines": _taxes(node),
    }


def _taxes(node: Node) -> list[dict[str, str]]:
    return [{"price": _money(one["priceSet"])} for one in node["taxLines"]]


def _address(found: Node | None) -> dict[str, Any] | None:
    if found is None:
        return None
    names = {"firstName": "first_name", "lastName": "last_name", "provinceCode": "province_code"}
    return {names.get(name, name): value for name, value in found.items() if name != "countryCodeV2"} | {
        "country_code": found["countryCodeV2"]
    }


def _money(bag: Node) -> str:
    return str(bag["shopMoney"]["amount"])


def _number(gid: str) -> int:
    return int(gid.rpartition("/")[2].partition("?")[0])


def _why(outcome: object) -> str:
    match outcome:
        case ChannelUnavailable(reason=reason):
            return f"{reason}. To see orders, the app needs the scope read_orders" if "scopes" in reason else reason
        case Rejected(reasons=(first, *_)):
            return f"{first.code}: {first.message}"
        case Throttled():
            return "too fast"
        case _:
            return "no answer"
