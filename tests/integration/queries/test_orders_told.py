"""An order says what outside systems were told of it and what they answered; its trace leads to them."""

from daybook.commands import ConfigureChannel, CreateProduct, PlaceOrder
from daybook.events import ChannelConfigured
from daybook.log.pending import Context
from daybook.queries.moment import resolve
from daybook.queries.orders import history, show
from daybook.queries.trace import trace
from daybook_projections import hubspot
from daybook_projections.hubspot.sandbox.server import HubSpotSandbox
from tests.fixtures.ordering import lines
from tests.fixtures.pipeline import Pipeline, until


async def test_an_order_shows_what_the_crm_was_told_and_that_it_answered(database: str, nats_url: str) -> None:
    async with Pipeline(database, nats_url, hubspot.manifest) as pipeline:
        app = pipeline.app
        sandbox = HubSpotSandbox()
        await sandbox.start()
        pipeline.relay()
        pipeline.runner()
        placing = PlaceOrder(channel="shop", number="1", currency="EUR", lines=lines(("A", 1)), already_sold=True)
        await pipeline.carry_out(ConfigureChannel(channel=ChannelConfigured(name="shop")), CreateProduct(sku="A"))
        app.book.carry_out(placing, Context.new("ann", "http", correlation_id="order-1"))
        placed = app.reader.head()
        await pipeline.caught_up()
        due = show(app.reader, app.pool, "shop:1", resolve(app.reader), now=True)
        assert [(one.channel, one.state, one.answered_at) for one in due.told] == [("hubspot", "due", None)]

        pipeline.delivery(sandbox.settings())
        await until(lambda: app.reader.head() > placed, "the CRM's answer is in the log")
        await pipeline.level()
        (told,) = show(app.reader, app.pool, "shop:1", resolve(app.reader), now=True).told
        assert (told.channel, told.facet, told.state) == ("hubspot", "deal", "confirmed")
        assert told.answered_at is not None
        then = show(app.reader, app.pool, "shop:1", resolve(app.reader, position=placed), now=False)
        assert then.told == []
        assert [one.sentence for one in history(app.reader, "shop:1")][1:] != []
        (command,) = trace(app.pool, "order-1").steps
        assert {one.kind for one in command.steps[0].steps[0].steps} == {"call", "answer"}
        await sandbox.stop()
