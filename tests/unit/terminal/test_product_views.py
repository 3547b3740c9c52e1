"""What a person reads of a product's history: whose listing a channel's word is about."""

from datetime import UTC, datetime
from io import StringIO

import pytest
from rich.console import Console

from daybook.queries.history import HistoryChange
from daybook.queries.receipts import Acknowledgement, Outcome
from daybook.terminal.product.views import history

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def said(sku: str, outcome: Outcome = "confirmed") -> Acknowledgement:
    return Acknowledgement(channel="webshop", sku=sku, outcome=outcome, at=NOW, receipt=9)


@pytest.mark.parametrize(
    ("channels", "shown"),
    [
        ([said("SHIRT-M")], "webshop confirmed"),
        ([said("SHIRT"), said("SHIRT-M")], "webshop confirmed"),
        ([said("SHIRT")], "webshop (SHIRT) confirmed"),
        ([said("SHIRT-L"), said("SHIRT-XL")], "webshop (2 other SKUs) confirmed"),
        ([said("SHIRT"), said("SHIRT-M", "rejected")], "webshop (SHIRT) confirmed; webshop rejected"),
    ],
)
def test_the_word_on_another_listing_of_the_group_is_not_taken_for_the_own_one(
    channels: list[Acknowledgement], shown: str
) -> None:
    change = HistoryChange(
        position=5,
        recorded_at=NOW,
        sku="SHIRT-M",
        type="product.created.v1",
        sentence="created",
        actor="anna",
        reason=None,
        source="cli",
        fields=[],
        channels=channels,
        event_id="e",
        stream="product-SHIRT-M",
        version=1,
        correlation_id="c",
        causation_id=None,
        command_id="m",
    )
    console = Console(file=(written := StringIO()), width=300)
    history([change])(console)
    assert written.getvalue().splitlines()[-2].partition("anna")[2].strip() == shown
