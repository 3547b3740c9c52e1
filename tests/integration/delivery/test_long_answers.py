"""A marketplace that answers with megabytes holds up nobody: its refusal is recorded, cut, and the rest goes on."""

import pytest
from msgspec.structs import replace

from daybook.channel.contract import Confirmed, Outcome, Push, Rejected
from daybook.events import ListingRejected, Rejection
from daybook.limits import REASONS_MAX
from tests.fixtures.channels import ToyConnector, ToySandbox, toy
from tests.fixtures.pipeline import Pipeline, product

PAGE = "<html>" * 50_000


class WordyConnector(ToyConnector):
    """Refuses one product with two thousand pages, and gives another an id of one."""

    async def push(self, push: Push) -> Outcome:
        if push.sku == "BAD":
            return Rejected(tuple(Rejection("500", PAGE) for _ in range(2_000)))
        if push.sku == "LONG":
            return Confirmed(remote_id=PAGE)
        return await super().push(push)


@pytest.mark.long
async def test_a_refusal_of_megabytes_is_recorded_and_other_products_come_through(database: str, nats_url: str) -> None:
    sandbox = ToySandbox()
    await sandbox.start()
    try:
        async with Pipeline(database, nats_url, replace(toy(), connector=WordyConnector)) as book:
            book.relay()
            book.runner()
            book.delivery(sandbox.settings())
            await book.define_attributes()
            await book.carry_out(*(product(sku) for sku in ("BAD", "LONG", "A")))
            await book.level()
            (refused,) = (
                one.event
                for one in book.app.reader.of_stream("listing/toy/BAD")
                if isinstance(one.event, ListingRejected)
            )
            assert len(refused.reasons) == REASONS_MAX + 1 and "1,900 more" in refused.reasons[-1].message
            assert {(sku, state) for sku, _, state, _, _ in book.rows() if sku == "A"} == {("A", "confirmed")}
            assert ("LONG", "offer", "rejected") in {row[:3] for row in book.rows()}
    finally:
        await sandbox.stop()
