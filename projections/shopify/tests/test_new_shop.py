"""A shop that nothing was brought to yet: custom ids are not defined, and what is made is in no publication."""

from typing import Any

import msgspec

from daybook.channel.calls import Exchange, exchanges
from daybook.channel.contract import ChannelUnavailable, Confirmed, Shown
from daybook_projections.shopify.connection import connector
from daybook_projections.shopify.sandbox.server import ShopifySandbox
from daybook_projections.shopify.sandbox.shop import ONLINE_STORE
from daybook_projections.shopify.tests.desk import Desk, bag, in_a_shop, shirts, with_a_lasting_token

SET, DEFINE, PUBLISH, FIND = "productSet", "metafieldDefinitionCreate", "publishablePublish", "productByIdentifier"


def test_the_first_product_defines_its_custom_id_and_every_product_is_published() -> None:
    async def scenario(desk: Desk[ShopifySandbox]) -> None:
        assert isinstance(await desk.push(bag(), "BAG"), Confirmed)
        assert desk.sent() == [SET, DEFINE, SET, PUBLISH]
        assert desk.sandbox.shop.definitions == {("daybook", "sku"): "id"}
        assert desk.sandbox.shown()["BAG"]["live"]
        await desk.push(bag("SACK"), "SACK")
        assert desk.sent() == [SET, PUBLISH]
        await desk.push(bag("SACK", title="Big sack"), "SACK")
        assert desk.sent() == [SET]

    in_a_shop(scenario, new=True)


def test_the_definition_that_is_made_stands_in_the_journal() -> None:
    async def scenario(desk: Desk[ShopifySandbox]) -> None:
        kept: list[Exchange] = []
        exchanges.set(kept)
        await desk.push(bag(), "BAG")
        [made] = [each.request for each in kept if DEFINE.encode() in (each.request or b"")]
        assert msgspec.json.decode(made or b"")["variables"]["definition"] == {
            "ownerType": "PRODUCT",
            "namespace": "daybook",
            "key": "sku",
            "name": "Daybook SKU",
            "type": "id",
        }

    in_a_shop(scenario, new=True)


def test_a_metafield_of_that_name_and_another_type_is_told_with_the_next_step() -> None:
    async def scenario(desk: Desk[ShopifySandbox]) -> None:
        desk.sandbox.shop.definitions["daybook", "sku"] = "single_line_text_field"
        outcome = await desk.push(bag(), "BAG")
        assert isinstance(outcome, ChannelUnavailable)
        assert "daybook.sku of products that is not of the type `id`: delete its definition" in outcome.reason
        assert desk.sandbox.shown() == {}

    in_a_shop(scenario, new=True)


def test_what_was_never_made_is_not_found_and_nothing_is_defined_for_the_look() -> None:
    async def scenario(desk: Desk[ShopifySandbox]) -> None:
        assert await desk.push(bag(), "BAG", remove=True) == Confirmed(covers=("product", "price", "stock"))
        nothing = {"product": None, "price": None, "stock": None}
        assert await desk.connector.read(desk.describe(bag(), "BAG")) == Shown(nothing)
        assert desk.sent() == [FIND, FIND]
        assert desk.sandbox.shop.definitions == {}

    in_a_shop(scenario, new=True)


def test_a_bulk_operation_finds_its_custom_ids_defined_and_its_products_are_published() -> None:
    async def scenario(desk: Desk[ShopifySandbox]) -> None:
        wanted = {**bag(), **shirts()}
        pushes = [desk.describe(wanted, sku, group=True) for sku in ("BAG", "SHIRT")]
        accepted = await desk.connector.push_all(pushes)
        for push, one in zip(pushes, accepted, strict=True):
            outcome = await desk.connector.confirm(push, getattr(one, "submission", ""))
            assert isinstance(outcome, Confirmed), outcome
        assert all(item["live"] for item in desk.sandbox.shown().values())

    in_a_shop(scenario, new=True)


def test_a_product_that_somebody_unpublished_is_read_as_such_and_published_with_its_next_change() -> None:
    async def scenario(desk: Desk[ShopifySandbox]) -> None:
        await desk.bring(bag())
        desk.sandbox.shop.published.clear()
        seen = await desk.connector.read(desk.describe(bag(), "BAG"))
        assert isinstance(seen, Shown)
        assert seen.facets["product"] == bag()["BAG"]["product"] | {"status": "UNPUBLISHED"}
        await desk.push(bag(), "BAG")
        assert desk.sandbox.shop.published == {"gid://shopify/Product/1": {ONLINE_STORE}}

    in_a_shop(scenario)


def test_a_publication_that_is_not_there_and_a_missing_scope_are_the_connections_fault() -> None:
    async def scenario(desk: Desk[ShopifySandbox]) -> None:
        settings = with_a_lasting_token(desk.sandbox) | {"publication_id": "9"}
        await desk.connector.close()
        desk.connector = connector(settings)
        outcome = await desk.push(bag(), "BAG")
        assert isinstance(outcome, ChannelUnavailable)
        assert "not publishable: set DAYBOOK_CHANNEL_SHOPIFY_PUBLICATION_ID" in outcome.reason
        desk.sandbox.scopes.discard("write_publications")
        outcome = await desk.push(bag(), "BAG", attempt=2)
        assert isinstance(outcome, ChannelUnavailable)
        assert "write_publications" in outcome.reason
        assert list(desk.sandbox.shown()) == ["BAG"], "made once, whatever came after"

    in_a_shop(scenario, new=True)


def test_an_app_of_today_signs_in_once_a_day_and_again_when_its_token_is_refused() -> None:
    async def scenario(desk: Desk[Any]) -> None:
        await desk.connector.close()
        desk.connector = connector(desk.sandbox.settings())
        kept: list[Exchange] = []
        exchanges.set(kept)
        for title in ("Bag", "Sack"):
            assert isinstance(await desk.push(bag(title=title), "BAG"), Confirmed)
        desk.sandbox.expire_tokens()
        assert isinstance(await desk.push(bag(title="Bag"), "BAG"), Confirmed)
        assert [each.path.rpartition("/")[2] for each in desk.sandbox.received].count("access_token") == 2
        written = msgspec.json.encode(kept).decode()
        assert desk.sandbox.client_secret not in written
        assert not [token for token in desk.sandbox._tokens if token in written]

    in_a_shop(scenario)
