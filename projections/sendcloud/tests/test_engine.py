"""A sold order becomes a parcel, by the whole line of a running Daybook; nobody's name gets into the log."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg
import pytest
from msgspec.structs import replace

from daybook.catalogue.reference import Reference
from daybook.channel.contract import Rendered
from daybook.channel.sandbox import Faults
from daybook.commands import CancelOrder, ConfigureChannel, OrderedLine, PayOrder, PlaceOrder, ShipOrder
from daybook.commands.book import Command
from daybook.delivery.rejected import offered_again
from daybook.events import ListingConfirmed, ListingRejected, ParcelAnnounced, ParcelCancelled, Recorded
from daybook.log.pending import Context
from daybook.postgres.pool import connect_async
from daybook.queries.listing import listing_at
from daybook.queries.moment import resolve
from daybook.rebuild import prune
from daybook.rebuild.run import apply
from daybook_projections.sendcloud import manifest, mapping
from daybook_projections.sendcloud.listing import ToShip
from daybook_projections.sendcloud.sandbox.server import SendcloudSandbox
from projections.sendcloud.tests.desk import CONFIGURED
from tests.fixtures.channels import toy
from tests.fixtures.log_events import every_event
from tests.fixtures.people import ADA, CANARY
from tests.fixtures.pipeline import Pipeline, product, until
from tests.fixtures.rebuilding import rebuilt

Shop = tuple[Pipeline, SendcloudSandbox, str]


@asynccontextmanager
async def shop(database: str, nats_url: str) -> AsyncIterator[Shop]:
    """A shop that sells two products and ships with Sendcloud, and somebody who orders."""
    sandbox = SendcloudSandbox()
    await sandbox.start()
    async with Pipeline(database, nats_url, manifest, toy()) as pipeline:
        try:
            await pipeline.define_attributes()
            await pipeline.carry_out(product("A"), product("B"), ConfigureChannel(channel=CONFIGURED))
            person = pipeline.app.people.add(ADA, Context.new("clerk", "test")).person
            pipeline.relay()
            yield pipeline, sandbox, person
        finally:
            sandbox.faults = Faults()
            await sandbox.stop()


def order(number: str, person: str, pieces: int = 1) -> tuple[Command, Command]:
    """Placed and paid."""
    line = OrderedLine(sku="A", quantity=pieces, price="10.00")
    placed = PlaceOrder(channel="toy", number=number, currency="EUR", lines=(line,), person=person)
    return placed, PayOrder(order=f"toy:{number}", amount=f"{pieces * 10}.00", currency="EUR")


def happened(pipeline: Pipeline, *kinds: type) -> list[Recorded]:
    return [one for one in every_event(pipeline.app.reader) if isinstance(one.event, kinds)]


async def test_an_order_that_is_paid_has_its_label_and_its_number_is_a_finding(database: str, nats_url: str) -> None:
    async with shop(database, nats_url) as (pipeline, sandbox, person):
        pipeline.runner()
        pipeline.delivery(sandbox.settings())
        await pipeline.carry_out(*order("1", person, 2))
        await pipeline.level()

        (found,) = happened(pipeline, ParcelAnnounced)
        assert isinstance(found.event, ParcelAnnounced)
        assert (found.key, found.stream) == ("@order/toy:1", "parcel/sendcloud/toy:1")
        assert (found.event.tracking, found.event.pieces) == ("3SYZXG0000001", {"1": 2})
        assert sandbox.shown()["toy:1"]["title"] == ADA.name

        reader = pipeline.app.reader
        now = listing_at(reader, manifest, "toy:1", resolve(reader))
        assert now == {("toy:1", "parcel"): pipeline.listings()["toy:1", "parcel"]}
        assert listing_at(reader, manifest, "toy:1", resolve(reader, position=found.position - 3)) == {}
        assert offered_again(pipeline.app.pool, manifest, ["toy:1"]) == 0
        shipped = ShipOrder(order="toy:1", parcel="P1", carrier="postnl", tracking="3SYZXG0000001")
        await pipeline.carry_out(shipped)
        await pipeline.level()
        other = replace(CONFIGURED, extra={**CONFIGURED.extra, "shipping_option": "dhl:connect"})
        await pipeline.carry_out(ConfigureChannel(channel=other))
        await pipeline.caught_up()
        await pipeline.level()
        assert sandbox.labels == 1 and "toy:1" in sandbox.shown()


@pytest.mark.long
async def test_an_order_that_changes_or_is_cancelled_has_the_labels_that_it_needs(database: str, nats_url: str) -> None:
    async with shop(database, nats_url) as (pipeline, sandbox, person):
        pipeline.runner()
        pipeline.delivery(sandbox.settings())
        await pipeline.carry_out(*order("1", person, 3))
        await pipeline.level()
        await pipeline.carry_out(CancelOrder(order="toy:1", lines={"1": 1}))
        await pipeline.level()
        assert sandbox.shown()["toy:1"]["stock"] == 2
        sandbox.queues_cancellations = True
        await pipeline.carry_out(CancelOrder(order="toy:1"))
        asked = "CANCELLATION_REQUESTED"
        await until(lambda: asked in map(sandbox.status, sandbox.shipments.values()), "the carrier is asked")
        sandbox.decide(cancelled=True)
        await pipeline.level()
        assert not sandbox.shown() and sandbox.labels == 2
        assert len(happened(pipeline, ParcelAnnounced)) == len(happened(pipeline, ParcelCancelled)) == 2


async def test_no_table_of_the_book_holds_a_name_but_the_journal_until_the_person_is_erased(
    database: str, nats_url: str
) -> None:
    async with shop(database, nats_url) as (pipeline, sandbox, person):
        pipeline.runner()
        pipeline.delivery(sandbox.settings())
        await pipeline.carry_out(*order("1", person))
        await pipeline.level()
        assert holding(database) == {"bodies", "attempts"}
        await asyncio.to_thread(pipeline.app.erasure.erase, person, Context.new("clerk", "test", reason="asked"))
        assert holding(database) == set()
        await pipeline.carry_out(CancelOrder(order="toy:1"))
        await pipeline.level()
        assert not sandbox.shown()


def holding(dsn: str) -> set[str]:
    """The tables in which the person's name or street is."""
    found = set()
    with psycopg.connect(dsn) as conn:
        names = conn.execute(
            "SELECT relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
            "WHERE n.nspname = 'public' AND relkind IN ('r', 'p')"
        ).fetchall()
        for (name,) in names:
            query = f'SELECT 1 FROM "{name}" t WHERE t::text ILIKE %s LIMIT 1'
            if conn.execute(query.encode(), (f"%{CANARY}%",)).fetchone():
                found.add(name)
    return found


@pytest.mark.long
async def test_a_replay_buys_no_label_and_a_plan_numbers_those_of_new_code(database: str, nats_url: str) -> None:
    async with shop(database, nats_url) as (pipeline, sandbox, person):
        runner = pipeline.runner()
        worker = pipeline.delivery(sandbox.settings())
        await pipeline.carry_out(*order("1", person), *order("2", person, 2))
        await pipeline.level()
        before = pipeline.listings()
        await pipeline.end(worker)
        await pipeline.end(runner)
        async with await connect_async(database, "test") as conn:
            await prune.forget(conn, "sendcloud")
        pipeline.runner()
        pipeline.delivery(sandbox.settings())
        await pipeline.carry_out(*order("3", person))
        await until(lambda: "toy:3" in sandbox.shown(), "what is new is announced")
        await pipeline.level()
        assert sandbox.labels == 3 and before.items() < pipeline.listings().items()

        new = replace(manifest, render=_heavier, version=2)
        done = await rebuilt(database, new)
        assert done.plan is not None and done.plan.calls == {"redo parcel": 1}
        assert sandbox.labels == 3
        await apply(database, new)
        await until(lambda: sandbox.labels == 4, "that one is made anew")
        assert len(sandbox.shown()) == 3


def _heavier(state: ToShip, reference: Reference) -> Rendered:
    """New code: what weighs more than one piece goes with another carrier."""
    shown = dict(mapping.render(state, reference))
    for where, payload in shown.items():
        if isinstance(payload, dict) and payload["items"][0]["quantity"] > 1:
            shown[where] = payload | {"shipping_option": "dhl:connect"}
    return shown


@pytest.mark.long
async def test_a_refusal_says_nothing_of_the_person_and_waits_for_somebody(database: str, nats_url: str) -> None:
    async with shop(database, nats_url) as (pipeline, sandbox, person):
        pipeline.runner()
        pipeline.delivery(sandbox.settings())
        wrong = replace(CONFIGURED, extra={**CONFIGURED.extra, "shipping_option": "pigeon"})
        await pipeline.carry_out(ConfigureChannel(channel=wrong), *order("1", person))
        await pipeline.level()
        (refusal,) = happened(pipeline, ListingRejected)
        assert isinstance(refusal.event, ListingRejected)
        assert refusal.event.reasons[0].message.startswith("the channel's words are in the delivery journal")
        await pipeline.carry_out(ConfigureChannel(channel=CONFIGURED))
        await pipeline.level()
        assert sandbox.labels == 1 and len(happened(pipeline, ListingConfirmed)) == 1
