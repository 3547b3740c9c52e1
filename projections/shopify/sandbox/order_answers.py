"""What the shop gives back of its orders over GraphQL, as values of the schema's types."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from daybook.channel.contract import Payload
from daybook_projections.shopify.sandbox.execution import GraphError
from daybook_projections.shopify.sandbox.orders import ShopOrders

PAGE_MAX = 250


def order_queries(orders: ShopOrders) -> dict[str, Callable[[Payload], Any]]:
    """The fields of a query that are about orders."""

    def of_kind(field: str, answer: Callable[[Payload, Payload], Payload]) -> Callable[[Payload], Any]:
        def find(given: Payload) -> Payload | None:
            for order in orders.records.values():
                for one in order[field]:
                    if one["id"] == _number(given["id"]):
                        return answer(order, one)
            return None

        return find

    def order(given: Payload) -> Payload | None:
        found = orders.records.get(_number(given["id"]))
        return order_answer(found) if found is not None else None

    return {
        "order": order,
        "orders": lambda given: _searched(orders, given),
        "fulfillment": of_kind("fulfillments", fulfillment_answer),
        "refund": of_kind("refunds", refund_answer),
    }


def order_answer(order: Payload) -> Payload:
    """A value of type Order."""
    shipping = [
        {"title": one.get("title", ""), "discountedPriceSet": _money(one["price"], order), "taxLines": []}
        for one in order["shipping_lines"]
    ]
    return {
        "id": f"gid://shopify/Order/{order['id']}",
        "legacyResourceId": str(order["id"]),
        "name": order["name"],
        "createdAt": _utc(order["created_at"]),
        "processedAt": _utc(order["processed_at"]),
        "updatedAt": _utc(order["updated_at"]),
        "cancelledAt": _utc(order["cancelled_at"]),
        "closedAt": _utc(order["closed_at"]),
        "test": order["test"],
        "currencyCode": order["currency"],
        "taxesIncluded": order["taxes_included"],
        "displayFinancialStatus": order["financial_status"].upper(),
        "email": order["email"],
        "phone": order["phone"],
        "totalPriceSet": _money(order["total_price"], order),
        "totalOutstandingSet": _money(order["total_outstanding"], order),
        "shippingAddress": _address(order["shipping_address"]),
        "billingAddress": _address(order["billing_address"]),
        "shippingLines": _connection(shipping),
        "fulfillments": lambda _, first=None: [fulfillment_answer(order, one) for one in order["fulfillments"][:first]],
        "refunds": lambda _, first=None: [refund_answer(order, one) for one in order["refunds"][:first]],
        "lineItems": _connection([_line(one, order) for one in order["line_items"]]),
    }


def fulfillment_answer(order: Payload, one: Payload) -> Payload:
    """A value of type Fulfillment."""
    tracking = {"company": one["tracking_company"], "number": one["tracking_number"], "url": None}
    lines = {line["id"]: line for line in order["line_items"]}
    items = [
        {
            "id": f"gid://shopify/FulfillmentLineItem/{each['id']}",
            "quantity": each["quantity"],
            "lineItem": _line(lines[each["id"]], order),
        }
        for each in one["line_items"]
    ]
    return {
        "id": f"gid://shopify/Fulfillment/{one['id']}",
        "legacyResourceId": str(one["id"]),
        "name": one["name"],
        "status": one["status"].upper(),
        "trackingInfo": lambda _, first=None: [tracking] if tracking["number"] or tracking["company"] else [],
        "fulfillmentLineItems": _connection(items),
    }


def refund_answer(order: Payload, one: Payload) -> Payload:
    """A value of type Refund."""
    lines = {line["id"]: line for line in order["line_items"]}
    items = [
        {
            "lineItem": _line(lines[each["line_item_id"]], order),
            "quantity": each["quantity"],
            "restockType": each["restock_type"].upper(),
        }
        for each in one["refund_line_items"]
    ]
    return {
        "id": f"gid://shopify/Refund/{one['id']}",
        "legacyResourceId": str(one["id"]),
        "totalRefundedSet": _money(one["transactions"][0]["amount"], order),
        "refundLineItems": _connection(items),
    }


def _line(one: Payload, order: Payload) -> Payload:
    taxes = [{"title": each.get("title", ""), "priceSet": _money(each["price"], order)} for each in one["tax_lines"]]
    off = [{"allocatedAmountSet": _money(each["amount"], order)} for each in one["discount_allocations"]]
    return {
        "id": f"gid://shopify/LineItem/{one['id']}",
        "sku": one["sku"],
        "title": one["title"],
        "quantity": one["quantity"],
        "currentQuantity": one["current_quantity"],
        "unfulfilledQuantity": one["fulfillable_quantity"],
        "requiresShipping": one["requires_shipping"],
        "originalUnitPriceSet": _money(one["price"], order),
        "discountAllocations": off,
        "taxLines": lambda _, first=None: taxes[:first],
    }


def _searched(orders: ShopOrders, given: Payload) -> Payload:
    """The orders of a search. Only `updated_at:>=` is known here; what is not understood finds everything."""
    found = sorted(orders.records.values(), key=lambda one: (_utc(one["updated_at"]), one["id"]))
    asked = re.search(r"updated_at:>='([^']+)'", given.get("query") or "")
    if asked:
        found = [one for one in found if _utc(one["updated_at"]) >= _utc(asked[1])]
    if given.get("sortKey") != "UPDATED_AT":
        found.sort(key=lambda one: one["processed_at"])
    if given.get("after"):  # a cursor is the last one's place in the order, not a number of rows
        found = [one for one in found if _cursor(one) > given["after"]]
    first = _first(given.get("first"))
    page = found[:first]
    info = {"hasNextPage": len(found) > first, "endCursor": _cursor(page[-1]) if page else None}
    return {"nodes": [order_answer(one) for one in page], "pageInfo": info}


def _cursor(order: Payload) -> str:
    return f"{_utc(order['updated_at'])}|{order['id']}"


def _connection(nodes: list[Payload]) -> Callable[..., Payload]:
    def page(_: Any, first: int | None = None, after: str | None = None) -> Payload:
        size, start = _first(first), int(after or 0)
        more = start + size < len(nodes)
        return {
            "nodes": nodes[start : start + size],
            "pageInfo": {"hasNextPage": more, "endCursor": str(start + size) if nodes else None},
        }

    return page


def _first(first: int | None) -> int:
    if first is None or first > PAGE_MAX:
        raise GraphError("BAD_REQUEST", f"you must provide first, at most {PAGE_MAX}")
    return first


def _money(amount: str, order: Payload) -> Payload:
    """Amounts lose the zeros at their end, as the scalar Decimal does."""
    text = f"{float(amount):.2f}"
    money = {"amount": text[:-1] if text.endswith("0") else text, "currencyCode": order["currency"]}
    return {"shopMoney": money, "presentmentMoney": money}


def _address(found: Payload | None) -> Payload | None:
    if found is None:
        return None
    names = {"first_name": "firstName", "last_name": "lastName", "province_code": "provinceCode"}
    return {names.get(name, name): value for name, value in found.items()} | {"countryCodeV2": found["country_code"]}


def _utc(moment: str | None) -> str:
    """GraphQL tells times in UTC, other than the webhooks."""
    if moment is None:
        return None  # type: ignore[return-value]
    return datetime.fromisoformat(moment).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _number(gid: str) -> int:
    tail = gid.rpartition("/")[2]
    return int(tail) if tail.isdigit() else 0
