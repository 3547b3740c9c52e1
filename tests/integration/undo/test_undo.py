"""Undo: what was done is taken back by new events, on a real log."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daybook.app import App
from daybook.channel.registry import Registry
from daybook.commands import AdjustStock, ChangePrice, CountStock, DefineAttribute, DescribeProduct, ReceiveStock
from daybook.commands.book import Command
from daybook.config import Settings
from daybook.errors import DaybookError, InvalidValue, NotFound, Refused
from daybook.events import AttributeChange, AttributeDefined
from daybook.ids import new_id
from daybook.log.pending import Context
from daybook.queries.fields import Fields, own
from daybook.queries.groups import fold
from daybook.undo.inverse import Newer
from daybook.undo.selection import Selection
from daybook.undo.undo import Undo, UndoReport, sent
from tests.fixtures.channels import toy
from tests.fixtures.examples import examples
from tests.fixtures.rebuilding import SKUS, commands


class Desk:
    """A book, and what is done with it."""

    def __init__(self, app: App) -> None:
        self.app = app

    def do(self, *some: Command, who: str = "ann") -> str:
        """Carries these out, as far as the book takes them, and gives their correlation."""
        correlation = new_id()
        for one in some:
            with contextlib.suppress(DaybookError):
                self.app.book.carry_out(one, Context.new(who, "test", correlation_id=correlation))
        return correlation

    def undo(self, newer: Newer = "refuse", **selected: Any) -> UndoReport:
        selection = Selection(**selected)
        return Undo(self.app.book, self.app.reader, selection, newer).carry_out(sent("ann", selection))

    def plan(self, newer: Newer = "refuse", **selected: Any) -> UndoReport:
        selection = Selection(**selected)
        return Undo(self.app.book, self.app.reader, selection, newer).plan(sent("ann", selection))

    def fields(self, sku: str = "A") -> Fields:
        key = self.app.reader.key_of(sku)
        return {} if key is None else own(fold(self.app.reader.of_key(key)), sku)

    def all(self) -> dict[str, Fields]:
        return {sku: self.fields(sku) for sku in SKUS}


@pytest.fixture
def desk(database: str) -> Iterator[Desk]:
    with App(Settings(data=Path("unused"), postgres=database), Registry([toy()])) as app:
        made = Desk(app)
        made.do(DefineAttribute(attribute=AttributeDefined(code="name", type="text")))
        yield made


def product(**said: Any) -> DescribeProduct:
    return DescribeProduct(sku="A", kind="product", **said)


def price(amount: str) -> ChangePrice:
    return ChangePrice(sku="A", amount=amount, currency="EUR")


def named(text: str) -> DescribeProduct:
    return DescribeProduct(sku="A", attributes=(AttributeChange(attribute="name", value=text),))


PRICE, NAME, STOCK = "prices.default.EUR", "attributes.name", "stock.main"


def test_a_change_is_taken_back_by_a_new_event_and_the_old_one_stays(desk: Desk) -> None:
    desk.do(product(), price("10"))
    cause = desk.do(price("99"))
    head = desk.app.reader.head()
    report = desk.undo(correlation=cause)
    assert (report.undone, report.newer, report.refused, desk.fields()[PRICE]) == (1, 0, 0, "10.00")
    (event,) = desk.app.reader.after(head)
    assert (event.actor, event.source, event.reason) == ("ann", "undo", f"undo of {cause}")
    assert event.correlation_id == report.correlation_id


def test_one_position_of_many_is_taken_back_alone(desk: Desk) -> None:
    desk.do(product(), price("10"), named("shoe"))
    desk.do(price("11"), named("boot"))
    desk.undo(position=desk.app.reader.head() - 1)
    assert (desk.fields()[PRICE], desk.fields()[NAME]) == ("10.00", "boot")


def test_what_was_not_there_before_is_removed_again(desk: Desk) -> None:
    desk.do(product())
    cause = desk.do(price("10"), named("shoe"))
    desk.undo(correlation=cause)
    assert desk.fields() == {"kind": "product"}


def test_a_plan_tells_each_field_and_writes_nothing(desk: Desk) -> None:
    desk.do(product(), price("10"))
    cause = desk.do(price("11"))
    head = desk.app.reader.head()
    (told,) = desk.plan(correlation=cause).products
    ((field, now, then),) = [(one.field, one.before, one.after) for one in told.changes]
    assert (told.sku, field, now, then) == ("A", PRICE, "11.00", "10.00")
    assert desk.app.reader.head() == head


def test_what_somebody_changed_since_is_asked_for_and_nothing_is_written(desk: Desk) -> None:
    desk.do(product(), price("10"), named("shoe"))
    cause = desk.do(price("11"), named("boot"))
    desk.do(price("12"), who="bob")
    head = desk.app.reader.head()
    with pytest.raises(Refused, match=r"prices.default.EUR of A by bob at position \d+: look at the plan"):
        desk.undo(correlation=cause)
    assert desk.app.reader.head() == head
    assert desk.undo("skip", correlation=cause).newer == 1
    assert (desk.fields()[PRICE], desk.fields()[NAME]) == ("12.00", "shoe")
    desk.undo("force", correlation=cause)
    assert desk.fields()[PRICE] == "10.00"


def test_pieces_that_were_sold_since_a_wrong_count_stay_sold(desk: Desk) -> None:
    desk.do(product(), CountStock(sku="A", quantity=10))
    cause = desk.do(CountStock(sku="A", quantity=100))
    desk.do(AdjustStock(sku="A", delta=-3))
    desk.undo(correlation=cause)
    assert desk.fields()[STOCK] == 7
    desk.undo(correlation=cause)
    assert desk.fields()[STOCK] == 7


def test_a_later_count_stands_on_a_movement_that_is_to_be_taken_back(desk: Desk) -> None:
    cause = desk.do(product(), ReceiveStock(sku="A", quantity=5))
    desk.do(CountStock(sku="A", quantity=4), who="bob")
    received = desk.app.reader.chosen_of_correlation(cause, 10)[-1][0]
    report = desk.undo("skip", position=received)
    assert (report.undone, report.newer, desk.fields()[STOCK]) == (0, 1, 4)


def test_products_of_an_import_that_is_taken_back_are_discontinued_and_sold_nowhere(desk: Desk) -> None:
    cause = desk.do(product(channels={"toy": True}, stock={"main": 3}), price("10"))
    report = desk.undo(correlation=cause)
    found = desk.fields()
    assert (found["discontinued"], found["channels.toy"], found[STOCK], found[PRICE]) == (True, False, 0, "10.00")
    desk.undo(correlation=report.correlation_id)
    assert (desk.fields().get("discontinued"), desk.fields()["channels.toy"], desk.fields()[STOCK]) == (None, True, 3)


def test_what_one_person_did_in_a_while_is_taken_back_and_the_others_work_stays(desk: Desk) -> None:
    desk.do(product(), price("10"), named("shoe"))
    since = desk.app.reader.last(1)[0].recorded_at.isoformat()
    desk.do(price("11"), who="bob")
    desk.do(named("boot"), who="carl")
    assert desk.undo(since=since, by="bob").undone == 1
    assert (desk.fields()[PRICE], desk.fields()[NAME]) == ("10.00", "boot")


def test_definitions_are_told_as_what_no_undo_takes_back(desk: Desk) -> None:
    cause = desk.do(DefineAttribute(attribute=AttributeDefined(code="size", type="text")), product())
    assert desk.plan(correlation=cause).others == {"attribute.defined.v1": 1}


@pytest.mark.parametrize(
    "selected", [{}, {"position": 1, "correlation": "x"}, {"by": "ann"}, {"position": 1, "until": "2026-01-01"}]
)
def test_a_selection_that_says_nothing_or_too_much_is_refused(desk: Desk, selected: dict[str, Any]) -> None:
    with pytest.raises(InvalidValue):
        desk.plan(**selected)


def test_a_selection_of_nothing_says_so(desk: Desk) -> None:
    with pytest.raises(NotFound, match="nothing to undo"):
        desk.plan(correlation="nothing")
    with pytest.raises(NotFound, match="no position 999"):
        desk.plan(position=999)


@examples(few=15, many=300)
@given(
    before=st.lists(commands, min_size=3, max_size=12),
    chosen=st.lists(commands, min_size=1, max_size=8),
    skip=st.booleans(),
)
def test_undo_is_before_again_is_nothing_and_undo_of_undo_is_after(
    database: str, before: list[Command], chosen: list[Command], skip: bool
) -> None:
    with App(Settings(data=Path("unused"), postgres=database), Registry([toy()])) as app:
        desk = Desk(app)
        desk.do(DefineAttribute(attribute=AttributeDefined(code="name", type="text")))
        desk.do(*before)
        then, there = desk.all(), {sku for sku in SKUS if desk.fields(sku)}
        cause = desk.do(*chosen)
        now = desk.all()
        if not any(kind.startswith(("product", "stock")) for _, _, kind in app.reader.chosen_of_correlation(cause, 99)):
            return
        report = desk.undo("skip" if skip else "refuse", correlation=cause)
        assert (report.newer, report.refused) == (0, 0)
        undone = desk.all()
        # A piece that was never counted and a location that has none are the same to everybody.
        assert {sku: _told(undone[sku]) for sku in there} == {sku: _told(then[sku]) for sku in there}
        assert all(undone[sku].get("discontinued") for sku in SKUS if undone[sku] and sku not in there)
        head = app.reader.head()
        assert desk.undo(correlation=cause).undone == 0 and app.reader.head() == head
        if report.undone:
            desk.undo(correlation=report.correlation_id)
        assert {sku: _told(one) for sku, one in desk.all().items()} == {sku: _told(one) for sku, one in now.items()}


def _told(fields: Fields) -> Fields:
    off = {name for name, value in fields.items() if value is False or (name.startswith("stock.") and value == 0)}
    return {name: value for name, value in fields.items() if name not in off}
