"""`daybook order`: the real program on a real log."""

import json
from typing import Any

import pytest

from tests.fixtures.commandline import Daybook
from tests.fixtures.people import CANARY, found_in_tables


@pytest.fixture
def daybook(database: str) -> Daybook:
    program = Daybook({"DAYBOOK_POSTGRES": database})
    channel: dict[str, Any] = {"type": "configure_channel", "channel": {"name": "bol", "currency": "EUR"}}
    program.json("import", "jsonl", "-", stdin=json.dumps(channel).encode() + b"\n")
    for sku in ("MUG", "CUP"):
        program.json("product", "create", sku)
        program.json("product", "stock", sku, "count", "5")
    return program


def test_an_order_is_placed_shown_listed_and_followed(daybook: Daybook) -> None:
    done = daybook.json("order", "place", "bol:1", "--line", "MUG=2@19.99", "--line", "CUP=1@5", "--shipping", "4.95")
    assert (done["order"], done["changed"], done["stream"]) == ("bol:1", True, "stock/CUP")
    again = daybook("order", "place", "bol:1", "--line", "MUG=2@19.99", "--line", "CUP=1@5", "--shipping", "4.95")
    assert (again.code, again.stdout) == (0, "no change: order bol:1 was placed before\n")

    for words in (
        ("pay", "bol:1", "49.93", "EUR", "--reference", "tr_1"),
        ("ship", "bol:1", "P-1", "--line", "1=1", "--carrier", "postnl", "--tracking", "3S1"),
        ("cancel", "bol:1", "--line", "2=1", "--cause", "customer"),
        ("ship", "bol:1", "P-2"),
        ("return", "bol:1", "--line", "1=1", "--no-restock", "--reason", "broken"),
        ("refund", "bol:1", "5", "EUR"),
    ):
        assert daybook.json("order", *words)["changed"], words
    found = daybook.json("order", "show", "bol:1")
    assert (found["status"], found["payment"], found["total"]) == ("shipped", "partly_refunded", "49.93")
    plain = daybook("order", "show", "bol:1").stdout
    assert "bol:1: shipped, partly_refunded, 49.93 EUR" in plain and "3S1" in plain
    assert [one["order"] for one in daybook.json("order", "list", "--channel", "bol")["orders"]] == ["bol:1"]
    assert "bol:1" in daybook("order", "list").stdout
    history = daybook("order", "history", "bol:1").stdout
    assert "shipped 1 of line 1 in parcel P-1 (postnl 3S1)" in history and "broken" in history
    assert daybook.json("product", "show", "MUG")["stock"] == {"main": 3}


def test_an_order_from_a_file_brings_its_customer_who_is_in_the_vault_alone(daybook: Daybook, database: str) -> None:
    new = {
        "channel": "bol",
        "number": "2",
        "currency": "EUR",
        "lines": [{"sku": "MUG", "quantity": 1, "price": "19.99"}],
        "customer": {"name": CANARY},
    }
    daybook.json("order", "place", "--from", "-", stdin=json.dumps(new).encode())

    person = daybook.json("order", "show", "bol:2")["person"]
    assert daybook.json("privacy", "show", person)["known"]["name"] == CANARY
    assert found_in_tables(database, CANARY) == {}


def test_pieces_that_are_held_back_are_not_sold(daybook: Daybook) -> None:
    daybook.json("product", "stock", "MUG", "safety", "4")

    problem = daybook.refuses(5, "out_of_stock", "order", "place", "bol:1", "--line", "MUG=2@1")
    assert problem["details"] == {"sku": "MUG", "available": 1}
    assert "held back main" in daybook("product", "show", "MUG").stdout


REFUSALS: tuple[tuple[int, str, tuple[str, ...]], ...] = (
    (3, "invalid_value", ("place", "bol", "--line", "MUG=1@1")),
    (3, "invalid_value", ("place", "bol:1", "--line", "MUG=1")),
    (3, "invalid_value", ("place", "bol:1", "--line", "MUG=1.5@1")),
    (3, "invalid_value", ("place", "bol:1", "--line", "MUG=1@1", "--currency", "USD")),
    (4, "not_found", ("place", "bol:1", "--line", "PAN=1@1")),
    (4, "not_found", ("show", "bol:9")),
    (4, "not_found", ("history", "bol:9")),
    (3, "invalid_value", ("cancel", "bol:9", "--line", "1")),
    (4, "not_found", ("ship", "bol:9", "P")),
)


def test_what_makes_no_sense_is_refused_with_a_code(daybook: Daybook) -> None:
    for code, name, words in REFUSALS:
        daybook.refuses(code, name, "order", *words)
