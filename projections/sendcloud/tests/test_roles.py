"""The roles of a real deployment, each under its own role of Postgres: a label with the address out of the vault."""

import asyncio
from functools import partial
from pathlib import Path

from daybook.channel.registry import Registry
from daybook.commands import ConfigureChannel, OrderedLine, PayOrder, PlaceOrder
from daybook.config import Settings, from_environment
from daybook.log.pending import Context
from daybook.postgres import roles as postgres_roles
from daybook.roles import processes
from daybook_projections.sendcloud import manifest
from daybook_projections.sendcloud.sandbox.server import SendcloudSandbox
from projections.sendcloud.tests.desk import CONFIGURED
from tests.fixtures.channels import toy
from tests.fixtures.people import ADA, as_role
from tests.fixtures.pipeline import Pipeline, product, until


async def test_the_delivery_under_its_own_role_reads_the_vault_and_announces(
    database: str, nats_url: str, tmp_path: Path
) -> None:
    sandbox = SendcloudSandbox()
    await sandbox.start()
    postgres_roles.make_roles(database)
    connection = {f"DAYBOOK_CHANNEL_SENDCLOUD_{key.upper()}": value for key, value in sandbox.settings().items()}

    def settings(role: str) -> Settings:
        servers = {"DAYBOOK_POSTGRES": as_role(database, role), "DAYBOOK_NATS": nats_url}
        return from_environment({**servers, **connection, "HOME": str(tmp_path)}, tmp_path)

    registry = Registry([manifest, toy()])
    async with Pipeline(database, nats_url, manifest, toy()) as pipeline:
        pipeline.relay()
        names = ("sendcloud",)
        pipeline.start(partial(_project, settings("project"), names, registry))
        pipeline.start(partial(_deliver, settings("deliver"), names, registry))
        await pipeline.define_attributes()
        person = pipeline.app.people.add(ADA, Context.new("clerk", "test")).person
        line = OrderedLine(sku="A", quantity=1, price="10.00")
        await pipeline.carry_out(
            product("A"),
            ConfigureChannel(channel=CONFIGURED),
            PlaceOrder(channel="toy", number="1", currency="EUR", lines=(line,), person=person),
            PayOrder(order="toy:1", amount="10.00", currency="EUR"),
        )
        await until(lambda: "toy:1" in sandbox.shown(), "the parcel is announced")
        assert sandbox.shown()["toy:1"]["title"] == ADA.name
        await pipeline.level()
    await sandbox.stop()


async def _deliver(settings: Settings, names: tuple[str, ...], registry: Registry, stop: asyncio.Event) -> None:
    await processes.deliver(settings, stop, names, registry)


async def _project(settings: Settings, names: tuple[str, ...], registry: Registry, stop: asyncio.Event) -> None:
    await processes.project(settings, stop, names, registry)
