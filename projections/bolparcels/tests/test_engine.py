"""Parcels and what is cancelled are told to bol, by the whole line of a running Daybook."""

import pytest

from daybook.channel.sandbox import Faults
from daybook.commands import CancelOrder, ConfigureChannel, OrderedLine, PlaceOrder, ShipOrder
from daybook.events import ChannelConfigured
from daybook_projections.bolparcels import manifest
from daybook_projections.bolparcels.sandbox.server import BolShipmentSandbox
from tests.fixtures.channels import toy
from tests.fixtures.pipeline import Pipeline, product


@pytest.mark.long
async def test_bol_hears_of_each_parcel_once_and_then_of_what_will_not_be_sent(database: str, nats_url: str) -> None:
    sandbox = BolShipmentSandbox()
    sandbox.has("7", i71=3)
    await sandbox.start()
    async with Pipeline(database, nats_url, manifest, toy()) as pipeline:
        await pipeline.define_attributes()
        pipeline.relay()
        pipeline.runner()
        pipeline.delivery(sandbox.settings())
        line = OrderedLine(line="71", sku="A", quantity=3, price="10.00")
        await pipeline.carry_out(
            ConfigureChannel(channel=ChannelConfigured(name="bolparcels", extra={"channel": "toy"})),
            product("A"),
            PlaceOrder(channel="toy", number="7", currency="EUR", lines=(line,)),
            ShipOrder(order="toy:7", parcel="P1", lines={"71": 1}, carrier="postnl", tracking="3SX"),
        )
        await pipeline.level()
        assert [(one["reference"], one["tracking"]) for one in sandbox.shipments] == [("P1", "3SX")]
        sandbox.faults = Faults(drop_answer_next=2)
        await pipeline.carry_out(
            ShipOrder(order="toy:7", parcel="P2", lines={"71": 1}),
            CancelOrder(order="toy:7", lines={"71": 1}, cause="out_of_stock"),
        )
        await pipeline.level(30.0)
        assert [one["reference"] for one in sandbox.shipments] == ["P1", "P2"]
        assert sandbox.cancelled == [("71", "OUT_OF_STOCK")]
    await sandbox.stop()
