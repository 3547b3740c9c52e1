"""Message ids, secrets and headers of Standard Webhooks 1.0.0."""

import binascii
import hashlib
from base64 import b64decode
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import msgspec
from standardwebhooks import Webhook

from daybook.channel.contract import Payload

PREFIX = "whsec_"
KEY_BYTES_MIN, KEY_BYTES_MAX = 24, 64


def keys(secret: str) -> tuple[Webhook, ...]:
    """The signing keys of a setting that holds one secret or, while it is being changed, several with spaces between.

    ValueError says what is wrong with which one, without repeating it.
    """
    found = tuple(_key(number, each) for number, each in enumerate(secret.split(), start=1))
    if not found:
        raise ValueError("there is none")
    return found


def _key(number: int, text: str) -> Webhook:
    if not text.startswith(PREFIX):
        raise ValueError(f"number {number} does not start with {PREFIX}")
    encoded = text.removeprefix(PREFIX)
    try:
        # The library skips what is not base64, so a secret with a typing error would sign with another key.
        key = b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    except binascii.Error:
        raise ValueError(f"number {number} is no base64 after {PREFIX}") from None
    if not KEY_BYTES_MIN <= len(key) <= KEY_BYTES_MAX:
        raise ValueError(f"number {number} holds {len(key)} bytes; {KEY_BYTES_MIN} to {KEY_BYTES_MAX} are needed")
    return Webhook(key)


def message_id(channel: str, sku: str, facet: str, position: int, receipt: int, data: Payload | None) -> str:
    """The same for every try of one message, another one for every other message; without a full stop.

    A receiver drops what comes under an id that it has seen, so an id must never be given to two contents, nor to one
    content that is told anew. Hence all of these:

    - the content: a try may tell more than its own change (a new listing tells its price and stock too), and a new
      version of the rendering tells the same change in other words;
    - the position: a price that comes back to what it was is another message than the first;
    - the newest receipt: what is told once more, because the receiver may have something else by now (a resync, an
      older message that came late), would be dropped as a double. Tries without a receipt between them share the id.
    """
    told = msgspec.json.encode([channel, sku, facet, position, receipt, data], order="sorted")
    return f"msg_{hashlib.sha256(told).hexdigest()[:32]}"


def signed(keys: Sequence[Webhook], id_: str, at: datetime, body: bytes) -> Mapping[str, str]:
    """The three headers, with one signature per key. `at`: this attempt; whole seconds count.

    The library signs the wall clock of any other zone as if it were UTC, so it is given UTC.
    """
    at = at.astimezone(UTC)
    text = body.decode()
    return {
        "webhook-id": id_,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(key.sign(id_, at, text) for key in keys),
    }
