"""What is found is changed: planned and applied alike, each product once, and undone whole."""

import asyncio
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from daybook.app import App
from daybook.channel.registry import Registry
from daybook.commands import DefineAttribute, DefineCategory, DescribeProduct
from daybook.commands.book import Command
from daybook.config import Settings
from daybook.edit.followers import listings_below
from daybook.edit.found import FoundEdit
from daybook.errors import InvalidValue
from daybook.events import AttributeDefined, CategoryDefined
from daybook.ids import new_id
from daybook.importing.ingest import ingest
from daybook.importing.report import Report
from daybook.importing.rows import Notice
from daybook.limits import Limit
from daybook.log.pending import Context
from daybook.queries.fields import Fields, own
from daybook.queries.groups import fold
from daybook.search.terms import wanted
from daybook.undo.selection import Selection
from daybook.undo.undo import Undo, sent
from daybook_projections import search
from tests.fixtures.channels import toy
from tests.fixtures.examples import examples
from tests.fixtures.rebuilding import run_live

SKUS = ("A", "B", "M", "M-1")
PRICE = "prices.default.EUR"


class Desk:
    """A book with its search, and edits of it."""

    def __init__(self, app: App) -> None:
        self.app = app

    def do(self, *some: Command) -> None:
        for one in some:
            self.app.book.carry_out(one, Context.new("ann", "test"))

    def level(self) -> None:
        asyncio.run(run_live(self.app.settings.require_postgres(), search.manifest))

    def edit(
        self, *texts: str, where: str = "sku=*", correlation: str | None = None, rows: int | None = None, **more: Any
    ) -> Report:
        """`rows`: so many of them, as if it had been ended behind them."""
        cause = correlation or new_id()
        found = FoundEdit(self.app, wanted(None, [where]), texts).entries(cause)
        entries = [one for one in found if isinstance(one, Notice) or rows is None or one.line <= rows]
        follow = partial(listings_below, self.app.reader)
        return ingest(self.app.book, entries, actor="ann", source="edit", correlation_id=cause, follow=follow, **more)

    def undo(self, correlation: str) -> None:
        selection = Selection(correlation=correlation)
        Undo(self.app.book, self.app.reader, selection).carry_out(sent("ann", selection))

    def fields(self, sku: str) -> Fields:
        key = self.app.reader.key_of(sku)
        return {} if key is None else own(fold(self.app.reader.of_key(key)), sku)

    def all(self) -> dict[str, Fields]:
        return {sku: self.fields(sku) for sku in SKUS}


@pytest.fixture
def desk(database: str) -> Iterator[Desk]:
    with App(Settings(data=Path("unused"), postgres=database), Registry([toy(), search.manifest])) as app:
        made = Desk(app)
        for code, kind in (("name", "text"), ("pockets", "number"), ("weight", "measure")):
            unit = "KILOGRAM" if kind == "measure" else None
            wish = AttributeDefined(code=code, type=kind, unit=unit, localizable=code == "name")  # type: ignore[arg-type]
            made.do(DefineAttribute(attribute=wish))
        made.do(*(DefineCategory(category=CategoryDefined(code=code)) for code in ("sale", "shoes")))
        prices = {"prices": ({"amount": "19.99", "currency": "EUR"}, {"amount": "100", "currency": "JPY"})}
        made.do(*(product(sku, **prices) for sku in ("A", "B")))
        made.do(product("M", kind="model", **prices), product("M-1", kind="variant", parent="M"))
        made.level()
        yield made


def product(sku: str, **said: Any) -> DescribeProduct:
    return msgspec.convert({"sku": sku, "kind": "product"} | said, DescribeProduct)


def amounts(desk: Desk, field: str = PRICE) -> list[Any]:
    return [desk.fields(sku).get(field) for sku in SKUS]


def outcome(report: Report) -> tuple[int, int, int]:
    tally = report.counts["product"]
    return tally.changed, tally.unchanged, tally.failed


def test_prices_are_multiplied_exactly_and_rounded_to_the_smallest_unit_of_their_currency(desk: Desk) -> None:
    report = desk.edit(f"{PRICE}*=1.05", "prices.default.JPY*=1.005")
    assert amounts(desk) == ["20.99", "20.99", "20.99", None]
    assert amounts(desk, "prices.default.JPY") == ["101", "101", "101", None], "a half goes up"
    assert outcome(report) == (3, 1, 0)
    assert any("rounded" in notice.reason for notice in report.notices)
    (left,) = {problem.reason for problem in report.problems if problem.field == PRICE}
    assert "no prices.default.EUR of its own" in left and all(problem.sku == "M-1" for problem in report.problems)


def test_an_edit_begun_again_with_its_correlation_changes_no_product_twice(desk: Desk) -> None:
    cause = new_id()
    half = desk.edit(f"{PRICE}*=2", correlation=cause, rows=2)
    assert half.counts["product"].changed == 2
    for dry_run in (True, False):
        on = desk.edit(f"{PRICE}*=2", correlation=cause, dry_run=dry_run)
        assert on.counts["product"].changed + half.counts["product"].changed == 3
    assert amounts(desk)[:3] == ["39.98"] * 3
    again = desk.edit(f"{PRICE}*=2", correlation=cause)
    assert (again.counts["product"].changed, amounts(desk)[:3]) == (0, ["39.98"] * 3)
    assert {problem.reason for problem in again.problems if problem.sku == "A"} == {
        "was changed by this edit before: left as it is"
    }


def test_two_at_once_with_one_correlation_multiply_once_and_another_edit_multiplies_again(desk: Desk) -> None:
    cause = new_id()
    both = [threading.Thread(target=desk.edit, args=(f"{PRICE}*=2",), kwargs={"correlation": cause}) for _ in "ab"]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert amounts(desk)[:3] == ["39.98"] * 3
    desk.edit(f"{PRICE}*=2")
    assert amounts(desk)[:3] == ["79.96"] * 3
    desk.edit(f"{PRICE}+=1", correlation=cause)
    assert amounts(desk)[:3] == ["80.96"] * 3, "the same cause, but another wish"


def test_fields_are_set_added_to_and_removed(desk: Desk) -> None:
    desk.edit(
        "name@nl-NL=Rode = sokken", "gtin=4006381333931", "pockets=4", "weight=1.5", "categories=shoes", where="sku=A"
    )
    desk.edit("pockets-=1.5", "weight*=2", "categories+=sale", "channels.toy=true", "stock.main=7", where="sku=A")
    found = desk.fields("A")
    assert (found["attributes.name@nl-NL"], found["attributes.pockets"]) == ("Rode = sokken", 2.5)
    assert found["attributes.weight"] == {"amount": "3", "unit": "KILOGRAM"}
    assert (found["categories"], found["channels.toy"], found["stock.main"]) == (["shoes", "sale"], True, 7)
    desk.edit("name@nl-NL=", "gtin=", f"{PRICE}=", "categories-=shoes", where="sku=A")
    found = desk.fields("A")
    assert not {"attributes.name@nl-NL", "gtin", PRICE} & found.keys() and found["categories"] == ["sale"]
    assert desk.fields("B")[PRICE] == "19.99"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("nonsense", "must be a field"),
        ("nosuch=1", "'nosuch' means nothing here"),
        ("sku=B", "is fixed"),
        ("family=x", "is fixed"),
        ("name@nl-NL*=2", "takes = alone"),
        ("stock.main+=2", "takes = alone"),
        (f"{PRICE}*=a lot", "takes a decimal number"),
        (f"{PRICE}*=1e99", "takes a decimal number"),
        (f"{PRICE}=1.999", "more decimals than EUR allows"),
        ("prices.default.XYZ=1", "no ISO 4217 currency code"),
        ("channels.nosuch=true", "there is no channel"),
        ("categories+=nosuch", "there is no category"),
        ("name=Sok", "name"),
        ("pockets=many", "must be a number"),
    ],
)
def test_what_no_product_could_have_is_refused_before_anything_is_looked_for(
    desk: Desk, text: str, reason: str
) -> None:
    with pytest.raises(InvalidValue, match=r"^set: ") as caught:
        desk.edit(text)
    assert reason in caught.value.message


def test_a_price_below_zero_is_refused_for_that_product_and_the_others_are_changed(desk: Desk) -> None:
    desk.edit(f"{PRICE}=5", where="sku=A")
    report = desk.edit(f"{PRICE}-=10")
    assert outcome(report) == (2, 1, 1) and amounts(desk) == ["5.00", "9.99", "9.99", None]


def test_everything_is_changed_only_where_that_is_said_and_no_more_than_the_limit(desk: Desk) -> None:
    with pytest.raises(InvalidValue, match=r"sku=\* for all"):
        FoundEdit(desk.app, wanted(None, []), [f"{PRICE}=1"])
    with pytest.raises(InvalidValue, match=r"names .* twice"):
        desk.edit(f"{PRICE}=1", f"{PRICE}*=2")
    with pytest.raises(InvalidValue, match="at most 2 are taken"):
        FoundEdit(desk.app, wanted(None, ["sku=*"]), [f"{PRICE}=1"], limit=Limit("products", 2, "less"))


def test_a_plan_tells_the_listings_that_show_something_of_it(desk: Desk) -> None:
    desk.do(product("M", kind="model", channels={"toy": True}), product("A", channels={"toy": True}))
    report = desk.edit(f"{PRICE}=1", where="sku!=M-1", dry_run=True)
    assert report.listings == {("A", "toy"), ("M-1", "toy")}


settings = st.lists(
    st.sampled_from(
        [
            *(f"{PRICE}*=1.0725", f"{PRICE}=9.95", f"{PRICE}=", f"{PRICE}-=15", "prices.default.JPY+=0.5"),
            *("categories+=sale", "categories-=sale", "categories=", "pockets=3", "pockets*=1.5", "weight+=0.1"),
            *("name@nl-NL=Sok", "name@nl-NL=", "channels.toy=true", "discontinued=true", "discontinued=false"),
        ]
    ),
    min_size=1,
    max_size=4,
    unique_by=lambda one: one.partition("=")[0].rstrip("*+-"),
)


def sold(products: dict[str, Fields]) -> dict[str, Fields]:
    """Where a first listing was taken back a product is not sold any more, as where it never was."""
    return {
        sku: {name: value for name, value in fields.items() if not (name.startswith("channels.") and value is False)}
        for sku, fields in products.items()
    }


@examples(20, 100)
@given(edits=st.lists(settings, min_size=1, max_size=3))
def test_a_plan_is_what_is_then_done_and_its_undo_is_before(desk: Desk, edits: list[list[str]]) -> None:
    for texts in edits:
        before = desk.all()
        planned = desk.edit(*texts, dry_run=True)
        assert desk.all() == before
        done = desk.edit(*texts)
        assert outcome(planned) == outcome(done)
        changed = {plan.name: plan.changes for plan in planned.plans if plan.outcome == "changed"}
        for sku, fields in desk.all().items():
            expected = dict(before[sku])
            for change in changed.get(sku, ()):
                expected[change.field] = change.after
            assert fields == {name: value for name, value in expected.items() if value is not None}
    if done.counts["product"].changed:
        desk.undo(done.correlation_id)
        assert sold(desk.all()) == sold(before)
