"""The tree of one cause: an order, its reservation, the listing that fell, the call and the answer."""

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from daybook.commands import CancelOrder, PlaceOrder
from daybook.errors import NotFound
from daybook.log.pending import Context
from daybook.queries.trace import TraceStep, trace
from daybook.terminal.render import stdout
from daybook.terminal.trace import views
from tests.fixtures.ordering import lines
from tests.fixtures.pipeline import product
from tests.fixtures.toy_shop import shop


def all_of(steps: list[TraceStep]) -> Iterator[TraceStep]:
    for one in steps:
        yield one
        yield from all_of(one.steps)


async def test_a_trace_leads_from_the_order_to_the_answer_of_the_channel_whose_stock_fell(
    database: str, nats_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    async with shop(database, nats_url) as (pipeline, sandbox):
        await pipeline.carry_out(product("A"))
        await pipeline.level()
        app = pipeline.app
        placing = PlaceOrder(channel="toy", number="1", currency="EUR", lines=lines(("A", 2)))
        app.book.carry_out(placing, Context.new("ann", "http", correlation_id="order-1", reason="on the phone"))
        await pipeline.level()
        assert sandbox.shown()["A"]["stock"] == 3
        app.book.carry_out(CancelOrder(order="toy:1"), Context.new("ann", "http", correlation_id="order-1"))
        await pipeline.level()
        assert sandbox.shown()["A"]["stock"] == 5

        found = trace(app.pool, "order-1")
    assert (found.correlation_id, found.more, [one.kind for one in found.steps]) == (
        "order-1",
        False,
        ["command", "command"],
    )
    first, second = found.steps
    assert first.what == "ann by http: on the phone"
    assert [one.what for one in first.steps] == [
        "order toy:1: ordered on toy: 2 × A, for 10.00 EUR",
        "stock A: 2 reserved at main",
    ]
    (listing,) = first.steps[1].steps
    assert (listing.kind, listing.what, listing.payload) == ("listing", "toy: stock of A", {"stock": 3})
    assert {(one.kind, one.what, one.state) for one in listing.steps} == {
        ("call", "PATCH 200: id-A", "confirmed"),
        ("answer", "toy confirmed it", "confirmed"),
    }
    assert second.steps[1].steps[0].payload == {"stock": 5}
    times = [one.after_ms for one in all_of(found.steps) if one.after_ms is not None]
    assert min(times) == 0.0 and found.took_ms == max(times)
    views.shown(found)(stdout())
    said = capsys.readouterr().out
    assert "stock A: 2 reserved at main" in said and "toy: stock of A" in said
    assert msgspec.json.decode(msgspec.json.encode(found), type=type(found)) == found


async def test_a_command_is_traced_by_its_own_id_or_position_and_what_is_unknown_is_not_found(
    database: str, nats_url: str
) -> None:
    async with shop(database, nats_url) as (pipeline, _):
        (done,) = await pipeline.carry_out(product("A"))
        await pipeline.level()

        found: Any = trace(pipeline.app.pool, done.command_id)
        assert [one.kind for one in found.steps] == ["command"]
        assert {one.facet for one in all_of(found.steps) if one.kind == "listing"} == {"offer", "price", "stock"}
        at = trace(pipeline.app.pool, str(done.last))
        assert (at.correlation_id, at.events) == (done.command_id, found.events)
        for unknown in ("nosuch", "99999999", "9" * 40, "²"):
            with pytest.raises(NotFound, match=f"nothing has the correlation id, or the position, {unknown}"):
                trace(pipeline.app.pool, unknown)
