"""An endpoint as it should be: it checks signatures, takes each message once, and keeps what it was told.

What it answers can be scripted, so that it can also be an endpoint as it should not be.
"""

from base64 import b64encode
from collections import Counter, deque
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

import msgspec
from aiohttp import web
from standardwebhooks import Webhook, WebhookVerificationError

from daybook.channel.contract import Payload
from daybook.channel.sandbox import SandboxServer

PATH = "/hook/"
SECRET = "whsec_" + b64encode(b"no secret: everybody may read it").decode()
UPDATED, REMOVED = "product.updated", "product.removed"
EVERYTHING = ("product", "price", "prices", "stock")
FIELDS = {
    UPDATED: EVERYTHING,
    REMOVED: EVERYTHING,
    "price.updated": ("price", "prices"),
    "stock.updated": ("stock",),
}


class Data(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """What a message tells. Parts that it does not tell are left out; a price of None is one that was taken away."""

    sku: str
    position: int
    product: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET
    price: dict[str, str] | msgspec.UnsetType | None = msgspec.UNSET
    prices: dict[str, dict[str, str]] | msgspec.UnsetType = msgspec.UNSET
    stock: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET


class Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of a webhook."""

    type: Literal["product.updated", "product.removed", "price.updated", "stock.updated"]
    timestamp: datetime
    data: Data


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One answer of the script."""

    status: int = 204
    headers: Mapping[str, str] = {}
    text: str = ""
    taken: bool = False
    """Whether the message takes effect all the same: the answer is then a lie."""


class WebhookSandbox(SandboxServer):
    """One endpoint. `script` holds the next answers, first come first; without one, a good message gets 204.

    `in_order` leaves out parts of a message that are older than what is known of the SKU, as `position` allows.
    """

    def __init__(self, in_order: bool = False) -> None:
        super().__init__()
        self.in_order = in_order
        self.secrets = [SECRET]
        """Any of them may have signed."""
        self.script: deque[Step] = deque()
        self.messages: list[tuple[Mapping[str, str], Payload]] = []
        """(headers, body) of all whose signature was good, doubles too."""
        self.effects: Counter[str] = Counter()
        """webhook-id -> how often it took effect: never more than once."""
        self._states: dict[str, Payload] = {}
        self._positions: dict[tuple[str, str], int] = {}

    def routes(self) -> list[web.RouteDef]:
        """The endpoint, and no other path."""
        return [web.post(PATH, self.receive)]

    def settings(self) -> dict[str, str]:
        """The sandbox is on the loopback interface and without TLS, which both have to be allowed."""
        return {"url": self.url + PATH, "secret": SECRET, "allow_http": "true", "allow_private": "true"}

    def shown(self) -> Mapping[str, Payload]:
        """What the receiver has of each SKU. An id that took effect twice raises."""
        doubled = [id_ for id_, times in self.effects.items() if times > 1]
        if doubled:
            raise AssertionError(f"these took effect more than once: {doubled}")
        return {sku: _shown(state) for sku, state in self._states.items()}

    def state(self, sku: str) -> Payload:
        """All that the receiver has of a SKU."""
        return dict(self._states[sku])

    def put_state(self, sku: str, state: Payload) -> None:
        """Makes the receiver have something else of a SKU than it was told last."""
        self._states[sku] = state

    async def receive(self, request: web.Request) -> web.Response:
        """One message."""
        raw = await request.read()
        headers = {name.lower(): value for name, value in request.headers.items()}
        if not self._genuine(raw, headers):
            return web.json_response({"error": "no good signature"}, status=401)
        try:
            message = msgspec.json.decode(raw, type=Message)
        except msgspec.DecodeError as error:
            return web.json_response({"error": str(error)}, status=400)
        self.messages.append((headers, msgspec.json.decode(raw)))
        step = self.script.popleft() if self.script else Step(taken=True)
        if step.taken and not self.effects[headers["webhook-id"]]:
            self.effects[headers["webhook-id"]] += 1
            self._apply(message)
        return web.Response(status=step.status, headers=step.headers, text=step.text or None)

    def _genuine(self, raw: bytes, headers: dict[str, str]) -> bool:
        """Compared in constant time, within five minutes: both are the library's."""
        for secret in self.secrets:
            try:
                Webhook(secret).verify(raw, headers, json_parse=False)
            except (WebhookVerificationError, ValueError):  # it raises ValueError for headers of another form
                continue
            return True
        return False

    def _apply(self, message: Message) -> None:
        sku, position = message.data.sku, message.data.position
        known = self._states.get(sku)
        if known is None and message.type not in (UPDATED, REMOVED):
            return  # part of something that is gone
        fresh = [name for name in FIELDS[message.type] if self._newer(sku, name, position)]
        if message.type == REMOVED:
            if "product" in fresh:
                self._states.pop(sku, None)
        elif known is not None or "product" in fresh:
            told = msgspec.to_builtins(message.data)
            self._states[sku] = (known or {}) | {name: told[name] for name in fresh if name in told}

    def _newer(self, sku: str, part: str, position: int) -> bool:
        """Whether the part of a message counts; then it is what later ones are compared with."""
        if self.in_order and position < self._positions.get((sku, part), 0):
            return False
        self._positions[sku, part] = position
        return True


def _shown(state: Payload) -> Payload:
    names = state["product"]["attributes"].get("name") or [{"value": None}]
    price = state.get("price") or {"amount": None, "currency": None}
    return {
        "title": names[0]["value"],
        "gtin": state["product"]["gtin"],
        "price": price["amount"],
        "currency": price["currency"],
        "stock": state.get("stock", {}).get("available"),
        "live": True,
        "told": state,
    }
