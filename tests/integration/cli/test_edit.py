"""`daybook edit`: the real program on a real log."""

import asyncio
from pathlib import Path

import pytest

from daybook_projections import search
from tests.fixtures.commandline import Daybook
from tests.fixtures.rebuilding import run_live


def level(database: str) -> None:
    asyncio.run(run_live(database, search.manifest))


@pytest.fixture
def daybook(database: str) -> Daybook:
    program = Daybook({"DAYBOOK_POSTGRES": database})
    for sku in ("001", "002"):
        program.json("product", "create", sku)
        program.json("product", "price", sku, "10", "EUR")
    return program


def prices(daybook: Daybook) -> list[str]:
    return [daybook.json("product", "show", sku)["prices"][0]["amount"] for sku in ("001", "002")]


def test_an_export_is_edited_taken_back_and_undone_whole(daybook: Daybook, tmp_path: Path) -> None:
    sheet = tmp_path / "all.csv"
    daybook("catalogue", "export", sheet, "--csv")
    assert sheet.read_text().splitlines()[0] == "sku,kind,prices.default.EUR"
    sheet.write_text(sheet.read_text().replace("10.00", "12.50"))
    with daybook.unchanged():
        planned = daybook("edit", sheet, "--dry-run")
    assert "price default EUR 10.00 → 12.50" in planned.stdout and "nothing was written" in planned.stdout
    done = daybook.json("edit", sheet)
    assert (done["counts"]["product"]["changed"], prices(daybook)) == (2, ["12.50", "12.50"])
    with daybook.unchanged():
        assert daybook.json("edit", sheet)["counts"]["product"]["unchanged"] == 2
    daybook.json("undo", "--correlation", done["correlation_id"])
    assert prices(daybook) == ["10.00", "10.00"]


def test_a_typo_in_one_sku_is_told_and_the_others_are_taken(daybook: Daybook, tmp_path: Path) -> None:
    sheet = tmp_path / "prices.csv"
    sheet.write_text("sku,kind,prices.default.EUR\n001,product,11\nOO2,product,11\n")
    done = daybook("edit", sheet)
    assert done.code == 3 and "there is no product OO2, and a sheet creates none unless --create" in done.stdout
    assert prices(daybook) == ["11.00", "10.00"]


def test_a_column_that_means_nothing_refuses_the_whole(daybook: Daybook, tmp_path: Path) -> None:
    sheet = tmp_path / "prices.csv"
    sheet.write_text("sku,price\n001,11\n")
    with daybook.unchanged():
        refused = daybook("edit", sheet)
    assert refused.code == 3 and "the column 'price' means nothing here" in refused.stderr


def test_what_is_found_is_planned_changed_gone_on_with_and_undone(daybook: Daybook, database: str) -> None:
    level(database)
    wish = ("edit", "--where", "sku=001", "--set", "prices.default.EUR*=1.055")
    with daybook.unchanged():
        planned = daybook(*wish, "--dry-run")
    assert "price default EUR 10.00 → 10.55" in planned.stdout and "1 products, as of position" in planned.stdout
    done = daybook.json(*wish)
    assert (done["counts"]["product"]["changed"], prices(daybook)) == (1, ["10.55", "10.00"])
    with daybook.unchanged():
        assert "was changed by this edit before" in daybook(*wish, "--correlation", done["correlation_id"]).stdout
    daybook.json("undo", "--correlation", done["correlation_id"])
    assert prices(daybook) == ["10.00", "10.00"]


@pytest.mark.parametrize(
    "words",
    [
        ("--dry-run",),
        ("--where", "sku=001"),
        ("--set", "gtin="),
        ("x.csv", "--set", "gtin=", "--where", "sku=001"),
        ("--set", "gtin=", "--rejected"),
        ("--set", "gtn=1", "--where", "sku=001"),
    ],
)
def test_what_makes_no_sense_is_refused_with_what_to_say(
    daybook: Daybook, database: str, words: tuple[str, ...]
) -> None:
    level(database)
    with daybook.unchanged():
        refused = daybook("edit", *words)
    assert refused.code == 3 and refused.stderr.strip()


def test_the_file_of_a_shop_is_planned_taken_and_undone(daybook: Daybook, tmp_path: Path) -> None:
    file = tmp_path / "export.csv"
    file.write_text("ID,Type,SKU,Name,Regular price,Tags\n1,simple,001,Cup,12.5,x\n2,simple,N,New,1,\n")
    words = ("import", "shop", file, "--currency", "EUR")
    with daybook.unchanged():
        planned = daybook(*words, "--create", "--dry-run")
    assert "price default EUR 10.00 → 12.50" in planned.stdout and "Tags: is not understood" in planned.stdout
    assert daybook("import", "shop", file).code == 3, "no currency is guessed"
    done = daybook.json(*words, "--create")
    assert (done["counts"]["product"]["created"], prices(daybook)) == (1, ["12.50", "10.00"])
    with daybook.unchanged():
        assert daybook.json(*words, "--create")["counts"]["product"]["unchanged"] == 2
    daybook.json("undo", "--correlation", done["correlation_id"])
    assert prices(daybook) == ["10.00", "10.00"]
    ours = tmp_path / "ours.json"
    ours.write_text(
        '{"name": "Ours", "grouping": "kind", "needs": [["Code"]], "columns": {"Code": "sku", "EAN": "gtin"}}'
    )
    file.write_text("Code;EAN\n001;4006381333931\n")
    assert daybook.json("import", "shop", file, "--format", ours)["counts"]["product"]["changed"] == 1
    assert daybook("import", "shop", file, "--format", tmp_path / "none.json").code == 3


def test_a_catalogue_goes_out_as_the_file_of_a_shop_and_comes_back(daybook: Daybook, tmp_path: Path) -> None:
    file = tmp_path / "shop.csv"
    daybook.json("product", "price", "001", "9", "USD")
    written = daybook("catalogue", "export", file, "--format", "woocommerce", "--currency", "EUR")
    assert written.code == 0 and "not in the file: prices.default.USD of 1" in written.stderr
    with daybook.unchanged():
        taken = daybook.json("import", "shop", file, "--currency", "EUR", "--create")
        assert taken["counts"]["product"] == {"created": 0, "changed": 0, "unchanged": 2, "failed": 0}
        for words in (("--currency", "EUR"), ("--format", "woocommerce"), ("--format", "nosuch", "--currency", "EUR")):
            assert daybook("catalogue", "export", file, *words).code == 3
