"""Files that shops write, taken into a real book: recognised, planned, taken, and again nothing."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from daybook.app import App
from daybook.channel.registry import Registry
from daybook.commands import DefineAttribute, DescribeProduct
from daybook.config import Settings
from daybook.events import AttributeDefined
from daybook.importing.ingest import ingest
from daybook.importing.report import Report
from daybook.importing.rows import ImportRefused
from daybook.importing.shop.cells import ShopOptions, checked
from daybook.importing.shop.format import decoded
from daybook.importing.shop.read import parents_in, read
from daybook.log.pending import Context
from daybook.queries.fields import Fields, own
from daybook.queries.groups import fold
from tests.fixtures.channels import toy
from tests.fixtures.shop_files import FEED, HANDLES, HANDLES_NEW, KINDS


class Desk:
    """A book, and files that are taken into it."""

    def __init__(self, app: App, folder: Path) -> None:
        self.app, self.folder = app, folder

    def take(self, text: str, *, dry_run: bool = False, chosen: bytes | None = None, **options: Any) -> Report:
        path = self.folder / "export.csv"
        path.write_text(text)
        given: dict[str, Any] = {"create": True, "currency": "EUR"} | options
        wish = checked(ShopOptions(**given))
        own_format = None if chosen is None else decoded(chosen, "ours.json")
        entries = read(path, self.app.reader.reference(), wish, parents_in(self.app.book), own_format)
        return ingest(self.app.book, entries, actor="ann", source="import:shop", dry_run=dry_run)

    def fields(self, sku: str) -> Fields:
        key = self.app.reader.key_of(sku)
        return {} if key is None else own(fold(self.app.reader.of_key(key)), sku)


@pytest.fixture
def desk(database: str, tmp_path: Path) -> Iterator[Desk]:
    with App(Settings(data=Path("unused"), postgres=database), Registry([toy()])) as app:
        yield Desk(app, tmp_path)


def products(report: Report) -> tuple[int, int, int, int]:
    tally = report.counts["product"]
    return tally.created, tally.changed, tally.unchanged, tally.failed


@pytest.mark.parametrize("text", [HANDLES, HANDLES_NEW])
def test_a_file_of_handles_becomes_models_variants_and_products(desk: Desk, text: str) -> None:
    planned = desk.take(text, dry_run=True, list_on=("toy",))
    assert desk.app.reader.head() == 0
    done = desk.take(text, list_on=("toy",))
    assert products(planned) == products(done) == (4, 0, 0, 1)
    model, small, hat = (desk.fields(sku) for sku in ("rode-sok", "SOK-S", "MUTS"))
    assert (model["kind"], model["axes"], model["attributes.name"]) == ("model", ["size", "color"], "Rode sok")
    assert model["media.image-3"]["url"].endswith("3.jpg") and model["channels.toy"] is True
    assert (small["parent"], small["gtin"], small["prices.default.EUR"]) == ("rode-sok", "4006381333931", "9.95")
    assert (small["attributes.size"], small["attributes.color"], small["stock.main"]) == ("S", "Red", 3)
    assert small["prices.compare_at.EUR"] == "12.00"
    assert small["attributes.weight"] == {"amount": "50", "unit": "GRAM"}
    assert (hat["kind"], hat["channels.toy"]) == ("product", False)
    (problem,) = [one for one in done.problems if not one.taken]
    assert "has no SKU" in problem.reason and problem.line == 6
    assert "is below zero" in next(one.reason for one in done.problems if one.taken)
    assert {"Tags", "Type"} <= {notice.field for notice in done.notices}
    head = desk.app.reader.head()
    assert products(desk.take(text, list_on=("toy",))) == (0, 0, 4, 1) and desk.app.reader.head() == head


def test_a_file_of_kinds_becomes_models_variants_and_products(desk: Desk) -> None:
    assert products(desk.take(KINDS, list_on=("toy",), locale="en-GB")) == (4, 0, 0, 2)
    model, red, cup = (desk.fields(sku) for sku in ("SHIRT", "SHIRT-RED", "CUP"))
    assert (model["kind"], model["axes"], model["attributes.name@en-GB"]) == ("model", ["color"], "Shirt")
    assert (red["parent"], red["attributes.color"], red["prices.sale.EUR"]) == ("SHIRT", "Red", "15.00")
    assert desk.fields("SHIRT-BLUE")["parent"] == "SHIRT", "named by id:10"
    assert (cup["attributes.material"], cup["attributes.weight"]["unit"], cup["channels.toy"]) == (
        "Stone, Clay",
        "KILOGRAM",
        False,
    )
    assert [cup[f"media.image-{number}"]["url"][-5:] for number in (1, 2)] == ["1.jpg", "2.jpg"]
    assert products(desk.take(KINDS, list_on=("toy",), locale="en-GB")) == (0, 0, 4, 2)


def test_a_feed_becomes_products_and_the_variants_of_a_group(desk: Desk) -> None:
    assert products(desk.take(FEED, currency=None)) == (4, 0, 0, 0)
    assert (desk.fields("G")["kind"], desk.fields("G")["axes"]) == ("model", ["color"])
    assert (desk.fields("G-1")["parent"], desk.fields("G-1")["prices.default.USD"]) == ("G", "19.99")
    assert (desk.fields("SOLO")["kind"], desk.fields("SOLO")["prices.sale.EUR"]) == ("product", "8.50")
    assert products(desk.take(FEED, currency=None)) == (0, 0, 4, 0)


def test_a_file_of_some_columns_changes_these_alone_and_creates_nothing_unless_that_is_said(desk: Desk) -> None:
    desk.take(KINDS, locale="en-GB")
    before = desk.fields("CUP")
    some = "ID,Type,SKU,Name,Regular price\n1,simple,CUP,,6\n2,simple,NEW,New,1\n"
    report = desk.take(some, create=False, locale="en-GB")
    assert products(report) == (0, 1, 0, 1) and "unless --create" in report.problems[0].reason
    assert desk.fields("CUP") == before | {"prices.default.EUR": "6.00"}
    assert desk.fields("NEW") == {}


def test_variants_that_the_book_has_stay_with_their_model_whatever_the_handle(desk: Desk) -> None:
    desk.take(HANDLES)
    renamed = HANDLES.replace("rode-sok", "red-sock").replace("9.95", "8.95")
    assert products(desk.take(renamed)) == (0, 2, 2, 1)
    assert (desk.fields("red-sock"), desk.fields("SOK-S")["parent"]) == ({}, "rode-sok")
    for sku in ("X-1", "X-2"):
        desk.app.book.carry_out(DescribeProduct(sku=sku, kind="product"), Context.new("ann", "test"))
    apart = HANDLES.replace("SOK-S", "X-1").replace("SOK-M", "X-2")
    desk.take(apart)
    assert (desk.fields("X-1")["kind"], desk.fields("X-1")["attributes.name"]) == ("product", "Rode sok")


def test_values_are_those_of_the_attributes_that_the_book_has(desk: Desk) -> None:
    option = ({"code": "r", "labels": {"en-GB": "Red"}},)
    colour = msgspec.convert(
        {"code": "kleur", "type": "select", "options": option, "labels": {"en-GB": "Color"}}, AttributeDefined
    )
    desk.app.book.carry_out(DefineAttribute(attribute=colour), Context.new("ann", "test"))
    desk.take(HANDLES)
    assert (desk.fields("SOK-S")["attributes.kleur"], desk.fields("rode-sok")["axes"]) == ("r", ["size", "kleur"])


def test_a_format_of_ones_own_is_a_file_of_data(desk: Desk) -> None:
    ours = (
        b'{"name": "Ours", "grouping": "kind", "needs": [["Artikel"]],'
        b' "columns": {"Artikel": "sku", "Naam": "text.name", "Prijs": "price"}}'
    )
    assert products(desk.take("Artikel;Naam;Prijs\nA1;Stoel;12,50\n", chosen=ours)) == (1, 0, 0, 0)
    assert desk.fields("A1")["prices.default.EUR"] == "12.50"


@pytest.mark.parametrize(
    ("text", "options", "reason"),
    [
        ("sku,name\nA,x\n", {}, "is of no format that is known here"),
        (KINDS, {"currency": None}, "prices name no currency"),
        ("ID,Type,SKU,Name,Regular price\n1,simple,A,x,1\n2,simple,A,y,1\n", {}, "tells A again"),
        ("Handle,Title,Variant SKU,SKU\nx,y,A,B\n", {}, "say the same"),
        ("Handle,Title,Variant SKU\nx,y,A,B\n", {}, "cells, the header"),
        ('Handle,Title,Variant SKU\nx,"y,A\n', {}, "can't be read as CSV"),
        ("ID,Type,SKU,Name,Regular price,Handle,Title,Variant SKU\n", {}, "say which by --format"),
    ],
)
def test_a_file_that_nobody_understands_is_refused_whole(
    desk: Desk, text: str, options: dict[str, Any], reason: str
) -> None:
    with pytest.raises(ImportRefused, match=reason):
        desk.take(text, **options)
    assert desk.app.reader.head() == 0


def test_a_text_that_differs_by_locale_wants_to_know_which(desk: Desk) -> None:
    name = AttributeDefined(code="name", type="text", localizable=True)
    desk.app.book.carry_out(DefineAttribute(attribute=name), Context.new("ann", "test"))
    with pytest.raises(ImportRefused, match="name differs by locale"):
        desk.take(HANDLES)


def test_amounts_that_may_be_two_are_asked_about(desk: Desk) -> None:
    report = desk.take('ID,Type,SKU,Name,Regular price\n1,simple,A,x,"1,234"\n2,simple,B,y,"1,23"\n')
    assert products(report) == (1, 0, 0, 1) and "decimal or thousands" in report.problems[0].reason
