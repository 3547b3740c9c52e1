"""What a person reads of a product's history: whose listing a channel's word is about."""

from datetime import UTC, datetime
from io import StringIO

import pytest
from rich.console import Console

from daybook.queries.history import HistoryChange
from daybook.queries.receipts import Acknowledgement, Outcome
from daybook.terminal.product.views import history

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def change(sku: str = "SHIRT-M", access: str | None = None, *channels: Acknowledgement) -> HistoryChange:
    return HistoryChange(
        position=5,
        recorded_at=NOW,
        sku=sku,
        type="product.created.v1",
        sentence="created",
        actor="anna",
        reason=None,
        source="cli",
        fields=[],
        channels=list(channels),
        event_id="e",
        stream=f"product/{sku}",
        version=1,
        correlation_id="c",
        causation_id=None,
        command_id="m",
        access=access,
    )


def drawn(*changes: HistoryChange) -> list[str]:
    console = Console(file=(written := StringIO()), width=300)
    history(changes)(console)
    return [line for line in written.getvalue().splitlines() if line.strip()]


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
    assert drawn(change("SHIRT-M", None, *channels))[-1].partition("anna")[2].strip() == shown


def test_the_key_and_the_grant_of_a_change_have_a_column_where_any_was_used() -> None:
    head, _, keyed, local = drawn(change(access="dbk_k3v7w2a5pq/gr_1"), change())
    assert head.split()[-4:] == ["who", "through", "why", "channels"]
    assert keyed.split()[-2:] == ["anna", "dbk_k3v7w2a5pq/gr_1"]
    assert local.split()[-1] == "anna"
    assert "through" not in drawn(change())[0]
