"""`daybook edit`: the real program on a real log."""

from pathlib import Path

import pytest

from tests.fixtures.commandline import Daybook


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
