"""The shop's webhooks: made with a ping, signed over the raw body, and delivered when the shop comes to it.

From `class-wc-webhook.php`. A delivery that is due is not sent by itself: `deliver` sends it, so that a test says what
comes late, twice or in another order. The body is written then. What fails is not sent again; the seventh failure in a
row switches the webhook off.
"""

import hashlib
import hmac
import json
import time
from base64 import b64encode
from collections.abc import Callable, Mapping
from typing import Any

import aiohttp
import msgspec

from daybook.channel.contract import Payload

FAILURES_MAX = 5
SOURCE = "https://shop.example/"


class DueDelivery(msgspec.Struct, frozen=True):
    """A delivery that the shop has not sent yet. Two of one webhook and one order are merged."""

    webhook: int
    topic: str
    order: int


class ShopWebhooks:
    """Webhooks by id. `read` gives an order as it is now."""

    def __init__(self, read: Callable[[int], Payload]) -> None:
        self._read = read
        self.records: dict[int, Payload] = {}
        self.due: list[DueDelivery] = []

    def make(self, topic: str, url: str, secret: str) -> int:
        """Makes a webhook. It stays pending until `ping` was answered."""
        own = len(self.records) + 1
        self.records[own] = {
            "id": own,
            "status": "pending",
            "topic": topic,
            "delivery_url": url,
            "secret": secret,
            "failures": 0,
        }
        return own

    async def ping(self, own: int) -> int:
        """Says that the webhook is there, as a form and without a signature."""
        record = self.records[own]
        status, _ = await _post(record["delivery_url"], f"webhook_id={own}".encode(), {}, form=True)
        if status == 200:
            record["status"] = "active"
        return status

    def happened(self, topic: str, order: int) -> None:
        """Notes a delivery for each webhook of the topic."""
        for own, record in self.records.items():
            due = DueDelivery(own, topic, order)
            if record["topic"] == topic and record["status"] == "active" and due not in self.due:
                self.due.append(due)

    def body(self, due: DueDelivery) -> bytes:
        """Writes the body, as the order is now."""
        found: Payload = {"id": due.order} if due.topic == "order.deleted" else self._read(due.order)
        return json.dumps(found, separators=(",", ":")).encode()

    async def deliver(
        self, due: DueDelivery, body: bytes | None = None, *, secret: str | None = None
    ) -> tuple[int, Payload]:
        """Sends one; gives the status and what was answered. `body` and `secret`: others than the shop's own now."""
        record = self.records[due.webhook]
        if due in self.due:
            self.due.remove(due)
        sent = self.body(due) if body is None else body
        status, answer = await _post(record["delivery_url"], sent, self._headers(record, due.topic, sent, secret))
        if 200 <= status <= 302:
            record["failures"] = 0
        else:
            record["failures"] += 1
            if record["failures"] > FAILURES_MAX + 1:
                record["status"] = "disabled"
        return status, answer

    async def deliver_all(self) -> list[int]:
        """Sends what is due, in order."""
        return [(await self.deliver(one))[0] for one in list(self.due)]

    def _headers(self, record: Payload, topic: str, body: bytes, secret: str | None) -> dict[str, str]:
        key = (record["secret"] if secret is None else secret).encode()
        resource, _, event = topic.partition(".")
        return {
            "X-WC-Webhook-Source": SOURCE,
            "X-WC-Webhook-Topic": topic,
            "X-WC-Webhook-Resource": resource,
            "X-WC-Webhook-Event": event,
            "X-WC-Webhook-Signature": b64encode(hmac.new(key, body, hashlib.sha256).digest()).decode(),
            "X-WC-Webhook-ID": str(record["id"]),
            # The same for all that is sent within a second.
            "X-WC-Webhook-Delivery-ID": hashlib.md5(f"{record['id']}{int(time.time())}".encode()).hexdigest(),
            "User-Agent": "WooCommerce/11.0.1 Hookshot (WordPress/6.9)",
        }


async def _post(url: str, body: bytes, headers: Mapping[str, str], *, form: bool = False) -> tuple[int, Any]:
    kind = "application/x-www-form-urlencoded" if form else "application/json"
    async with (
        aiohttp.ClientSession(version=aiohttp.HttpVersion10) as session,
        session.post(url, data=body, headers={**headers, "Content-Type": kind}, allow_redirects=False) as answer,
    ):
        text = await answer.text()
        return answer.status, json.loads(text) if text.startswith("{") else text
