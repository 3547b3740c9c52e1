"""Two moments of the catalogue compared, on a real log."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daybook.access.authority import Reach
from daybook.app import App
from daybook.channel.registry import Registry
from daybook.commands import (
    ChangePrice,
    ConfigureChannel,
    DefineAttribute,
    DefineCategory,
    DelistProduct,
    DescribeProduct,
    DiscontinueProduct,
)
from daybook.commands.book import Command
from daybook.config import Settings
from daybook.errors import DaybookError, NotFound
from daybook.events import AccessScope, AttributeDefined, CategoryDefined, ChannelConfigured
from daybook.log.pending import Context
from daybook.queries.catalogue_diff import Comparison, Filters, ProductDifference, counted
from daybook.queries.fields import differences, own
from daybook.queries.groups import fold
from daybook.queries.moment import Moment
from tests.fixtures.channels import DEFAULTS, toy
from tests.fixtures.examples import examples
from tests.fixtures.pipeline import product
from tests.fixtures.rebuilding import SKUS, commands


class Shelf:
    """A book, and questions about two of its moments."""

    def __init__(self, app: App) -> None:
        self.app = app
        self.do(DefineAttribute(attribute=AttributeDefined(code="name", type="text")))

    def do(self, *some: Command) -> int:
        for one in some:
            with suppress(DaybookError):
                self.app.book.carry_out(one, Context.new("ann", "test"))
        return self.app.reader.head()

    def differences(
        self, first: int, last: int | None = None, limit: int = 200, **given: Any
    ) -> list[ProductDifference]:
        to = self.app.reader.head() if last is None else last
        comparison = Comparison(self.app.reader, Moment(first), Moment(to), **given)
        found: list[ProductDifference] = []
        after: str | None = ""
        while after is not None:
            page = comparison.page(after, limit)
            found, after = [*found, *page.products], page.next
        return found


@pytest.fixture
def shelf(database: str) -> Iterator[Shelf]:
    with App(Settings(data=Path("unused"), postgres=database), Registry([toy()])) as app:
        yield Shelf(app)


def price(sku: str, amount: str) -> ChangePrice:
    return ChangePrice(sku=sku, amount=amount, currency="EUR")


def test_products_are_told_by_kind_and_field(shelf: Shelf) -> None:
    before = shelf.do(product("A", price="1"), product("B", price="1"), product("D", price="1"))
    shelf.do(price("A", "2"), product("C"), DiscontinueProduct(sku="B"))
    found = shelf.differences(before)
    assert [(one.sku, one.kind) for one in found] == [("A", "changed"), ("B", "discontinued"), ("C", "new")]
    (change,) = found[0].changes
    assert (change.field, change.before, change.after) == ("prices.default.EUR", "1.00", "2.00")
    assert counted(found)["prices"] == 2 and counted(found)["discontinued"] == 1


def test_moments_in_the_other_order_read_backwards(shelf: Shelf) -> None:
    before = shelf.do(product("A", price="1"))
    after = shelf.do(price("A", "2"), product("C"))
    found = shelf.differences(after, before)
    assert [(one.sku, one.kind) for one in found] == [("A", "changed"), ("C", "gone")]
    assert (found[0].changes[0].before, found[0].changes[0].after) == ("2.00", "1.00")


def test_what_changed_and_changed_back_is_no_difference(shelf: Shelf) -> None:
    before = shelf.do(product("A", price="1"))
    shelf.do(price("A", "2"), price("A", "1"))
    assert shelf.differences(before) == []


def test_a_channels_listings_are_compared_facet_by_facet(shelf: Shelf) -> None:
    before = shelf.do(product("A", price="1"), product("B", price="1"), product("C", price="1"))
    shelf.do(price("A", "2"), DelistProduct(sku="B", channel="toy"))
    found = shelf.differences(before, channel=toy())
    assert [(one.sku, one.kind) for one in found] == [("A", "changed"), ("B", "gone")]
    assert [change.field for change in found[0].changes] == ["price"]


def test_a_setting_of_a_channel_is_a_difference_of_every_listing(shelf: Shelf) -> None:
    before = shelf.do(product("A", price="1"), product("B", price="1"))
    shelf.do(ConfigureChannel(channel=ChannelConfigured(name=DEFAULTS.name, extra={"label": "sale"})))
    assert [one.sku for one in shelf.differences(before, channel=toy())] == ["A", "B"]
    assert shelf.differences(before) == []


def test_a_filter_holds_at_one_of_the_moments_and_a_reach_hides_what_is_outside(shelf: Shelf) -> None:
    before = shelf.do(
        DefineCategory(category=CategoryDefined(code="shoes")),
        DefineCategory(category=CategoryDefined(code="bags")),
        product("A", price="1", categories=("shoes",)),
        product("B", price="1", categories=("bags",)),
    )
    shelf.do(price("A", "2"), price("B", "2"), DescribeProduct(sku="A", categories=("bags",)))
    assert [one.sku for one in shelf.differences(before, filters=Filters(category="shoes"))] == ["A"]
    reach = Reach((AccessScope(categories=("shoes",)),))
    assert shelf.differences(before, reach=reach) == []
    assert [one.sku for one in shelf.differences(before, reach=Reach((AccessScope(categories=("bags",)),)))] == [
        "A",
        "B",
    ]


def test_pages_of_any_size_tell_the_same(shelf: Shelf) -> None:
    shelf.do(*(product(f"P{number}", price="1") for number in range(7)))
    whole = shelf.differences(0)
    assert len(whole) == 7
    assert all(shelf.differences(0, limit=size) == whole for size in (1, 2, 3, 200))


@examples(few=10, many=200)
@given(before=st.lists(commands, max_size=10), after=st.lists(commands, max_size=10))
def test_a_comparison_is_the_products_own_differences_and_nothing_else(
    database: str, before: list[Command], after: list[Command]
) -> None:
    with App(Settings(data=Path("unused"), postgres=database), Registry([toy()])) as app:
        shelf = Shelf(app)
        first = shelf.do(*before)
        last = shelf.do(*after)
        found = {one.sku: one.changes for one in shelf.differences(first)}
        for sku in SKUS:
            key = app.reader.key_of(sku)
            events = [] if key is None else app.reader.of_key(key)
            then, now = (own(fold(one for one in events if one.position <= at), sku) for at in (first, last))
            assert found.get(sku, []) == differences(then, now)


def test_a_filter_that_nobody_ever_defined_is_named_and_not_answered_with_nothing(shelf: Shelf) -> None:
    with pytest.raises(NotFound, match="there was no family nosuch at either moment"):
        shelf.differences(0, filters=Filters(family="nosuch"))
    with pytest.raises(NotFound, match="there was no category nosuch at either moment"):
        shelf.differences(0, filters=Filters(category="nosuch"))
