"""What buyers should see of a catalogue, by the book alone: neither the channel's fold nor its rendering is asked."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

import msgspec

from daybook.catalogue.group import Group, fold_group
from daybook.channel.contract import Manifest, Payload
from daybook.channel.testing.history import History
from daybook.events.envelope import REFERENCE_KEY
from daybook.values import Money

FIELDS = ("price", "stock", "title")
"""What a sandbox tells of every SKU that can be bought; of a product page that can't, only the title is compared."""
TITLE = "name"
"""The attribute that titles a product in the suite's catalogue."""


class Expected(msgspec.Struct, frozen=True, kw_only=True):
    """One SKU as it should be shown."""

    sold: bool
    """Whether it can be bought: a model can't, its variants can."""
    price: Decimal | None
    stock: int
    title: str | None


def expected(manifest: Manifest, history: History) -> dict[str, Expected]:
    """Reads every SKU's price, stock and title out of the history, by the channel's default settings."""
    groups: dict[str, Group | None] = {}
    for each in history.recorded:
        if each.key != REFERENCE_KEY:
            groups[each.key] = fold_group(groups.get(each.key), each)
    return {
        sku: _expected(manifest, group, sku) for group in groups.values() if group is not None for sku in group.products
    }


def _expected(manifest: Manifest, group: Group, sku: str) -> Expected:
    settings = manifest.defaults
    amount = group.price(sku, settings.price_list, settings.currency)
    return Expected(
        sold=group.products[sku].kind != "model",
        price=None if amount is None else Money(amount, settings.currency).decimal(),
        stock=group.offered(sku, settings),
        title=group.text(sku, TITLE, settings.locales, settings.scope),
    )


def check_shown(
    manifest: Manifest, wanted: Mapping[str, Expected], shown: Mapping[str, Payload], skus: Iterable[str]
) -> None:
    """Raises AssertionError for the first SKU that buyers do not see as the book has it."""
    for sku in skus:
        item, book = shown.get(sku), wanted[sku]
        assert item is not None, f"{sku} was brought but is not shown"
        missing = [field for field in FIELDS if book.sold and field not in item]
        assert not missing, f"the sandbox's shown() does not tell the {' and '.join(missing)} of {sku}"
        title = str(item.get("title") or "")
        assert (book.title or "") in title, f"{sku} is shown with the title {title!r}, and its name is {book.title!r}"
        if book.sold:
            price = _decimal(item["price"])
            assert price == book.price, f"{sku} is shown with the price {item['price']}, and the book has {book.price}"
            assert _is_stock(manifest, item["stock"], book.stock), (
                f"{sku} is shown with {item['stock']} in stock, and the book has {book.stock}"
            )
            live = bool(item.get("live", True))
            assert live or book.stock == 0, f"{sku} was brought with stock but is not live"


def _is_stock(manifest: Manifest, shown: object, book: int) -> bool:
    # A channel that is told only whether there is some shows None for "some". One with a rule for stock knows figures.
    return shown == book or (shown is None and book > 0 and manifest.stock is None)


def _decimal(value: Any) -> Decimal | None:
    return None if value is None else Decimal(str(value))
