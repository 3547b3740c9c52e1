"""The SQL of docs/how-to/ask-the-past.md, asked of a log that holds what it asks for."""

import psycopg
import pytest

from daybook.app import App
from daybook.channel.registry import installed
from daybook.commands import ChangePrice, CountStock, CreateProduct, ListProduct
from daybook.config import Settings
from daybook.events import FacetReceipt, ListingConfirmed, ListingRejected, Rejection
from daybook.log.pending import Context, NewEvent
from tests.docs.snippets import ROOT, blocks

PAGE = "docs/how-to/ask-the-past.md"


@pytest.fixture
def log(database: str) -> str:
    """A jacket whose price fell by half, that bol confirmed and amazon refused."""
    with App(Settings(data=ROOT, postgres=database), installed()) as app:
        for command in (
            CreateProduct(sku="JACKET-1"),
            CountStock(sku="JACKET-1", location="main", quantity=3),
            ListProduct(sku="JACKET-1", channel="bol"),
            ChangePrice(sku="JACKET-1", amount="89.95", currency="EUR"),
            ChangePrice(sku="JACKET-1", amount="44.95", currency="EUR"),
        ):
            context = Context.new("anna", "cli", correlation_id="order-4711")
            last = app.book.carry_out(command, context).last
        assert last is not None
        facets = (FacetReceipt("price", "00" * 16, last),)
        for receipt in (
            ListingConfirmed(channel="bol", sku="JACKET-1", facets=facets),
            ListingRejected(
                channel="amazon", sku="JACKET-1", facets=facets, reasons=(Rejection("90220", "'brand' is required"),)
            ),
        ):
            happened = NewEvent(f"listing/{receipt.channel}/JACKET-1", 0, receipt, "JACKET-1", "JACKET-1")
            app.log.record([(Context.new(f"channel:{receipt.channel}", "delivery"), [happened])])
    return database


def test_every_question_can_be_asked_and_the_log_refuses_to_be_changed(log: str) -> None:
    *questions, forbidden = blocks(PAGE, "sql")
    with psycopg.connect(log, autocommit=True) as connection:
        found = {question: connection.execute(question.encode()).fetchall() for question in questions}
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="append-only: DELETE on events is refused"):
            connection.execute(forbidden.encode())

    undated = [question for question in questions if "2026-03-01'" not in question and "recorded_at >=" not in question]
    assert len(questions) >= 8
    assert not [question for question in undated if not found[question]], "a question of the page finds nothing"
    (fall,) = next(rows for question, rows in found.items() if "* 3 <" in question)
    assert (fall[2], fall[4], fall[5]) == ("JACKET-1", 4495, 8995)
    (refusal,) = next(rows for question, rows in found.items() if "listing.rejected" in question)
    assert refusal[1:] == ("JACKET-1", "90220", "'brand' is required")
