"""The shop's orders, as its REST resource has them: made by buyers, changed by the shop's people.

An order moves its pieces from `available` to `committed` at once, paid or not; a fulfilment takes them out of
`committed`. A refund puts pieces back as its `restock_type` says: `cancel` those that never left, `return` those that
came back, `no_restock` none. Each change is told as the order is at that moment.
"""

import itertools
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

from daybook.channel.contract import Payload
from daybook_projections.shopify.sandbox.shop import Shop

ADDRESS: Payload = {
    "first_name": "Grace",
    "last_name": "Hopper",
    "company": None,
    "address1": "Keizersgracht 1",
    "address2": "",
    "city": "Amsterdam",
    "zip": "1015 CJ",
    "province_code": None,
    "country_code": "NL",
    "phone": "+31 20 555 0100",
}
ZONE = timezone(timedelta(hours=1))
"""Of the shop: its times are written in it."""
FIRST_ID = 5_726_128_734_520

Happened = Callable[[str, Payload], None]
"""happened(topic, order): a webhook's event, with what the order is then."""


class ShopOrders:
    """Orders by id."""

    def __init__(self, shop: Shop, currency: str, happened: Happened) -> None:
        self._shop = shop
        self._currency = currency
        self._happened = happened
        self.records: dict[int, Payload] = {}
        self.committed: dict[str, int] = {}
        """Inventory item -> pieces that were ordered and not sent yet."""
        self.clock: Callable[[], float] = time.time
        self._ids = itertools.count(FIRST_ID)

    def place(self, *items: tuple[str, int], **fields: Any) -> Payload:
        """A buyer orders (SKU, pieces), at the shop's prices."""
        own = next(self._ids)
        order: Payload = {
            "id": own,
            "admin_graphql_api_id": f"gid://shopify/Order/{own}",
            "name": f"#{1001 + len(self.records)}",
            "order_number": 1001 + len(self.records),
            "created_at": self._now(),
            "processed_at": self._now(),
            "cancelled_at": None,
            "cancel_reason": None,
            "closed_at": None,
            "test": False,
            "source_name": "web",
            "currency": self._currency,
            "presentment_currency": self._currency,
            "taxes_included": True,
            "financial_status": "paid",
            "fulfillment_status": None,
            "email": "grace@example.com",
            "phone": None,
            "shipping_address": dict(ADDRESS),
            "billing_address": dict(ADDRESS),
            "line_items": [self._line(sku, pieces) for sku, pieces in items],
            "shipping_lines": [],
            "refunds": [],
            "fulfillments": [],
        } | fields
        self.records[own] = order
        for line in order["line_items"]:
            self._commit(line, line["quantity"])
        self._total(order)
        self._touched(order, "orders/create")
        return order

    def pay(self, own: int) -> None:
        """The money came in, later than the order."""
        order = self.records[own]
        order["financial_status"] = "paid"
        self._total(order)
        self._touched(order, "orders/updated", "orders/paid")

    def cancel(self, own: int, reason: str = "customer", *, refund: bool = True) -> None:
        """Cancels what was not sent, and pays it back."""
        order = self.records[own]
        pieces = {line["id"]: line["fulfillable_quantity"] for line in order["line_items"]}
        order |= {"cancelled_at": self._now(), "cancel_reason": reason}
        self._paid_back(order, pieces, "cancel", order["total_price"] if refund else "0.00")
        order["financial_status"] = "refunded" if refund else "voided"
        self._touched(order, "orders/updated", "orders/cancelled")

    def refund(self, own: int, amount: str, pieces: Mapping[int, int] | None = None, restock: str = "cancel") -> None:
        """Pays back an amount, and with it pieces of lines."""
        order = self.records[own]
        self._paid_back(order, pieces or {}, restock, amount)
        back = sum((Decimal(each["transactions"][0]["amount"]) for each in order["refunds"]), Decimal(0))
        order["financial_status"] = "refunded" if back >= Decimal(order["total_price"]) else "partially_refunded"
        self._touched(order, "orders/updated")

    def fulfil(
        self, own: int, pieces: Mapping[int, int] | None = None, company: str | None = None, number: str | None = None
    ) -> int:
        """Sends pieces, or all that are open; the fulfilment's id."""
        order = self.records[own]
        chosen = pieces or {line["id"]: line["fulfillable_quantity"] for line in order["line_items"]}
        items = []
        for line in order["line_items"]:
            count = chosen.get(line["id"], 0)
            if count:
                line["fulfillable_quantity"] -= count
                self.committed[line["_item"]] -= count
                items.append({"id": line["id"], "quantity": count})
        made = next(self._ids)
        order["fulfillments"].append(
            {
                "id": made,
                "name": f"{order['name']}.{len(order['fulfillments']) + 1}",
                "status": "success",
                "tracking_company": company,
                "tracking_number": number,
                "line_items": items,
            }
        )
        left = sum(line["fulfillable_quantity"] for line in order["line_items"])
        order["fulfillment_status"] = "partial" if left else "fulfilled"
        self._touched(order, "orders/updated", "orders/partially_fulfilled" if left else "orders/fulfilled")
        return made

    def edit(self, own: int, pieces: Mapping[int, int] | None = None, add: tuple[tuple[str, int], ...] = ()) -> None:
        """Edits the order: `pieces` of a line that stay, and what is added. `quantity` says what was ordered."""
        order = self.records[own]
        for line in order["line_items"]:
            gone = line["current_quantity"] - (pieces or {}).get(line["id"], line["current_quantity"])
            line["current_quantity"] -= gone
            line["fulfillable_quantity"] -= gone
            self._commit(line, -gone)
        for sku, count in add:
            order["line_items"].append(self._line(sku, count))
            self._commit(order["line_items"][-1], count)
        self._touched(order, "orders/updated")

    def delete(self, own: int) -> None:
        """Deletes an order: only its id is told."""
        del self.records[own]
        self._happened("orders/delete", {"id": own})

    def _line(self, sku: str, pieces: int) -> Payload:
        variant = self._shop.variant(sku)
        return {
            "id": next(self._ids),
            "variant_id": int(variant["id"].rpartition("/")[2]),
            "sku": sku,
            "title": sku,
            "quantity": pieces,
            "current_quantity": pieces,
            "fulfillable_quantity": pieces,
            "fulfillment_status": None,
            "price": variant["price"],
            "total_discount": "0.00",
            "discount_allocations": [],
            "requires_shipping": True,
            "gift_card": False,
            "tax_lines": [],
            "_item": variant["inventoryItem"]["id"],
        }

    def _commit(self, line: Payload, pieces: int) -> None:
        item = line["_item"]
        self.committed[item] = self.committed.get(item, 0) + pieces
        if item in self._shop.levels:
            self._shop.levels[item] -= pieces

    def _paid_back(self, order: Payload, pieces: Mapping[int, int], restock: str, amount: str) -> None:
        lines = {line["id"]: line for line in order["line_items"]}
        items = []
        for own, count in pieces.items():
            if not count:
                continue
            line = lines[own]
            line["current_quantity"] -= count
            subtotal = f"{Decimal(line['price']) * count:.2f}"
            items.append({"line_item_id": own, "quantity": count, "restock_type": restock, "subtotal": subtotal})
            if restock == "cancel":
                line["fulfillable_quantity"] -= count
                self._commit(line, -count)
            elif restock == "return" and line["_item"] in self._shop.levels:
                self._shop.levels[line["_item"]] += count
            elif restock == "no_restock":
                unsent = min(count, line["fulfillable_quantity"])
                line["fulfillable_quantity"] -= unsent
                self.committed[line["_item"]] -= unsent
        money = {"kind": "refund", "status": "success", "amount": amount, "currency": order["currency"]}
        order["refunds"].append(
            {"id": next(self._ids), "order_id": order["id"], "refund_line_items": items, "transactions": [money]}
        )

    def _total(self, order: Payload) -> None:
        cost = sum((Decimal(str(one["price"])) for one in order["shipping_lines"]), Decimal(0))
        for line in order["line_items"]:
            off = sum((Decimal(each["amount"]) for each in line["discount_allocations"]), Decimal(0))
            cost += Decimal(line["price"]) * line["quantity"] - off
        order["total_price"] = f"{cost:.2f}"
        order["total_outstanding"] = "0.00" if order["financial_status"] == "paid" else f"{cost:.2f}"

    def _touched(self, order: Payload, *topics: str) -> None:
        order["updated_at"] = self._now()
        for topic in topics:
            self._happened(topic, view(order))

    def _now(self) -> str:
        return datetime.fromtimestamp(self.clock(), ZONE).isoformat(timespec="seconds")


def view(order: Payload) -> Payload:
    """The order as the shop gives it, of now: a copy that later changes don't reach."""
    lines = [{name: value for name, value in one.items() if name != "_item"} for one in order["line_items"]]
    kept = {name: [dict(one) for one in order[name]] for name in ("refunds", "fulfillments", "shipping_lines")}
    return {**order, **kept, "line_items": lines}
