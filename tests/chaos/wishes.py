"""What the writers wish: a small catalogue, and random changes of it, each with what must be true afterwards."""

import random
import uuid
from collections.abc import Callable, Sequence
from typing import Any

from tests.chaos.api import quoted
from tests.chaos.truth import Wish

LOCALES = ("nl-NL", "en-US", "de-DE")
CATEGORIES = ("shoes", "hats")
Made = tuple[str, str, Any, dict[str, Any]]
"""Method, path, body and effect of a command."""


def definitions() -> list[tuple[str, Any]]:
    """(path, body): what the catalogue rests on."""
    attributes: list[dict[str, Any]] = [
        {"code": "name", "type": "text", "localizable": True},
        {"code": "description", "type": "text", "localizable": True},
        {"code": "brand", "type": "text"},
        {"code": "color", "type": "text"},
    ]
    categories: list[dict[str, Any]] = [{"code": "all"}, *({"code": one, "parent": "all"} for one in CATEGORIES)]
    family = {"code": "clothing", "attributes": [one["code"] for one in attributes]}
    google = {
        "name": "google",
        "locales": ["nl-NL"],
        "currency": "EUR",
        "extra": {"product_url": "https://shop.example/p/{sku}"},
    }
    return [
        *((f"/api/v1/attributes/{one['code']}", one) for one in attributes),
        *((f"/api/v1/categories/{one['code']}", one) for one in categories),
        ("/api/v1/families/clothing", family),
        ("/api/v1/channels/google", google),
    ]


def gtin(number: int) -> str:
    """A valid GTIN-13."""
    digits = f"40{number:010d}"
    total = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(digits))
    return f"{digits}{-total % 10}"


def texts(title: str) -> list[dict[str, str]]:
    """A product's name in every language."""
    return [{"attribute": "name", "value": title, "locale": at} for at in LOCALES]


class Catalogue:
    """Which SKUs each writer changes: those of its own, and hot ones that all of them fight for."""

    def __init__(self, channels: Sequence[str], writers: Sequence[str], each: int, hot: int, pause: float) -> None:
        self.channels = tuple(channels)
        self.pause_seconds = (pause * 0.3, pause * 1.7)
        numbers = iter(range(1, 10_000))
        self.hot = {f"HOT-{n}": next(numbers) for n in range(1, hot + 1)}
        self.own = {name: {f"{name.upper()}-{n}": next(numbers) for n in range(1, each + 1)} for name in writers}
        self._made: set[str] = set()
        self._variants: tuple[str, ...] = ()
        self.calm = False
        """Nothing is made, and nothing begins or ends to be sold."""

    def first(self) -> list[Wish]:
        """The hot products, to be made before the writers begin."""
        return [self.wish(sku, self._create(sku, number, random.Random(number))) for sku, number in self.hot.items()]

    def own_variants(self, skus: Sequence[str]) -> None:
        """Variants that were made before the writers begin: each is one writer's."""
        self._variants = tuple(skus)

    def next(self, writer: str, dice: random.Random) -> Wish:
        """What this writer wishes next."""
        new = [] if self.calm else [sku for sku in self.own[writer] if sku not in self._made]
        if new and dice.random() < 0.5:
            sku = new[0]
            self._made.add(sku)
            return self.wish(sku, self._create(sku, self.own[writer][sku], dice))
        mine = [sku for sku in self.own[writer] if sku in self._made]
        mine += self._variants[[*self.own].index(writer) :: len(self.own)]
        if not mine or dice.random() < 0.2:
            return self.wish(sku := dice.choice([*self.hot]), self._hot_change(sku, dice))
        return self.wish(sku := dice.choice(mine), self._change(sku, dice))

    @staticmethod
    def wish(sku: str, made: Made) -> Wish:
        """A command about a SKU, under an id of its own."""
        method, path, body, effect = made
        return Wish(id=f"chaos-{uuid.uuid4().hex}", sku=sku, method=method, path=path, body=body, effect=effect)

    def _create(self, sku: str, number: int, dice: random.Random) -> Made:
        price, stock, title = _price(dice), dice.randrange(0, 50), _title(sku, dice)
        listed = {name: dice.random() < 0.8 for name in self.channels}
        body = {
            "sku": sku,
            "kind": "product",
            "family": "clothing",
            "gtin": gtin(number),
            "attributes": [
                *texts(title),
                *({"attribute": "description", "value": f"All about {sku}.", "locale": at} for at in LOCALES),
                {"attribute": "brand", "value": "Acme"},
                {"attribute": "color", "value": "red"},
            ],
            "prices": [{"amount": price, "currency": "EUR"}],
            "stock": {"main": stock},
            "categories": ["shoes"],
            "media": [{"media_id": "front", "url": f"https://example.com/{sku}.jpg"}],
            "channels": {name: True for name, on in listed.items() if on},
        }
        effect = {"price": price, "stock": stock, "title": title, "categories": ["shoes"]}
        return "POST", "/api/v1/products", body, effect | {f"channel {name}": on for name, on in listed.items()}

    def _change(self, sku: str, dice: random.Random) -> Made:
        path = f"/api/v1/products/{quoted(sku)}"
        kinds: list[tuple[int, Callable[[str, str, random.Random], Made]]] = [
            (6, _reprice), (5, _count), (2, _receive), (3, _rename), (1, _categorise), (3, self._place), (2, _describe),
        ]  # fmt: skip
        if self.calm:
            kinds = [one for one in kinds if one[1] != self._place]
        (chosen,) = dice.choices([kind for _, kind in kinds], [weight for weight, _ in kinds])
        return chosen(sku, path, dice)

    def _hot_change(self, sku: str, dice: random.Random) -> Made:
        return dice.choice((_reprice, _count, _receive, _rename))(sku, f"/api/v1/products/{quoted(sku)}", dice)

    def _place(self, _sku: str, path: str, dice: random.Random) -> Made:
        name, on = dice.choice(self.channels), dice.random() < 0.65
        return "PUT" if on else "DELETE", f"{path}/channels/{name}", None, {f"channel {name}": on}


def _price(dice: random.Random) -> str:
    return f"{dice.randrange(500, 9999) / 100:.2f}"


def _title(sku: str, dice: random.Random) -> str:
    return f"Thing {sku} {dice.randrange(10**6)}"


def _reprice(_sku: str, path: str, dice: random.Random) -> Made:
    price = _price(dice)
    return "PUT", f"{path}/prices/default/EUR", {"amount": price}, {"price": price}


def _count(_sku: str, path: str, dice: random.Random) -> Made:
    pieces = dice.choice((0, 0, dice.randrange(1, 300)))
    return "PUT", f"{path}/stock/main", {"quantity": pieces}, {"stock": pieces}


def _receive(_sku: str, path: str, dice: random.Random) -> Made:
    pieces = dice.randrange(1, 5)
    return "POST", f"{path}/stock/main/received", {"quantity": pieces}, {"received": pieces}


def _rename(sku: str, path: str, dice: random.Random) -> Made:
    title = _title(sku, dice)
    return "PATCH", f"{path}/attributes", {"changes": texts(title)}, {"title": title}


def _categorise(_sku: str, path: str, dice: random.Random) -> Made:
    chosen = dice.choice(CATEGORIES)
    return "PUT", f"{path}/categories", {"categories": [chosen]}, {"categories": [chosen]}


def _describe(sku: str, path: str, dice: random.Random) -> Made:
    price, stock, title = _price(dice), dice.randrange(0, 100), _title(sku, dice)
    body = {
        "sku": sku,
        "attributes": texts(title),
        "prices": [{"amount": price, "currency": "EUR"}],
        "stock": {"main": stock},
    }
    return "PUT", path, body, {"price": price, "stock": stock, "title": title}
