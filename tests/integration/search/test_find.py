"""What is found is what a plain scan of the book finds, live and rebuilt, and what lies outside of a scope never is."""

import asyncio
import contextlib
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daybook.access.authority import EVERYWHERE, Reach
from daybook.app import App
from daybook.catalogue.group import Group
from daybook.catalogue.marks import folded
from daybook.channel.registry import Registry
from daybook.commands import DefineAttribute, DefineCategory, DescribeProduct
from daybook.commands.book import Command
from daybook.commands.describe import Price
from daybook.config import Settings
from daybook.errors import DaybookError, Forbidden, InvalidValue, NotFound
from daybook.events import AccessScope, AttributeChange, AttributeDefined, CategoryDefined
from daybook.log.pending import Context
from daybook.queries.fields import effective
from daybook.queries.groups import fold
from daybook.queries.reach import touched_by
from daybook.search.find import Search
from daybook.search.terms import Term, wanted
from daybook_projections import search
from tests.fixtures.channels import toy
from tests.fixtures.examples import examples
from tests.fixtures.rebuilding import rebuilt, run_live
from tests.fixtures.toy_shop import second_toy

PARENTS = {"all": None, "shoes": "all", "bags": None}
SKUS = ("A-1", "A-2", "M", "M-1", "M-2")
NAMES = ("Rode sokken", "Red socks", "Crème bags", None)


@pytest.fixture
def app(database: str) -> Iterator[App]:
    with App(Settings(data=Path("unused"), postgres=database), Registry([toy(), second_toy(), search.manifest])) as app:
        for code, parent in PARENTS.items():
            carry(app, DefineCategory(category=CategoryDefined(code=code, parent=parent)))
        carry(app, DefineAttribute(attribute=AttributeDefined(code="name", type="text", localizable=True)))
        carry(app, DefineAttribute(attribute=AttributeDefined(code="color", type="text")))
        yield app


def carry(app: App, *commands: Command) -> None:
    for one in commands:
        app.book.carry_out(one, Context.new("ann", "test"))


def level(app: App) -> None:
    asyncio.run(run_live(app.settings.require_postgres(), search.manifest))


def described(sku: str, name: str | None = None, locale: str = "nl-NL", **fields: Any) -> DescribeProduct:
    kind: dict[str, Any] = {"kind": "model"} if sku == "M" else {"kind": "product"}
    kind |= {"kind": "variant", "parent": "M"} if sku.startswith("M-") else {}
    values = () if name is None else (AttributeChange(attribute="name", value=name, locale=locale),)
    return DescribeProduct(sku=sku, attributes=values, exact=True, **(kind | fields))


def priced(amount: str | None) -> tuple[Price, ...]:
    return () if amount is None else (Price(amount=amount, currency="EUR"),)


descriptions = st.builds(
    lambda sku, name, locale, gtin, amount, pieces, categories, channels: described(
        sku,
        name,
        locale,
        prices=priced(amount),
        categories=tuple(categories),
        channels=dict.fromkeys(channels, True),
        **({} if sku == "M" else {"gtin": gtin, "stock": {} if pieces is None else {"main": pieces}}),
    ),
    st.sampled_from(SKUS),
    st.sampled_from(NAMES),
    st.sampled_from(("nl-NL", "en-GB")),
    st.sampled_from((None, "4006381333931")),
    st.sampled_from((None, "0.00", "0.01", "19.99", "20.00", "500.00")),
    st.sampled_from((None, 0, 1, 15, 16, 17, 1000)),
    st.lists(st.sampled_from([*PARENTS]), unique=True, max_size=2),
    st.lists(st.sampled_from(("toy", "shop")), unique=True, max_size=2),
)
TERMS = st.sampled_from(
    [
        *("kind=variant", "kind!=model", "category=all", "category=shoes", "category!=bags", "channel=toy"),
        *("has=gtin", "missing=gtin", "missing=name@nl-NL", "has=name", "missing=prices", "has=categories"),
        *("discontinued=false", "sku=A-1", "sku=M*", "sku!=A-2", "parent=M", "gtin=4006381333931"),
        *("stock=0", "stock>0", "stock<=15", "stock>=16", "stock<17", "prices.default.EUR<20", "prices.default.EUR=20"),
        *("prices.default.EUR>19.99", "prices.default.EUR>=0.01", "prices.default.EUR!=20", "prices.default.EUR<=0"),
        *("name=Rode sokken", "name@nl-NL=red socks", "name!=Crème bags"),
    ]
)


def holds(app: App, group: Group, sku: str, term: str) -> bool:
    """Whether the term holds, thought through once more on the product's fields."""
    fields = effective(group, sku)
    parsed = wanted(None, [term]).terms[0]
    field, operator, value = parsed.field, parsed.operator, parsed.value
    if (operator != "=" and operator != "!=") or field == "stock" or field.startswith("prices."):
        amount = fields.get(field) if field != "stock" else group.available(sku) if sku in group.stock else None
        if amount is None:
            return False
        left, right = Decimal(amount), Decimal(value)
        return {
            "<": left < right,
            "<=": left <= right,
            ">": left > right,
            ">=": left >= right,
            "=": left == right,
            "!=": left != right,
        }[operator]
    return said_of(app, group, sku, fields, field, value) is (operator == "=")


def said_of(app: App, group: Group, sku: str, fields: dict[str, Any], field: str, value: str) -> bool:
    match field:
        case "sku":
            return sku.startswith(value[:-1]) if value.endswith("*") else sku == value
        case "category":
            reference = app.reader.reference()
            return any(one.code == value for code in group.categories(sku) for one in reference.category_path(code))
        case "channel":
            return bool(fields.get(f"channels.{value}"))
        case "discontinued":
            return bool(fields.get("discontinued", False)) is (value == "true")
        case "has" | "missing":
            names = {name for name, one in fields.items() if one not in (None, [], "")}
            there = any(
                name == value or name.startswith((f"{value}.", f"attributes.{value}@")) or name == f"attributes.{value}"
                for name in names
            )
            return there is (field == "has")
        case "name" | "name@nl-NL":
            slots = [one for name, one in fields.items() if name.startswith(f"attributes.{field}")]
            return any(folded(one) == folded(value) for one in slots)
        case plain:
            return bool(fields.get(plain) == value)


def scanned(app: App, terms: list[str], reach: Reach = EVERYWHERE) -> list[str]:
    found = []
    for key, _ in app.reader.groups_after("", 1000):
        group = fold(app.reader.of_key(key))
        assert group is not None
        if not reach.holds(touched_by(group, app.reader.reference())):
            continue
        found += [sku for sku in group.products if all(holds(app, group, sku, one) for one in terms)]
    return sorted(found)


def walked(app: App, text: str | None, terms: list[str], *reach: Reach) -> list[str]:
    found: list[str] = []
    after: str | None = ""
    while after is not None:
        page = Search(app, wanted(text, terms), *reach).page(after, 2)
        found += [one.sku for one in page.products]
        after = page.next
    return found


SCOPES = st.builds(
    AccessScope,
    categories=st.none() | st.just(("all",)) | st.just(("bags",)),
    channels=st.none() | st.just(("toy",)) | st.just(("shop",)),
)


@examples(few=3, many=200)
@given(
    history=st.lists(descriptions, min_size=3, max_size=8),
    asked=st.lists(st.lists(TERMS, min_size=1, max_size=3), min_size=8, max_size=16),
    scope=SCOPES,
)
def test_what_is_found_is_what_a_plain_scan_finds(
    app: App, history: list[Command], asked: list[list[str]], scope: AccessScope
) -> None:
    for one in (described("M"), *history):
        with contextlib.suppress(DaybookError):
            carry(app, one)
    level(app)
    asyncio.run(rebuilt(app.settings.require_postgres(), search.manifest, apply=True, fresh=True))
    within = Reach((scope,))
    for terms in asked:
        assert walked(app, None, terms) == scanned(app, terms), terms
        with contextlib.suppress(Forbidden):
            assert walked(app, None, terms, within, within) == scanned(app, terms, within), terms
            page = Search(app, wanted(None, terms), within, within).page(count_by="kind")
            assert page.total == sum(page.counts.values()) == len(scanned(app, terms, within))


def test_words_are_found_in_the_forms_of_their_language_and_with_mistakes_where_nothing_has_them(app: App) -> None:
    carry(
        app,
        described("M", "Rode sokken"),
        described("A-1", "Crème sock", "en-GB"),
        described("M-1", gtin="4006381333931"),
    )
    level(app)

    assert walked(app, "SOK", []) == ["M", "M-1"]
    assert walked(app, "rode sok", []) == ["M", "M-1"]
    assert walked(app, "socks creme", []) == ["A-1"]
    assert walked(app, "m-1", []) == ["M-1"]
    assert walked(app, "4006381333931", []) == ["M-1"]
    near = Search(app, wanted("rode sokkenn", [])).page()
    assert near.near and [one.sku for one in near.products] == ["M", "M-1"]
    assert not Search(app, wanted("bicycle", [])).page().near


def test_what_a_person_mistypes_is_refused_with_what_there_is(app: App) -> None:
    level(app)
    for term, said in (
        ("colour=red", "there is no field or attribute colour"),
        ("prices.default.EUR<cheap", "is no decimal number"),
        ("stock<many", "must be a number"),
        ("missing=everything", "must be one of"),
        ("color<3", "with = and != only"),
        ("just words", "a field, an operator and a value"),
    ):
        with pytest.raises(InvalidValue, match=said):
            Search(app, wanted(None, [term]))
    for term, said in (
        ("channel=nope", "where: channel: there is no channel 'nope'; there are: shop, toy"),
        ("rejected=nowhere", "where: rejected: there is no channel 'nowhere'; there are: shop, toy"),
        ("family=shoos", "where: family: there is no family 'shoos'"),
        ("family!=shoos", "there is no family 'shoos'"),
        ("category=nope", "where: category: there is no category 'nope'; there are: all, bags, shoes"),
        ("kind=foo", "there is no kind 'foo'; there are: model, product, variant"),
        ("missing=name@", "must be an attribute, such as name or name@nl-NL"),
        ("has=name#", "must be an attribute"),
        ("missing=name@xx-YY", "where: missing: "),
        ("name@=Rode sokken", "must be an attribute"),
        ("missing=prices.default", "where: missing: "),
        ("has=prices.nolist.EUR", "there is no price list 'nolist'"),
        ("prices.nolist.EUR<20", "there is no price list 'nolist'"),
    ):
        with pytest.raises(InvalidValue) as refused:
            Search(app, wanted(None, [term]))
        assert said in refused.value.message and refused.value.details["field"] == "where", term
    with pytest.raises(InvalidValue, match="on: channel: there is no channel 'nope'"):
        Search(app, wanted(None, [], [Term("channel", "=", "nope", "on")]))
    with pytest.raises(InvalidValue, match="count_by: must be an attribute"):
        Search(app, wanted(None, [])).page(count_by="name@")


def test_a_price_list_that_no_channel_names_is_known_where_a_product_has_it(app: App) -> None:
    carry(app, described("A-1", prices=(Price(amount="1.00", currency="EUR", price_list="b2b"),)))
    level(app)
    for term in ("has=prices.b2b.EUR", "prices.b2b.EUR<20"):
        assert walked(app, None, [term]) == ["A-1"], term


def test_nobody_asks_for_a_channel_outside_of_his_grants(app: App) -> None:
    carry(app, described("A-1", channels={"toy": True, "shop": True}))
    level(app)
    within = Reach((AccessScope(channels=("toy",)),))
    for term in (
        "channel=shop",
        "rejected=shop",
        "held=shop",
        "has=channels",
        "missing=channels",
        "changed>=0",
        "by=ann",
    ):
        with pytest.raises(Forbidden):
            Search(app, wanted(None, [term]), within, within)
    found = Search(app, wanted(None, []), within, within).page(count_by="channel")
    assert found.counts == {"toy": 1} and found.products[0].channels == ["toy"]


def test_before_the_search_ever_ran_the_next_step_is_told(app: App) -> None:
    with pytest.raises(NotFound, match="daybook up"):
        Search(app, wanted("socks", []))
