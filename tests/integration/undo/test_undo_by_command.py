"""`daybook undo`: the real program on a real log."""

from typing import Any

import pytest

from tests.fixtures.commandline import Daybook


@pytest.fixture
def daybook(database: str) -> Daybook:
    program = Daybook({"DAYBOOK_POSTGRES": database})
    program.json("product", "create", "SKU-1")
    program.json("product", "price", "SKU-1", "10", "EUR")
    return program


def price(daybook: Daybook) -> Any:
    return daybook.json("product", "show", "SKU-1")["prices"][0]["amount"]


def test_a_position_is_planned_and_taken_back_and_the_answer_says_how_to_undo_that(daybook: Daybook) -> None:
    position = daybook.json("product", "price", "SKU-1", "99", "EUR")["position"]
    with daybook.unchanged():
        planned = daybook("undo", position, "--dry-run")
    assert "price default EUR 99.00 → 10.00" in planned.stdout and "nothing was written" in planned.stdout
    done = daybook("undo", position)
    assert price(daybook) == "10.00"
    assert "1 events named: 1 products taken back, 0 changed since, 0 refused" in done.stdout
    again = done.stdout.splitlines()[-1].removeprefix("to undo this: daybook ").split()
    assert daybook(*again).code == 0
    assert price(daybook) == "99.00"


def test_what_somebody_changed_since_is_refused_until_it_is_said_what_to_do(daybook: Daybook) -> None:
    position = daybook.json("product", "price", "SKU-1", "99", "EUR")["position"]
    daybook.json("product", "price", "SKU-1", "50", "EUR", "--actor", "bob")
    with daybook.unchanged():
        refused = daybook("undo", position)
    assert refused.code == 5 and "by bob at position" in refused.stderr
    with daybook.unchanged():
        assert daybook.json("undo", position, "--skip")["newer"] == 1
    daybook.json("undo", position, "--force")
    assert price(daybook) == "10.00"


def test_a_selection_that_makes_no_sense_is_named(daybook: Daybook) -> None:
    assert daybook("undo").code == 3
    assert daybook("undo", "1", "--skip", "--force").code == 3
    assert daybook("undo", "999").code == 4
    assert daybook("undo", "--by", "bob").code == 3
