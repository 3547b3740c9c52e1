"""Channels that come and go while the roles run and products change, as an operator does it."""

import asyncio
import contextlib
import itertools
from base64 import b64encode
from collections.abc import AsyncIterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest

from daybook.channel.contract import Manifest
from daybook.channel.registry import Registry
from daybook.commands import AddChannel, ChangePrice, ListProduct, RemoveChannel
from daybook.config import Settings
from daybook.queries.channels import ChannelStatus
from daybook.queries.history import history
from daybook.roles import processes
from daybook_projections.webhook import manifest as webhook
from daybook_projections.webhook.sandbox.server import WebhookSandbox
from tests.fixtures.pipeline import Pipeline, product, until

pytestmark = pytest.mark.long

SKUS = tuple(f"S{number}" for number in range(5))


class Operator:
    """The roles of a running Daybook, and endpoints that are added to it."""

    def __init__(self, pipeline: Pipeline, folder: Path, stack: contextlib.AsyncExitStack) -> None:
        self.pipeline = pipeline
        self.folder = folder
        self._stack = stack

    async def endpoint(self) -> WebhookSandbox:
        """A receiver that nobody knows yet."""
        box = WebhookSandbox()
        await box.start()
        self._stack.push_async_callback(box.stop)
        return box

    def hand_over(self, name: str, box: WebhookSandbox, **changed: str) -> None:
        """Writes the endpoint's credential, and that it is on this machine, where the delivery looks for it."""
        file = self.folder / f"{name}.toml"
        file.touch(mode=0o600)
        own = {key: value for key, value in (box.settings() | changed).items() if key != "url"}
        file.write_text("".join(f'{key} = "{value}"\n' for key, value in own.items()))

    async def add(self, name: str, box: WebhookSandbox) -> None:
        """Adds it with what may be recorded of its settings."""
        await self.pipeline.carry_out(AddChannel(name=name, kind="webhook", settings={"url": box.settings()["url"]}))

    def status(self, name: str) -> ChannelStatus | None:
        return next((one for one in self.pipeline.channels.all() if one.name == name), None)

    @contextlib.asynccontextmanager
    async def changing(self) -> AsyncIterator[None]:
        """Prices change all the time inside."""
        stop = asyncio.Event()

        async def change() -> None:
            for cents in itertools.cycle(range(100)):
                if stop.is_set():
                    return
                await self.pipeline.carry_out(
                    *(ChangePrice(sku=sku, amount=f"5.{cents:02}", currency="EUR") for sku in SKUS)
                )

        task = asyncio.create_task(change())
        try:
            yield
        finally:
            stop.set()
            await task

    async def has_all(self, box: WebhookSandbox) -> None:
        """Returns once the endpoint has every product, at whatever price."""
        await until(lambda: len(box.shown()) == len(SKUS), "the endpoint has every product")

    async def shows(self, box: WebhookSandbox, price: str, skus: Sequence[str] = SKUS) -> None:
        """Returns once the endpoint has every product at this price."""
        await until(
            lambda: {sku: one["price"] for sku, one in box.shown().items()} == dict.fromkeys(skus, price),
            f"the endpoint has {skus} at {price}",
        )


@contextlib.asynccontextmanager
async def running(dsn: str, nats_url: str, folder: Path, *manifests: Manifest) -> AsyncIterator[Operator]:
    settings = Settings(data=folder, postgres=dsn, nats=nats_url, channels_folder=folder)
    async with Pipeline(dsn, nats_url, *manifests) as pipeline, contextlib.AsyncExitStack() as stack:
        await pipeline.define_attributes()
        pipeline.relay()
        for role in (processes.project, processes.deliver):
            pipeline.start(partial(role, settings, registry=Registry(list(manifests))))
        yield Operator(pipeline, folder, stack)


def described(price: str, *channels: str) -> list[Any]:
    """Every product at this price, and sold there."""
    return [product(sku, price=price, channels=dict.fromkeys(channels, True)) for sku in SKUS]


def repriced(price: str) -> list[Any]:
    """Every product at this price, sold where it was."""
    return [ChangePrice(sku=sku, amount=price, currency="EUR") for sku in SKUS]


async def test_endpoints_that_come_and_go_while_products_change_all_end_up_with_the_newest_state(
    database: str, nats_url: str, tmp_path: Path
) -> None:
    async with running(database, nats_url, tmp_path, webhook) as here:
        await here.pipeline.carry_out(*described("1.00"))
        crm, erp = await here.endpoint(), await here.endpoint()
        async with here.changing():
            for name, box in (("crm", crm), ("erp", erp)):
                here.hand_over(name, box)
                await here.add(name, box)
                await here.pipeline.carry_out(*(ListProduct(sku=sku, channel=name) for sku in SKUS))
                await here.has_all(box)
        await here.pipeline.carry_out(*repriced("2.00"))
        await here.shows(crm, "2.00")
        await here.shows(erp, "2.00")

        await here.pipeline.carry_out(RemoveChannel(name="crm", reason="it asks for itself now"))
        await until(lambda: workers(database, "crm") == 0, "nobody works for crm any more")
        await here.pipeline.carry_out(*repriced("3.00"))
        await here.shows(erp, "3.00")
        assert {one["price"] for one in crm.shown().values()} == {"2.00"}
        assert here.status("crm") is None
        told = {seen.channel for one in history(here.pipeline.app.reader, SKUS[0]) for seen in one.channels}
        assert told == {"crm", "erp"}

        before = len(crm.messages)
        await here.add("crm", crm)
        await here.shows(crm, "3.00")
        assert {body["type"] for _, body in crm.messages[before:]} == {"price.updated"}


def workers(dsn: str, name: str) -> int:
    """Workers of this channel that may still send something."""
    with psycopg.connect(dsn) as conn:
        query = "SELECT count(*) FROM delivery_workers WHERE channel = %s AND alive_until > clock_timestamp()"
        row = conn.execute(query, (name,)).fetchone()
    assert row is not None
    return int(row[0])


def test_an_endpoint_without_its_secret_waits_and_shows_it_and_begins_when_the_file_comes(
    database: str, nats_url: str, tmp_path: Path
) -> None:
    async def main() -> None:
        async with running(database, nats_url, tmp_path, webhook) as here:
            late, other = await here.endpoint(), await here.endpoint()
            here.hand_over("other", other)
            await here.add("late", late)
            await here.add("other", other)
            await here.pipeline.carry_out(*described("1.00", "late", "other"))
            await here.shows(other, "1.00")

            def failure() -> Any:
                found = here.status("late")
                return found and found.failure

            await until(failure, "it is shown why nothing comes")
            assert failure()["role"] == "deliver"
            assert "DAYBOOK_CHANNEL_LATE_SECRET" in failure()["error"]
            here.hand_over("late", late)
            await here.shows(late, "1.00")

    asyncio.run(main())


async def test_a_secret_that_is_changed_in_its_file_is_used_without_a_restart(
    database: str, nats_url: str, tmp_path: Path
) -> None:
    async with running(database, nats_url, tmp_path, webhook) as here:
        box = await here.endpoint()
        here.hand_over("crm", box)
        await here.add("crm", box)
        await here.pipeline.carry_out(*described("1.00", "crm"))
        await here.shows(box, "1.00")
        box.secrets = ["whsec_" + b64encode(b"another that everybody may read").decode()]
        here.hand_over("crm", box, secret=box.secrets[0])
        await here.pipeline.carry_out(*described("2.00", "crm"))
        await here.shows(box, "2.00")


async def test_twenty_endpoints_can_be_added_and_are_at_work_within_seconds(
    database: str, nats_url: str, tmp_path: Path
) -> None:
    async with running(database, nats_url, tmp_path, webhook) as here:
        boxes = {f"e{number}": await here.endpoint() for number in range(20)}
        for name, box in boxes.items():
            here.hand_over(name, box)
        await here.pipeline.carry_out(*described("1.00"))
        for name, box in boxes.items():
            await here.add(name, box)
        await here.pipeline.carry_out(*(ListProduct(sku=SKUS[0], channel=name) for name in boxes))
        for box in boxes.values():
            await here.shows(box, "1.00", SKUS[:1])
