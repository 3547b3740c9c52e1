"""A real standby that lacked the newest events is promoted, and `daybook failover` leads through it."""

import asyncio
from pathlib import Path

import pytest

from daybook.commands import ChangePrice
from daybook.log.pending import Context
from daybook.postgres.migrate import migrate
from tests.fixtures.failing_over import failover, saved, write_what_will_be_lost
from tests.fixtures.pipeline import product
from tests.fixtures.standbys import replicated
from tests.fixtures.toy_shop import shop

pytestmark = pytest.mark.long


async def test_a_promoted_standby_that_lacked_events_has_them_told_and_the_shop_brought_back(
    nats_url: str, tmp_path: Path
) -> None:
    file = tmp_path / "lost.jsonl"
    with replicated() as pair:
        migrate(pair.primary.dsn)
        async with shop(pair.dsn, nats_url) as (pipeline, sandbox):
            await pipeline.carry_out(product("A"), product("B"))
            await pipeline.level()
            await pipeline.caught_up()
            await asyncio.to_thread(pair.level)
            await asyncio.to_thread(pair.cut_off)
            await write_what_will_be_lost(pipeline, sandbox)
            await asyncio.to_thread(pair.primary.kill)
            pipeline.dsn = pair.standby.dsn  # where this test looks
            await asyncio.to_thread(pair.promote)

            # Writers go on, at positions that the stream has already; one command is sent again by who sent it.
            await pipeline.carry_out(ChangePrice(sku="B", amount="3.00", currency="EUR"))
            again = Context.new("paula", "test", command_id="spring", reason="the spring list")
            price = ChangePrice(sku="B", amount="4.00", currency="EUR")
            await asyncio.to_thread(pipeline.app.book.carry_out, price, again)

            done = await failover(pipeline, sandbox, file)
            told = {(one.type, one.sku, one.actor): one for one in done.events}
            assert told["product.created.v1", "C", "carl"].again is None
            assert told["product.price_changed.v1", "A", "paula"].again is not None
            assert done.by_hand == ["C"] and len(saved(file)) == done.lost
            (checked,) = done.channels
            # What a worker is just about to send again is left to it, and not marked once more.
            assert checked.why_not is None and checked.facets + checked.left_out >= 1, checked

            pipeline.relay()  # the one before ended with `stream_ahead`
            await pipeline.caught_up()
            await pipeline.level()
            assert sandbox.offers["A"]["price"] == {"price": 1000}, "what the shop showed is what the log says"
            assert sandbox.offers["B"]["price"] == {"price": 400}
            assert "C" in sandbox.offers, "nobody removes by himself what the log knows nothing of"
