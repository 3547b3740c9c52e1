"""A SKU belongs to one product group. When a channel's code renders it for two, the later one is parked."""

import pytest
from msgspec.structs import replace

from daybook.catalogue.group import Group
from daybook.catalogue.reference import Reference
from daybook.channel.contract import Manifest, Payload, Rendered
from daybook.commands import CountStock
from daybook.projection.parking import parked, retry
from tests.fixtures import channels
from tests.fixtures.channels import toy
from tests.fixtures.pipeline import Pipeline, product
from tests.fixtures.rebuilding import rebuilt, rename, rows_of, run_live, tell

THIEF = "takes A's offer"


def _greedy(group: Group, reference: Reference) -> Rendered:
    shown = dict(channels.render(group, reference))
    stolen: Payload = {"name": "not its own"}
    if any(group.text(sku, "name") == THIEF for sku in group.products):
        shown["A", "offer"] = stolen
    return shown


def greedy() -> Manifest:
    """The toy channel with a fault: a product of a certain name lists the offer of another one."""
    return replace(toy(), render=_greedy)


@pytest.mark.parametrize("at_once", [True, False], ids=["in one batch", "in two batches"])
async def test_the_later_group_is_parked_with_an_error_that_names_both(database: str, at_once: bool) -> None:
    async with Pipeline(database, "nats://127.0.0.1:1", greedy()) as pipeline:
        await tell(pipeline, product("A"), product("B"))
        if not at_once:
            await run_live(database, greedy())
        await tell(pipeline, rename("B", THIEF), CountStock(sku="A", quantity=3))
        await run_live(database, greedy())

        (one,) = await parked(database, greedy())
        assert one.key == "B" and "B and A both list offer of A" in one.error
        assert pipeline.listings()["A", "offer"]["name"] == "thing A"
        assert pipeline.listings()["A", "stock"] == {"stock": 3}, "the others go on"
        assert pipeline.listings()["B", "offer"]["name"] == "thing B", "it stays as it was before"
        assert await retry(database, greedy()) == [], "nothing is better yet"

        await tell(pipeline, rename("B", "honest"))
        await run_live(database, greedy())
        assert await retry(database, greedy()) == ["B"]
        assert pipeline.listings()["B", "offer"]["name"] == "honest"


@pytest.mark.parametrize("thief", ["B", "0"], ids=["key after", "key before"])
async def test_a_rebuild_parks_it_as_well(database: str, thief: str) -> None:
    async with Pipeline(database, "nats://127.0.0.1:1", greedy()) as pipeline:
        await tell(pipeline, product("A"), product("C"), product(thief))
        await run_live(database, greedy())
        await tell(pipeline, rename(thief, THIEF), CountStock(sku=thief, quantity=9))
        await run_live(database, greedy())

        done = await rebuilt(database, greedy())

        assert done.plan is not None and (done.plan.parked, done.plan.empty) == (1, True)
        assert rows_of(database, done.generation) == pipeline.listings()
        applied = await rebuilt(database, greedy(), apply=True)
        assert applied.switched is not None and applied.switched.facets == 0
        (one,) = await parked(database, greedy())
        assert one.key == thief and f"{thief} and A both list offer of A" in one.error
