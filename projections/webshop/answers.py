"""What the shop's statuses and error bodies mean for a push. Pure."""

from daybook.channel.calls import Answer
from daybook.channel.contract import ChannelUnavailable, Rejected
from daybook.events import Rejection
from daybook_projections.webshop.listing import NAME
from daybook_projections.webshop.mapping import PARENT
from daybook_projections.webshop.place import DUPLICATE, INVALID_PARENT

FIELDS = {
    DUPLICATE: "sku",
    "product_invalid_global_unique_id": "global_unique_id",
    "product_invalid_global_unique_id_format": "global_unique_id",
    "woocommerce_product_image_upload_error": "images",
    "woocommerce_variation_image_upload_error": "image",
    INVALID_PARENT: PARENT,
}
"""Code -> the field that it is about."""
_SETTING = f"DAYBOOK_CHANNEL_{NAME.upper()}"


def refused(answer: Answer, address: str) -> ChannelUnavailable | Rejected:
    """Credentials, addresses and redirects are the channel's trouble; anything else is this listing's."""
    code, told = code_of(answer), f"HTTP {answer.status} {code_of(answer)}: {message_of(answer)}"
    if answer.status in (401, 403):
        return ChannelUnavailable(f"the shop refuses access ({told}); {_advice(address)}")
    if code == "rest_no_route" or 300 <= answer.status < 400 or not code:
        return ChannelUnavailable(f"no WooCommerce API answers at {address} ({told}); check {_SETTING}_URL")
    data = answer.body.get("data")
    params = data.get("params") if isinstance(data, dict) else None
    if isinstance(params, dict) and params:
        return Rejected(tuple(Rejection(code, str(reason), str(field)) for field, reason in params.items()))
    return Rejected((Rejection(code, message_of(answer), FIELDS.get(code)),))


def kept_hidden(sku: str, answer: Answer) -> Rejected:
    """Tells that the shop took it and does not show it to buyers."""
    kept = f"the shop keeps {sku} as {answer.body['status']!r}, where buyers don't see it"
    return Rejected((Rejection("not_published", kept, "status"),))


def code_of(answer: Answer) -> str:
    """Gives the code of an error, or an empty text."""
    return str(answer.body.get("code", "")) if isinstance(answer.body, dict) and answer.status >= 400 else ""


def message_of(answer: Answer) -> str:
    """Gives what the shop says."""
    return str(answer.body.get("message", "")) if isinstance(answer.body, dict) else "no reason given"


def _advice(address: str) -> str:
    keys = f"check {_SETTING}_CONSUMER_KEY and _CONSUMER_SECRET, and that the key may read and write"
    if address.startswith("http://"):
        # It treats a request with the right key as one without any.
        return (
            f"WooCommerce does not look at keys that come over http, so give {_SETTING}_URL as https://…; else {keys}"
        )
    return keys
