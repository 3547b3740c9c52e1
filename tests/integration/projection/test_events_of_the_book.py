"""Events about the book itself, such as who may do what, are no product group: no projection folds or lists them."""

from daybook.commands.access import AddUser, MakeKey
from daybook.log.pending import Context
from daybook.queries.catalogue import page
from daybook.queries.moment import resolve
from tests.fixtures.channels import ToySandbox, toy
from tests.fixtures.pipeline import Pipeline, product
from tests.fixtures.rebuilding import rebuilt


async def test_users_and_keys_pass_a_projection_by_live_and_in_a_rebuild(database: str, nats_url: str) -> None:
    box = ToySandbox()
    await box.start()
    async with Pipeline(database, nats_url, toy()) as pipeline:

        def someone(login: str) -> None:
            first = AddUser(user=f"usr_{login}", login=login, role="reader", grant=f"gr_{login}")
            wish = MakeKey(user=login, key=f"dbk_{login}", hash="00", first=first)
            pipeline.app.book.carry_out(wish, Context.new("ann", "test"))

        someone("before")
        pipeline.relay()
        pipeline.runner()
        pipeline.delivery(box.settings())
        await pipeline.define_attributes()
        await pipeline.carry_out(product("A"), product("B"))
        someone("after")
        await pipeline.level()
        assert set(box.offers) == {"A", "B"}

        done = await rebuilt(database, toy())

        assert done.plan is not None
        assert not done.plan.fields
        reader = pipeline.app.reader
        assert [one.sku for one in page(reader, resolve(reader)).products] == ["A", "B"]
        assert [key for key, _ in reader.groups_after("")] == ["A", "B"]
    await box.stop()
