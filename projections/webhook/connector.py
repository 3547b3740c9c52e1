"""Tells an endpoint the state of a SKU: one POST, signed by Standard Webhooks 1.0.0.

    {"type": "product.updated", "timestamp": "2026-01-01T12:00:00.000000Z", "data": {"sku": "S1", "position": 42, ...}}

- `product.updated` holds the whole state: `product`, `price`, `prices` and `stock`. `price.updated` and
  `stock.updated` hold only theirs. `product.removed` holds none: the SKU is no longer listed for this endpoint.
- Delivery is at least once. The same message has the same `webhook-id` on every try, with a newer timestamp. What is
  told anew, after a resync or where the receiver may have something older, is another message.
- `position` is the position of the change that is told. Answers get lost and slow requests arrive late, so a receiver
  applies a part of `data` only if the position is not below the one from which it has that part.

Only a 2xx is success, whatever its body. The specification wants anything else tried again. That goes for every 4xx
too, but 410: a receiver's 400 is nearly always its own fault, and is repaired there without anybody telling us. Only
that SKU waits meanwhile. A 410 means that the endpoint wants no more: the whole channel is stopped, with nothing lost,
until a person has enabled the endpoint again and resumes it. A redirect is a failure like any other, since nobody
looked at what is behind it. When to try again is the engine's to decide; a Retry-After is passed on.
"""

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from urllib.parse import urlsplit

import msgspec
from aiohttp.abc import AbstractResolver

from daybook.channel.calls import ANSWER_SECONDS_MAX, Answer, Calls, Unanswered
from daybook.channel.contract import (
    ChannelUnavailable,
    Confirmed,
    Outcome,
    Payload,
    Push,
    Setting,
    Stopped,
    Throttled,
    Waiting,
)
from daybook.channel.reach import ALLOW_HTTP, NetworkReach, is_true
from daybook_projections.webhook.listing import FACETS, NAME
from daybook_projections.webhook.mapping import PRICE, PRODUCT, STOCK
from daybook_projections.webhook.signing import keys, message_id, signed

TYPES: Mapping[str, str] = {PRODUCT: "product.updated", PRICE: "price.updated", STOCK: "stock.updated"}
REMOVED = "product.removed"
RECORDED = ("url",)
"""Settings that may be in the log."""
CLEARED: Mapping[str, Payload] = {
    PRICE: {"price": None, "prices": {}},
    STOCK: {"stock": {"available": 0, "locations": {}}},
}
"""What a facet that is taken off alone is told as."""
"""A Retry-After is followed up to here: a slip in it must not silence an endpoint for a year."""


class WebhookConnector:
    """One endpoint. With settings that make no sense it sends nothing, and says why instead."""

    def __init__(
        self,
        settings: Mapping[str, str],
        name: str = NAME,
        *,
        resolver: AbstractResolver | None = None,
        clock: Callable[[], float] = time.time,
        answer_seconds_max: float = ANSWER_SECONDS_MAX,
    ) -> None:
        self._name = name
        self._clock = clock
        self._problem = problem(settings, name)
        self._keys = () if self._problem else keys(settings["secret"])
        # Calls takes off a slash at the end, and to a receiver /hook and /hook/ are two places.
        parts = urlsplit(settings["url"]) if self._problem is None else urlsplit("")
        self._path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._calls = Calls(
            f"{parts.scheme}://{parts.netloc}",
            reach=NetworkReach.of(settings, RECORDED),
            resolver=resolver,
            answer_seconds_max=answer_seconds_max,
        )

    async def push(self, push: Push) -> Outcome:
        """One message. A new listing is told with everything at once."""
        if self._problem is not None:
            return ChannelUnavailable(self._problem)
        if push.facet == PRODUCT and push.payload is None:
            # Also when no receipt tells that the SKU was ever told: the answer may have been lost.
            answer = await self._send(push, REMOVED, None)
            return answer if answer is not None else Confirmed(covers=FACETS)
        if push.facet != PRODUCT and (push.remote_id is None or PRODUCT not in push.listing):
            return Waiting(f"the endpoint has not been told of {push.sku} yet")
        facets = push.listing if push.facet == PRODUCT else {push.facet: push.payload or CLEARED[push.facet]}
        fields = {field: value for payload in facets.values() for field, value in payload.items()}
        answer = await self._send(push, TYPES[push.facet], fields)
        if answer is not None:
            return answer
        # Hazard: the other facets count as told only when this message can't have been sent before. Else a receiver may
        # have dropped it as a double of an earlier try with the same content, between which another price came and
        # went. They are then told by themselves, under ids of their own.
        first = push.facet == PRODUCT and push.remote_id is None and push.attempt == 1
        return Confirmed(covers=tuple(push.listing) if first else (push.facet,), remote_id=push.sku)

    async def confirm(self, push: Push, submission: str) -> Outcome:
        """Never called: an answer is the end of it."""
        return Confirmed()

    async def close(self) -> None:
        """Closes the connection pool."""
        await self._calls.close()

    async def _send(self, push: Push, type_: str, fields: Payload | None) -> Outcome | None:
        """The outcome of a message that was not taken, or None."""
        at = datetime.fromtimestamp(self._clock(), UTC)
        body = msgspec.json.encode(
            {
                "type": type_,
                "timestamp": at.isoformat(timespec="microseconds").replace("+00:00", "Z"),
                "data": {"sku": push.sku, "position": push.position} | (fields or {}),
            }
        )
        id_ = message_id(self._name, push.sku, push.facet, push.position, push.receipt, fields)
        try:
            # Sent as they are: they are what was signed.
            headers = signed(self._keys, id_, at, body)
            answer = await self._calls.request("POST", self._path, body=msgspec.Raw(body), headers=headers)
        except Unanswered as unanswered:
            return unanswered.outcome()
        return None if 200 <= answer.status < 300 else self._failure(answer)

    def _failure(self, answer: Answer) -> Outcome:
        # Not a word of the answer: whoever may add an endpoint could read with it what lies behind any address.
        status, pause = answer.status, answer.retry_after()
        variable = f"DAYBOOK_CHANNEL_{self._name.upper()}"
        if status == 410:
            return Stopped("the endpoint wants no more messages (HTTP 410): enable it there, then resume the channel")
        if status == 429:
            return Throttled(pause)
        if 300 <= status < 400:
            return ChannelUnavailable(
                f"HTTP {status} sends us to another place, and redirects are not followed: set {variable}_URL"
            )
        if status in (401, 403):
            return ChannelUnavailable(f"the endpoint refuses the signature (HTTP {status}): check {variable}_SECRET")
        return ChannelUnavailable(f"the endpoint did not take the message (HTTP {status})", pause)


SETTINGS = (
    # The secret signs and never leaves, so whoever may add a channel may say where its messages go.
    Setting("url", "where the endpoint listens; the journal shows it, so it should hold no credential", recorded=True),
    Setting("secret", "a `whsec_` secret, or several with spaces between while receivers change over: each signs"),
)


def connector(settings: Mapping[str, str], name: str = NAME) -> WebhookConnector:
    """From the values of `SETTINGS`. What is there but malformed is told by `problem`, and by every push."""
    return WebhookConnector(settings, name)


def problem(settings: Mapping[str, str], name: str = NAME) -> str | None:
    """What is wrong with an endpoint's settings, for a person to read, or None."""
    variable = f"DAYBOOK_CHANNEL_{name.upper()}"
    try:
        parts = urlsplit(settings["url"])
        host = parts.hostname if parts.port is None or parts.port > 0 else None
    except ValueError as error:
        return f"{variable}_URL is no URL: {error}"
    if parts.scheme not in ("http", "https") or not host:
        return f"{variable}_URL must be an address like https://example.com/hook"
    if parts.scheme == "http" and not is_true(settings, ALLOW_HTTP):
        return f"{variable}_URL is not https; use https, or set {variable}_ALLOW_HTTP=true"
    if parts.username is not None or parts.password is not None:
        return f"{variable}_URL holds a user or password, which the journal would show; the signature is the proof"
    try:
        keys(settings["secret"])
    except ValueError as error:
        return f"{variable}_SECRET holds no usable secret: {error}"
    return None
