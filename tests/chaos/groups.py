"""Models with their variants: on some channels they are sent together, and a variant needs its model to be there."""

from collections.abc import Iterator, Sequence
from typing import Any

from tests.chaos.wishes import LOCALES, Made, gtin, texts

COLOURS = ("blue", "green", "black")
GTINS = 700_000


def of(number: int, channels: Sequence[str]) -> Iterator[tuple[str, Made]]:
    """(SKU, command) of a model that is sold everywhere, and of its variants."""
    model = f"MODEL-{number}"
    yield model, _post(_model(model, channels), {"model": True})
    listed = {f"channel {name}": True for name in channels}
    for place, colour in enumerate(COLOURS):
        sku = f"{model}-{colour.upper()}"
        stock, price = 5 + place, f"{20 + place}.00"
        body = {
            "sku": sku,
            "kind": "variant",
            "parent": model,
            "gtin": gtin(GTINS + number * 10 + place),
            "attributes": [{"attribute": "color", "value": colour}],
            "prices": [{"amount": price, "currency": "EUR"}],
            "stock": {"main": stock},
        }
        yield sku, _post(body, {"variant": True, "price": price, "stock": stock} | listed)


def variants(number: int) -> tuple[str, ...]:
    """The SKUs that are sold of a model."""
    return tuple(f"MODEL-{number}-{colour.upper()}" for colour in COLOURS)


def _model(sku: str, channels: Sequence[str]) -> dict[str, Any]:
    return {
        "sku": sku,
        "kind": "model",
        "family": "clothing",
        "axes": ["color"],
        "attributes": [
            *texts(f"Model {sku}"),
            *({"attribute": "description", "value": f"All about {sku}.", "locale": at} for at in LOCALES),
            {"attribute": "brand", "value": "Acme"},
        ],
        "prices": [{"amount": "19.00", "currency": "EUR"}],
        "categories": ["shoes"],
        "media": [{"media_id": "front", "url": f"https://example.com/{sku}.jpg"}],
        "channels": dict.fromkeys(channels, True),
    }


def _post(body: dict[str, Any], effect: dict[str, Any]) -> Made:
    return "POST", "/api/v1/products", body, effect
