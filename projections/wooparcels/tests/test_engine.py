"""A parcel that left is told to the shop, by the whole line of a running Daybook."""

from daybook.commands import ConfigureChannel, OrderedLine, PlaceOrder, ShipOrder
from daybook.events import ChannelConfigured
from daybook_projections.wooparcels import manifest
from daybook_projections.wooparcels.sandbox.server import WooOrdersSandbox
from tests.fixtures.channels import toy
from tests.fixtures.pipeline import Pipeline, product


async def test_a_shop_hears_of_each_parcel_once_and_of_the_last_one(database: str, nats_url: str) -> None:
    sandbox = WooOrdersSandbox()
    await sandbox.start()
    async with Pipeline(database, nats_url, manifest, toy()) as pipeline:
        await pipeline.define_attributes()
        pipeline.relay()
        pipeline.runner()
        pipeline.delivery(sandbox.settings())
        line = OrderedLine(sku="A", quantity=2, price="10.00")
        await pipeline.carry_out(
            ConfigureChannel(channel=ChannelConfigured(name="wooparcels", extra={"channel": "toy"})),
            product("A"),
            PlaceOrder(channel="toy", number="7", currency="EUR", lines=(line,)),
            ShipOrder(order="toy:7", parcel="P1", lines={"1": 1}, carrier="postnl", tracking="3SX"),
        )
        await pipeline.level()
        first = "Parcel P1 left with postnl: 1 piece, to be followed as 3SX."
        assert [one["note"] for one in sandbox.notes["7"]] == [first] and sandbox.statuses == {}
        await pipeline.carry_out(ShipOrder(order="toy:7", parcel="P2"))
        await pipeline.level()
        assert [one["note"] for one in sandbox.notes["7"]] == [first, "Parcel P2 left: 1 piece."]
        assert sandbox.statuses == {"7": "completed"}
    await sandbox.stop()
