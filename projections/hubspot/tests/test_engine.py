"""An order, a change of a person and an erasure reach the CRM, by the whole line of a running Daybook."""

import asyncio

from daybook.commands import CancelOrder, OrderedLine, PayOrder, PlaceOrder
from daybook.events import ListingConfirmed
from daybook.log.pending import Context
from daybook.people.person import PersonChange
from daybook_projections.hubspot import manifest
from daybook_projections.hubspot.sandbox.server import HubSpotSandbox
from tests.fixtures.channels import toy
from tests.fixtures.log_events import every_event
from tests.fixtures.people import ADA, CANARY
from tests.fixtures.pipeline import Pipeline, product


async def test_a_crm_hears_of_orders_of_changes_and_of_an_erasure_and_the_log_of_no_name(
    database: str, nats_url: str
) -> None:
    sandbox = HubSpotSandbox()
    await sandbox.start()
    by = Context.new("clerk", "test", reason="asked")
    async with Pipeline(database, nats_url, manifest, toy()) as pipeline:
        await pipeline.define_attributes()
        pipeline.relay()
        pipeline.runner()
        pipeline.delivery(sandbox.settings())
        person = pipeline.app.people.add(ADA, Context.new("clerk", "test")).person
        line = OrderedLine(sku="A", quantity=2, price="10.00")
        await pipeline.carry_out(
            product("A"),
            PlaceOrder(channel="toy", number="1", currency="EUR", lines=(line,), person=person),
            PayOrder(order="toy:1", amount="20.00", currency="EUR"),
        )
        await pipeline.level()
        assert sandbox.shown()["toy:1"]["stage"] == "closedwon"
        assert sandbox.shown()[person]["title"] == str(ADA.mail).lower()

        changed = PersonChange(name="Ada King")
        await asyncio.to_thread(pipeline.app.people.change, person, changed, Context.new("clerk", "test"))
        await pipeline.caught_up()
        await pipeline.level()
        (contact,) = sandbox.portal.things["contacts"].values()
        assert contact.properties["lastname"] == "King"

        await asyncio.to_thread(pipeline.app.erasure.erase, person, by)
        await pipeline.caught_up()
        await pipeline.level()
        assert person not in sandbox.shown()
        await pipeline.carry_out(CancelOrder(order="toy:1"))
        await pipeline.caught_up()
        await pipeline.level()
        assert sandbox.shown() == {"toy:1": sandbox.shown()["toy:1"]}
        told = [one for one in every_event(pipeline.app.reader) if isinstance(one.event, ListingConfirmed)]
        assert told and not [one for one in told if CANARY.lower() in repr(one).lower()]
    await sandbox.stop()
