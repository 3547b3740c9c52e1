"""Sheets that people edit: CSV and Excel files taken into a real book."""

import datetime
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from daybook.app import App
from daybook.channel.registry import Registry
from daybook.commands import DefineAttribute, DescribeProduct
from daybook.commands.book import Command
from daybook.config import Settings
from daybook.events import AttributeDefined
from daybook.importing.ingest import ingest
from daybook.importing.report import Report
from daybook.importing.rows import ImportRefused
from daybook.importing.sheet.read import SheetOptions, read
from daybook.log.pending import Context
from daybook.queries.fields import Fields, own
from daybook.queries.groups import fold
from tests.fixtures.channels import toy


class Desk:
    """A book, and sheets that are taken into it."""

    def __init__(self, app: App, folder: Path) -> None:
        self.app, self.folder = app, folder
        for code, kind in (("name", "text"), ("weight", "measure"), ("pockets", "number"), ("since", "date")):
            unit = "KILOGRAM" if kind == "measure" else None
            localizable = code == "name"
            wish = AttributeDefined(code=code, type=kind, unit=unit, localizable=localizable)  # type: ignore[arg-type]
            self.do(DefineAttribute(attribute=wish))
        self.do(DescribeProduct(sku="007", kind="product"), DescribeProduct(sku="B", kind="product"))

    def do(self, *some: Command) -> None:
        for one in some:
            self.app.book.carry_out(one, Context.new("ann", "test"))

    def take(self, text: str | bytes, *, dry_run: bool = False, **options: bool) -> Report:
        path = self.folder / "sheet.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return self.take_file(path, dry_run=dry_run, **options)

    def take_file(self, path: Path, *, dry_run: bool = False, **options: bool) -> Report:
        entries = read(path, self.app.reader.reference(), SheetOptions(**options))
        return ingest(self.app.book, entries, actor="ann", source="edit", dry_run=dry_run)

    def excel(self, *rows: tuple[Any, ...]) -> Path:
        book = Workbook()
        for row in rows:
            assert book.active is not None
            book.active.append(row)
        path = self.folder / "sheet.xlsx"
        book.save(path)
        return path

    def fields(self, sku: str) -> Fields:
        key = self.app.reader.key_of(sku)
        return {} if key is None else own(fold(self.app.reader.of_key(key)), sku)


@pytest.fixture
def desk(database: str, tmp_path: Path) -> Iterator[Desk]:
    with App(Settings(data=Path("unused"), postgres=database), Registry([toy()])) as app:
        yield Desk(app, tmp_path)


def test_a_sheet_changes_what_it_holds_and_leaves_the_rest(desk: Desk) -> None:
    desk.do(DescribeProduct(sku="007", stock={"main": 3}))
    report = desk.take("sku,prices.default.EUR,name@nl-NL\n007,12.50,Schoen\nB,9,\n")
    assert (report.ok, report.counts["product"].changed) == (True, 2)
    found = desk.fields("007")
    assert (found["prices.default.EUR"], found["attributes.name@nl-NL"], found["stock.main"]) == ("12.50", "Schoen", 3)
    head = desk.app.reader.head()
    assert desk.take("sku,prices.default.EUR,name@nl-NL\n007,12.50,Schoen\nB,9,\n").counts["product"].unchanged == 2
    assert desk.app.reader.head() == head


def test_a_plan_tells_each_field_and_writes_nothing(desk: Desk) -> None:
    head = desk.app.reader.head()
    report = desk.take("sku,stock.main\n007,5\nNOSUCH,1\n", dry_run=True)
    outcomes = {one.name: (one.outcome, [change.after for change in one.changes]) for one in report.plans}
    assert outcomes == {"007": ("changed", [5]), "NOSUCH": ("failed", [])}
    assert desk.app.reader.head() == head


def test_an_unknown_sku_is_refused_by_its_row_and_the_others_are_taken(desk: Desk) -> None:
    report = desk.take("sku,stock.main\nOO7,5\nB,1\n")
    assert (report.failed, desk.fields("B")["stock.main"], desk.fields("OO7")) == (1, 1, {})
    (problem,) = report.problems
    assert problem.line == 2 and "there is no product OO7" in problem.reason
    assert desk.take("sku,stock.main\nOO7,5\n", create=True).ok
    assert desk.fields("OO7")["stock.main"] == 5


def test_an_empty_cell_leaves_a_value_unless_it_is_said_that_it_removes(desk: Desk) -> None:
    desk.take("sku,gtin,name@nl-NL\nB,4006381333931,Tas\n")
    desk.take("sku,gtin,name@nl-NL\nB,,Zak\n")
    assert desk.fields("B")["gtin"] == "4006381333931"
    desk.take("sku,gtin,name@nl-NL\nB,,\n", empty_removes=True)
    assert "gtin" not in desk.fields("B") and "attributes.name@nl-NL" not in desk.fields("B")


def test_one_sku_that_stands_twice_and_says_different_things_refuses_the_whole(desk: Desk) -> None:
    head = desk.app.reader.head()
    with pytest.raises(ImportRefused, match="line 4: says something else of B than line 2"):
        desk.take("sku,stock.main\nB,1\n007,2\nB,3\n")
    assert desk.app.reader.head() == head
    assert desk.take("sku,stock.main\nB,1\nB,1\n").ok


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("sku,colour\nB,red\n", "the column 'colour' means nothing here"),
        ("name@nl-NL\nx\n", "has no column sku"),
        ("sku,stock.main,stock.main\nB,1,2\n", "stands twice"),
        ("sku,name@nl-NL,attributes.name@nl-NL\nB,x,y\n", "stands twice"),
        ("", "has no header"),
        ("sku,stock.main\nB,1,2\n", "line 2: has 3 cells, the header 2"),
        ('sku,name@nl-NL\nB,"half\n', "can't be read as CSV"),
        (b"\xd0\xcf\x11\xe0old", "save it as .xlsx"),
        (b"PK\x03\x04nonsense", "can't be read as an Excel file"),
    ],
)
def test_a_file_that_makes_no_sense_is_refused_whole_and_says_why(desk: Desk, text: str | bytes, reason: str) -> None:
    with pytest.raises(ImportRefused, match=reason):
        desk.take(text)


def test_a_cell_that_can_not_be_is_its_rows_problem_alone(desk: Desk) -> None:
    report = desk.take('sku,stock.main,prices.default.EUR\n007,many,1\nB,2,"1,234"\n')
    assert {(one.line, one.field) for one in report.problems} == {(2, "stock.main"), (3, "prices.default.EUR")}
    assert report.failed == 2


def test_separators_encodings_and_decimal_commas_of_offices_are_read(desk: Desk) -> None:
    desk.take("\ufeffsku;prices.default.EUR;weight;name@nl-NL\n007;12,50;1,234 KILOGRAM;één\n")
    found = desk.fields("007")
    assert (found["prices.default.EUR"], found["attributes.name@nl-NL"]) == ("12.50", "één")
    assert found["attributes.weight"] == {"amount": "1.234", "unit": "KILOGRAM"}
    report = desk.take("sku\tname@nl-NL\nB\tdéjà vu\n".encode("cp1252"))
    assert "Windows-1252" in report.notices[0].reason and desk.fields("B")["attributes.name@nl-NL"] == "déjà vu"
    desk.take("sku\tname@nl-NL\nB\tvu\n".encode("utf-16"))
    assert desk.fields("B")["attributes.name@nl-NL"] == "vu"


def test_texts_keep_line_breaks_leading_zeros_and_what_looks_like_a_formula(desk: Desk) -> None:
    desk.take('sku,name@nl-NL\n007,"two\nlines, with ""quotes"""\nB,\'=1+1\n')
    assert desk.fields("007")["attributes.name@nl-NL"] == 'two\nlines, with "quotes"'
    assert desk.fields("B")["attributes.name@nl-NL"] == "=1+1"


def test_an_excel_file_is_read_as_people_see_it(desk: Desk) -> None:
    path = desk.excel(
        ("sku", "prices.default.EUR", "pockets", "since", "discontinued", "stock.main"),
        ("007", 12.5, 3, datetime.date(2026, 3, 1), False, 4),
        ("B", 0.1 + 0.2, None, None, True, None),
    )
    assert desk.take_file(path).ok
    found = desk.fields("007")
    assert (found["prices.default.EUR"], found["attributes.pockets"], found["attributes.since"]) == (
        "12.50",
        3,
        "2026-03-01",
    )
    assert (found["stock.main"], desk.fields("B")["prices.default.EUR"], desk.fields("B")["discontinued"]) == (
        4,
        "0.30",
        True,
    )


def test_a_formula_that_was_never_calculated_and_a_second_sheet_refuse_the_whole(desk: Desk) -> None:
    with pytest.raises(ImportRefused, match="cell B2 holds a formula that was never calculated"):
        desk.take_file(desk.excel(("sku", "stock.main"), ("B", "=1+1")))
    book = Workbook()
    book.create_sheet("other")
    path = desk.folder / "two.xlsx"
    book.save(path)
    with pytest.raises(ImportRefused, match="several sheets"):
        desk.take_file(path)
