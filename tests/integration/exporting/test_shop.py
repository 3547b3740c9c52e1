"""What is written as the file of a shop and taken back changes nothing, and what it can't say is counted."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from daybook.app import App
from daybook.channel.registry import Registry
from daybook.commands import DefineAttribute, DescribeProduct
from daybook.config import Settings
from daybook.errors import InvalidValue
from daybook.events import AttributeDefined
from daybook.exporting.shop import ShopExport
from daybook.importing.ingest import ingest
from daybook.importing.report import Report
from daybook.importing.shop.cells import ShopOptions
from daybook.importing.shop.format import named
from daybook.importing.shop.read import parents_in, read
from daybook.log.pending import Context
from tests.fixtures.channels import toy
from tests.fixtures.examples import examples

FORMATS = ("shopify", "woocommerce")
OPTIONS = ShopOptions(create=True, currency="EUR", locale="nl-NL", list_on=("toy",))


class Desk:
    """A book whose catalogue goes out and comes back."""

    def __init__(self, app: App, folder: Path) -> None:
        self.app, self.path = app, folder / "shop.csv"

    def describe(self, sku: str, kind: str, **said: Any) -> None:
        wish = msgspec.convert({"sku": sku, "kind": kind, "exact": True} | said, DescribeProduct)
        self.app.book.carry_out(wish, Context.new("ann", "test"))

    def write(self, form: str) -> ShopExport:
        made = ShopExport(self.app.reader, named(form), OPTIONS, self.app.reader.head())
        self.path.write_bytes(b"".join(made.lines()))
        return made

    def cells(self) -> list[dict[str, str]]:
        return list(csv.DictReader(io.StringIO(self.path.read_bytes().decode(), newline="")))

    def take(self, form: str) -> Report:
        entries = read(self.path, self.app.reader.reference(), OPTIONS, parents_in(self.app.book), named(form))
        return ingest(self.app.book, entries, actor="ann", source="import:shop")


@pytest.fixture
def desk(database: str, tmp_path: Path) -> Iterator[Desk]:
    with App(Settings(data=Path("unused"), postgres=database), Registry([toy()])) as app:
        kinds = {"name": "text", "description": "textarea", "brand": "text", "color": "text", "weight": "measure"}
        kinds |= {"pockets": "number", "washable": "boolean"}
        for code, kind in kinds.items():
            definition = {"code": code, "type": kind, "localizable": code in ("name", "description")}
            definition |= {"unit": "GRAM"} if kind == "measure" else {}
            wish = DefineAttribute(attribute=msgspec.convert(definition, AttributeDefined))
            app.book.carry_out(wish, Context.new("ann", "test"))
        yield Desk(app, tmp_path)


def attribute(code: str, value: Any, locale: str | None = None) -> dict[str, Any]:
    return {"attribute": code, "locale": locale, "value": value}


texts = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=12) | st.sampled_from(
    ["=1+1", "'quoted", "  blanks ", "a\nb", 'say "hi"', "1,5", "-", "Default Title", "true", "0"]
)
values = st.fixed_dictionaries(
    {},
    optional={
        "name": texts.map(lambda one: attribute("name", one, "nl-NL")),
        "description": texts.map(lambda one: attribute("description", one, "nl-NL")),
        "english": texts.map(lambda one: attribute("name", one, "en-GB")),
        "brand": texts.map(lambda one: attribute("brand", one)),
        "color": texts.map(lambda one: attribute("color", one)),
        "weight": st.sampled_from(["0", "50", "50.0", "0.25"]).map(
            lambda one: attribute("weight", {"amount": one, "unit": "GRAM"})
        ),
        "pockets": st.sampled_from([0, 3, 2.5]).map(lambda one: attribute("pockets", one)),
        "washable": st.booleans().map(lambda one: attribute("washable", one)),
    },
)
described = st.fixed_dictionaries(
    {"attributes": values.map(lambda one: [*one.values()])},
    optional={
        "gtin": st.sampled_from(["4006381333931", "0000", "n/a"]),
        "prices": st.sampled_from(
            [
                [{"amount": "9.95", "currency": "EUR"}],
                [{"amount": "0", "currency": "EUR"}, {"amount": "5", "currency": "USD"}],
                [{"amount": "12", "currency": "EUR", "price_list": "sale"}],
            ]
        ),
        "stock": st.sampled_from([{"main": 3}, {"main": 0, "other": 2}]),
        "channels": st.sampled_from([{"toy": True}, {"toy": False}]),
        "media": st.sampled_from(
            [
                [{"media_id": "image-1", "url": "https://e.example.com/1.jpg"}],
                [{"media_id": f"image-{number}", "url": f"https://e.example.com/{number}.jpg"} for number in (1, 2, 3)],
                [{"media_id": "manual", "url": "https://e.example.com/1.pdf", "role": "manual"}],
                [{"media_id": f"image-{number}", "url": "https://e.example.com/same.jpg"} for number in (1, 2)],
            ]
        ),
    },
)


@pytest.mark.parametrize("form", FORMATS)
@examples(40, 400)
@given(plain=described, model=described, small=described, large=described, both=st.booleans())
def test_an_export_that_is_taken_back_changes_nothing(
    desk: Desk, form: str, plain: Any, model: Any, small: Any, large: Any, both: bool
) -> None:
    desk.describe("P", "product", **plain)
    desk.describe("M", "model", axes=["color"], **{name: said for name, said in model.items() if name != "stock"})
    desk.describe("M-S", "variant", parent="M", **small)
    if both:
        desk.describe("M-L", "variant", parent="M", **large)
    desk.write(form)
    head = desk.app.reader.head()
    report = desk.take(form)
    assert not [one.reason for one in report.problems if not one.taken]
    assert desk.app.reader.head() == head, report.problems


@pytest.mark.parametrize("form", FORMATS)
def test_the_file_says_what_the_shop_understands_and_the_rest_is_counted(desk: Desk, form: str) -> None:
    names = [attribute("name", "Shirt", "nl-NL"), attribute("name", "Shirt", "en-GB"), attribute("pockets", 2)]
    desk.describe("M", "model", axes=["color"], attributes=names, channels={"toy": True})
    price = [{"amount": "9.95", "currency": "EUR"}, {"amount": "9", "currency": "USD"}]
    for sku, color in (("M-1", "Red"), ("M-2", "Blue")):
        said = [attribute("color", color)]
        desk.describe(sku, "variant", parent="M", attributes=said, prices=price, stock={"main": 4})
    made = desk.write(form)
    rows = desk.cells()
    wanted = {"shopify": 2, "woocommerce": 3}
    assert len(rows) == wanted[form] and "Shirt" in rows[0].values()
    assert [row["SKU"] for row in rows if row["SKU"].startswith("M-")] == ["M-1", "M-2"]
    assert {"Red", "9.95", "4", "color"} <= set(rows[-2].values()) and {"Blue"} <= set(rows[-1].values())
    assert made.lost["prices.default.USD"] == 2 and made.lost["attributes.name@en-GB"] == 1
    assert made.lost["attributes.pockets"] == 1


def test_a_format_that_is_only_read_and_a_currency_that_nobody_said_are_refused(desk: Desk) -> None:
    with pytest.raises(InvalidValue, match="is only read here"):
        desk.write("google")
    with pytest.raises(InvalidValue, match="say which prices"):
        ShopExport(desk.app.reader, named("shopify"), ShopOptions(), 1)
