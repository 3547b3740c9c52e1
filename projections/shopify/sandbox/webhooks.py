"""The shop's webhooks: signed over the raw body, and delivered when the shop comes to it.

What is due is sent by `deliver` alone, so that a test says what comes late, twice or in another order. The body is that
of the event's moment, also when it is sent again. One event has one Event-Id, and each subscription's delivery of it a
Webhook-Id of its own. A subscription whose deliveries failed eight times in a row is deleted.
"""

import hashlib
import hmac
import json
import uuid
from base64 import b64encode
from datetime import UTC, datetime
from typing import Any

import aiohttp
import msgspec

from daybook.channel.contract import Payload
from daybook_projections.shopify.operations import VERSION

FAILURES_MAX = 8
DOMAIN = "sandbox.myshopify.com"


class ShopDelivery(msgspec.Struct, frozen=True):
    """A message that the shop has not sent yet."""

    subscription: int
    topic: str
    body: bytes
    event: str
    webhook: str


class ShopWebhooks:
    """Subscriptions by number: topic, address, and how often they failed."""

    def __init__(self, secret: str) -> None:
        self.secret = secret
        self.subscriptions: dict[int, Payload] = {}
        self.due: list[ShopDelivery] = []

    def subscribe(self, topic: str, url: str) -> int:
        """Makes a subscription. Nothing is sent to try the address."""
        own = len(self.subscriptions) + 1
        self.subscriptions[own] = {"topic": topic, "url": url, "failures": 0}
        return own

    def happened(self, topic: str, order: Payload) -> None:
        """Notes a delivery for each subscription of the topic."""
        event, body = str(uuid.uuid4()), json.dumps(order, separators=(",", ":")).encode()
        for own, record in self.subscriptions.items():
            if record["topic"] == topic:
                self.due.append(ShopDelivery(own, topic, body, event, str(uuid.uuid4())))

    def headers(self, due: ShopDelivery, secret: str | None = None, domain: str = DOMAIN) -> dict[str, str]:
        """Those of a delivery; `secret`: another one than the shop's own now."""
        digest = hmac.new((secret or self.secret).encode(), due.body, hashlib.sha256).digest()
        return {
            "Content-Type": "application/json",
            "X-Shopify-Topic": due.topic,
            "X-Shopify-Hmac-Sha256": b64encode(digest).decode(),
            "X-Shopify-Shop-Domain": domain,
            "X-Shopify-API-Version": VERSION,
            "X-Shopify-Webhook-Id": due.webhook,
            "X-Shopify-Event-Id": due.event,
            "X-Shopify-Triggered-At": datetime.now(UTC).isoformat(),
        }

    async def deliver(self, due: ShopDelivery, *, secret: str | None = None, domain: str = DOMAIN) -> tuple[int, Any]:
        """Sends one: the status, and what was answered."""
        record = self.subscriptions[due.subscription]
        if due in self.due:
            self.due.remove(due)
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session,
            session.post(record["url"], data=due.body, headers=self.headers(due, secret, domain)) as answer,
        ):
            status, said = answer.status, await answer.json()
        record["failures"] = 0 if 200 <= status < 300 else record["failures"] + 1
        if record["failures"] >= FAILURES_MAX:
            del self.subscriptions[due.subscription]
        return status, said

    async def deliver_all(self) -> list[int]:
        """Sends what is due, in order."""
        return [(await self.deliver(one))[0] for one in list(self.due)]
