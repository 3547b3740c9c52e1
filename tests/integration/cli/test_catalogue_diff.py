"""`daybook catalogue diff`: the real program on a real log."""

import csv
from pathlib import Path

import pytest

from tests.fixtures.commandline import Daybook


@pytest.fixture
def daybook(database: str) -> Daybook:
    program = Daybook({"DAYBOOK_POSTGRES": database})
    program.json("product", "create", "SKU-1")
    program.json("product", "price", "SKU-1", "10", "EUR")
    return program


def test_what_changed_since_a_position_is_told_for_people_for_programs_and_as_csv(
    daybook: Daybook, tmp_path: Path
) -> None:
    before = daybook.head()
    daybook.json("product", "price", "SKU-1", "12", "EUR")
    daybook.json("product", "create", "SKU-2")
    told = daybook("catalogue", "diff", "--from", before).stdout
    assert "price default EUR 10.00 → 12.00" in told and "1 changed, 1 prices, 1 new" in told
    found = daybook.json("catalogue", "diff", "--from", before)
    assert [one["sku"] for one in found["products"]] == ["SKU-1", "SKU-2"]
    assert found["counts"] == {"changed": 1, "prices": 1, "new": 1}
    file = tmp_path / "diff.csv"
    daybook("catalogue", "diff", "--from", before, "--csv", file)
    rows = list(csv.DictReader(file.read_text().splitlines()))
    assert rows[0] == {
        "sku": "SKU-1",
        "kind": "changed",
        "field": "prices.default.EUR",
        "before": "10.00",
        "after": "12.00",
    }


def test_nothing_that_differs_says_so_and_an_unknown_moment_or_channel_is_named(daybook: Daybook) -> None:
    assert "nothing differs" in daybook("catalogue", "diff", "--from", daybook.head()).stdout
    assert daybook("catalogue", "diff", "--from", "999999").code == 3
    assert daybook("catalogue", "diff", "--from", "1", "--channel", "nosuch").code == 4
