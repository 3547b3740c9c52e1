"""`daybook schedule`, and `--at` of the commands about a product: the real program on a real log."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from tests.fixtures.commandline import Daybook

LATER = f"{datetime.now(UTC) + timedelta(days=30):%Y-%m-%d}T00:00+00:00"
LAST = f"{datetime.now(UTC) + timedelta(days=40):%Y-%m-%d}T00:00+00:00"


@pytest.fixture
def daybook(database: str) -> Daybook:
    program = Daybook({"DAYBOOK_POSTGRES": database})
    program.json("product", "create", "MUG")
    return program


def test_a_price_is_planned_shown_moved_and_withdrawn(daybook: Daybook) -> None:
    done = daybook.json("product", "price", "MUG", "17.99", "EUR", "--at", LATER, "--reason", "sale")
    assert done["event"] == "schedule.planned.v1"
    schedule = done["stream"].removeprefix("schedule/")
    assert daybook.json("product", "show", "MUG")["prices"] == []

    (row,) = daybook.json("schedule", "list", "--sku", "MUG")["schedules"]
    assert (row["schedule"], row["reason"], row["change"]["amount"]) == (schedule, "sale", "17.99")
    assert "change price: amount 17.99, currency EUR, price_list default" in daybook("schedule", "list").stdout

    assert daybook.json("schedule", "move", schedule, "--at", LAST)["event"] == "schedule.moved.v1"
    assert daybook.json("schedule", "withdraw", schedule)["event"] == "schedule.withdrawn.v1"
    assert daybook("schedule", "withdraw", schedule).stdout.startswith("no change")
    assert daybook("schedule", "list").stdout == "nothing is planned\n"
    shown = daybook("schedule", "show", schedule).stdout
    assert f"{schedule}: withdrawn" in shown and "schedule.moved.v1" in shown


def test_any_change_of_a_product_is_planned_as_json(daybook: Daybook) -> None:
    change = {"type": "remove_price", "sku": "MUG", "currency": "EUR"}
    assert daybook.json("schedule", "plan", json.dumps(change), "--at", LATER)["changed"]
    for words in (
        ("stock", "MUG", "count", "5"),
        ("gtin", "MUG", "4006381333931"),
        ("discontinue", "MUG"),
        ("reinstate", "MUG"),
    ):
        assert daybook.json("product", *words, "--at", LATER)["event"] == "schedule.planned.v1", words
    assert len(daybook.json("schedule", "list")["schedules"]) == 5


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("product", "price", "MUG", "1", "EUR", "--at", "2026-12-01"), "needs a time zone"),
        (("product", "price", "MUG", "1", "EUR", "--at", "tomorrow"), "must be a time with its zone"),
        (
            ("product", "price", "MUG", "1", "EUR", "--at", "2020-01-01T00:00Z"),
            "leave it out to have the change at once",
        ),
        (("product", "price", "MUG", "1", "EUR", "--at", LATER, "--expect-version", "1"), "decided when it is due"),
        (("schedule", "plan", '{"type":"paint"}', "--at", LATER), "is no change of a product"),
        (
            ("schedule", "plan", '{"type":"remove_price","sku":"MUG","currency":"EUR","x":1}', "--at", LATER),
            "unknown field `x`",
        ),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_next_step(daybook: Daybook, words: tuple[str, ...], said: str) -> None:
    answer = daybook(*words)
    assert answer.code == 3
    assert said in answer.stderr
