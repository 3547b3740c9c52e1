"""The shop's orders: placed by buyers, changed by the shop's people, and what they do to its stock.

From `WC_Order`, `wc-stock-functions.php` and the REST controller of orders (Version3). Stock goes down with `on-hold`,
`processing` and `completed`, and up again with `cancelled` and `pending`; each line remembers what it took.
"""

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from daybook.channel.contract import Payload
from daybook_projections.webshop.sandbox.answers import WooError
from daybook_projections.webshop.sandbox.shop import Shop

STATUSES = ("pending", "processing", "on-hold", "completed", "cancelled", "refunded", "failed", "trash")
LOWERS, RAISES = frozenset({"on-hold", "processing", "completed"}), frozenset({"cancelled", "pending"})
BILLING: Payload = {
    "first_name": "Grace",
    "last_name": "Hopper",
    "company": "",
    "address_1": "Keizersgracht 1",
    "address_2": "",
    "city": "Amsterdam",
    "state": "NH",
    "postcode": "1015 CJ",
    "country": "NL",
    "email": "grace@example.com",
    "phone": "+31 20 555 0100",
}

Happened = Callable[[str, int], None]
"""happened(topic, order): a webhook's event."""


class ShopOrders:
    """Orders by id. `happened` is told of each change, as the webhooks are."""

    def __init__(self, shop: Shop, currency: str, happened: Happened) -> None:
        self._shop = shop
        self._currency = currency
        self._happened = happened
        self._records: dict[int, Payload] = {}
        self._last_id = 1000
        self.plugin_statuses: tuple[str, ...] = ()
        """That plugins added with `register_post_status`; the shop's stock knows nothing of them."""
        self.clock: Callable[[], float] = time.time
        """The shop's own."""

    def place(self, body: Mapping[str, Any]) -> Payload:
        """Makes an order. A line is named by its product, its variation or its SKU."""
        self._last_id += 1
        status = str(body.get("status") or "pending")
        if status not in (*STATUSES, *self.plugin_statuses):
            raise WooError("rest_invalid_param", "Invalid parameter(s): status", 400)
        lines = [self._line(one) for one in body.get("line_items", ())]
        billing = BILLING | dict(body.get("billing", {}))
        order: Payload = {
            "id": self._last_id,
            "parent_id": 0,
            "number": f"W-{self._last_id}",
            "order_key": f"wc_order_{self._last_id}",
            "status": "pending",
            "currency": str(body.get("currency") or self._currency),
            "date_created_gmt": self._now(),
            "date_paid_gmt": None,
            "date_completed_gmt": None,
            "prices_include_tax": False,
            "customer_id": 0,
            "customer_note": "",
            "billing": billing,
            "shipping": {part: value for part, value in billing.items() if part not in ("email", "phone")}
            | dict(body.get("shipping", {})),
            "payment_method": "bacs",
            "line_items": lines,
            "shipping_lines": [dict(one) for one in body.get("shipping_lines", ())],
            "fee_lines": [dict(one) for one in body.get("fee_lines", ())],
            "coupon_lines": [],
            "refunds": [],
        }
        self._records[order["id"]] = order
        self._summed(order)
        paid = bool(body.get("set_paid"))
        self._status(order, "processing" if paid and status == "pending" else status, paid=paid)
        self._touched(order, "order.created")
        return self.view(order["id"])

    def change(self, own: int, body: Mapping[str, Any]) -> Payload:
        """Changes the status, or the pieces of lines: those with 0 pieces go."""
        order = self._at(own)
        for given in body.get("line_items", ()):
            found = next((one for one in order["line_items"] if one["id"] == given.get("id")), None)
            if found is None:
                order["line_items"].append(self._line(given))
            elif given.get("quantity") == 0:
                order["line_items"].remove(found)
            else:
                self._requantified(found, int(given["quantity"]))
        self._summed(order)
        if "status" in body or body.get("set_paid"):
            paid = bool(body.get("set_paid"))
            self._status(order, str(body.get("status") or "processing"), paid=paid)
        self._touched(order, "order.updated")
        return self.view(own)

    def refund(self, own: int, amount: str, reason: str = "") -> Payload:
        """Gives money back. The shop has no event of its own for it; all of it back ends the order."""
        order = self._at(own)
        self._last_id += 1
        order["refunds"].append({"id": self._last_id, "reason": reason, "total": f"-{Decimal(amount):.2f}"})
        if sum(-Decimal(one["total"]) for one in order["refunds"]) >= Decimal(order["total"]):
            order["status"] = "refunded"
        self._touched(order, "order.updated")
        return self.view(own)

    def trash(self, own: int) -> None:
        """Puts the order into the trash, which moves no stock."""
        order = self._at(own)
        order["status"] = "trash"
        self._touched(order, "order.deleted")

    def view(self, own: int) -> Payload:
        """Gives the order as the API and the webhooks do."""
        order = self._at(own)
        lines = [
            {part: value for part, value in one.items() if not part.startswith("_")} for one in order["line_items"]
        ]
        return {**order, "line_items": lines}

    def changed_after(self, moment: str | None) -> list[Payload]:
        """Gives what was changed after a moment, by id; without the trash."""
        found = [one for one in self._records.values() if moment is None or one["date_modified_gmt"] > moment]
        return [self.view(one["id"]) for one in sorted(found, key=lambda one: one["id"]) if one["status"] != "trash"]

    def _line(self, given: Mapping[str, Any]) -> Payload:
        record = self._record(given)
        self._last_id += 1
        view = self._shop.view(record)
        line: Payload = {
            "id": self._last_id,
            "name": self._shop.title(record),
            "product_id": record["parent_id"] or record["id"],
            "variation_id": record["id"] if record["parent_id"] else 0,
            "sku": record["sku"],
            "tax_class": "",
            "price": view["price"] or "0",
            "_price": str(given.get("price") or view["price"] or "0"),
            "_off": str(given.get("discount") or "0"),
            "_tax": str(given.get("tax") or "0"),
            "_record": record["id"],
            "_reduced_stock": 0,
        }
        self._requantified(line, int(given.get("quantity", 1)))
        return line

    def _requantified(self, line: Payload, quantity: int) -> None:
        subtotal = Decimal(line["_price"]) * quantity
        line |= {
            "quantity": quantity,
            "subtotal": f"{subtotal:.2f}",
            "subtotal_tax": line["_tax"],
            "total": f"{subtotal - Decimal(line['_off']):.2f}",
            "total_tax": line["_tax"],
        }

    def _record(self, given: Mapping[str, Any]) -> Payload:
        wanted = given.get("variation_id") or given.get("product_id")
        for record in self._shop.records.values():
            named = record["id"] == wanted if wanted else record["sku"] == given.get("sku")
            if named and record["status"] != "trash":
                return record
        raise WooError("woocommerce_rest_required_product_reference", "Product ID or SKU is required.", 400)

    def _summed(self, order: Payload) -> None:
        parts = [*order["line_items"], *order["shipping_lines"], *order["fee_lines"]]
        net = sum((Decimal(str(one.get("total") or "0")) for one in parts), Decimal(0))
        tax = sum((Decimal(str(one.get("total_tax") or "0")) for one in parts), Decimal(0))
        sent = sum((Decimal(str(one.get("total") or "0")) for one in order["shipping_lines"]), Decimal(0))
        order |= {"total": f"{net + tax:.2f}", "total_tax": f"{tax:.2f}", "shipping_total": f"{sent:.2f}"}

    def _status(self, order: Payload, status: str, *, paid: bool) -> None:
        if status not in (*STATUSES, *self.plugin_statuses):
            raise WooError("rest_invalid_param", "Invalid parameter(s): status", 400)
        order["status"] = status
        if paid or status in ("processing", "completed"):
            order["date_paid_gmt"] = order["date_paid_gmt"] or self._now()
        if status == "completed":
            order["date_completed_gmt"] = self._now()
        for line in order["line_items"]:
            if status in LOWERS and not line["_reduced_stock"]:
                self._move(line, -line["quantity"])
            elif status in RAISES and line["_reduced_stock"]:
                self._move(line, line["_reduced_stock"])

    def _move(self, line: Payload, pieces: int) -> None:
        """Moves stock where the shop keeps count of it. It goes below zero when more is sold than there is."""
        record = self._shop.records.get(line["_record"])
        line["_reduced_stock"] = max(0, -pieces)
        if record is not None and record["manage_stock"]:
            self._shop.records[record["id"]] = record | {"stock_quantity": (record["stock_quantity"] or 0) + pieces}

    def _touched(self, order: Payload, topic: str) -> None:
        order["date_modified_gmt"] = self._now()
        self._happened(topic, order["id"])

    def _now(self) -> str:
        return datetime.fromtimestamp(self.clock(), UTC).strftime("%Y-%m-%dT%H:%M:%S")

    def _at(self, own: int) -> Payload:
        if own not in self._records:
            raise WooError("woocommerce_rest_shop_order_invalid_id", "Invalid ID.", 404)
        return self._records[own]
