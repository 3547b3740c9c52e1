"""Quantities by compare-and-set, against a shop that sells meanwhile."""

import asyncio
from typing import Any

import msgspec
from aiohttp import web

from daybook.channel.contract import ChannelUnavailable, Confirmed, Outcome, Rejected, Waiting
from daybook.channel.sandbox import Faults
from daybook_projections.shopify.connection import connector
from daybook_projections.shopify.ids import Ids
from daybook_projections.shopify.sandbox.server import ShopifySandbox
from daybook_projections.shopify.tests.desk import Desk, bag, in_a_shop, shirts, with_a_lasting_token

QUANTITY, LEVEL, ACTIVATE = "inventorySetQuantities", "inventoryItem", "inventoryActivate"


def test_a_quantity_is_set_from_what_the_shop_was_last_known_to_hold() -> None:
    async def scenario(desk: Desk[Busy]) -> None:
        await desk.push(bag(stock=5), "BAG")
        await desk.push(bag(stock=8), "BAG", "stock", position=42)
        variables = desk.last()
        assert variables["input"] == {
            "name": "available",
            "reason": "correction",
            "referenceDocumentUri": "daybook://stock/BAG?position=42",
            "quantities": [
                {
                    "inventoryItemId": Ids.parse(desk.ids["BAG"]).item,
                    "locationId": "gid://shopify/Location/1",
                    "quantity": 8,
                    "changeFromQuantity": 5,
                }
            ],
        }
        assert desk.sandbox.shown()["BAG"]["stock"] == 8

    in_a_shop(scenario)


def test_after_a_start_the_quantity_is_read_once() -> None:
    async def scenario(desk: Desk[Busy]) -> None:
        await desk.push(bag(stock=5), "BAG")
        await desk.connector.close()
        desk.connector = connector(with_a_lasting_token(desk.sandbox))
        desk.sent()
        for pieces in (8, 9):
            assert isinstance(await desk.push(bag(stock=pieces), "BAG", "stock"), Confirmed)
        assert desk.sent() == [LEVEL, QUANTITY, QUANTITY]

    in_a_shop(scenario)


def test_a_sale_in_between_is_read_back_and_the_books_figure_stands() -> None:
    async def scenario(desk: Desk[Busy]) -> None:
        await desk.push(bag(stock=5), "BAG")
        desk.sandbox.shop.sell("BAG", 2)
        desk.sent()
        assert isinstance(await desk.push(bag(stock=8), "BAG", "stock"), Confirmed)
        assert desk.sent() == [QUANTITY, LEVEL, QUANTITY]
        assert desk.sandbox.shown()["BAG"]["stock"] == 8

    in_a_shop(scenario)


def test_a_sale_that_the_book_knows_already_is_read_back_and_not_sent_again() -> None:
    async def scenario(desk: Desk[Busy]) -> None:
        await desk.push(bag(stock=5), "BAG")
        desk.sandbox.shop.sell("BAG", 1)
        desk.sent()
        assert isinstance(await desk.push(bag(stock=4), "BAG", "stock"), Confirmed)
        assert desk.sent() == [QUANTITY, LEVEL]
        assert desk.sandbox.shown()["BAG"]["stock"] == 4

    in_a_shop(scenario)


def test_a_stock_that_never_stands_still_waits() -> None:
    async def scenario(desk: Desk[Busy]) -> None:
        await desk.push(bag(stock=500), "BAG")
        desk.sandbox.shop.sell("BAG")
        desk.sandbox.sells = "BAG"
        outcome = await desk.push(bag(stock=8), "BAG", "stock")
        assert outcome == Waiting("the shop's stock of BAG changes faster than it can be set")
        desk.sandbox.sells = ""
        assert isinstance(await desk.push(bag(stock=8), "BAG", "stock"), Confirmed)
        assert desk.sandbox.shown()["BAG"]["stock"] == 8

    in_a_shop(scenario, sandbox=Busy)


def test_an_older_push_that_was_overtaken_does_not_bring_its_figure_back() -> None:
    async def scenario(desk: Desk[Busy]) -> None:
        await desk.push(bag(stock=5), "BAG")
        desk.sandbox.hold = asyncio.Event()
        older = asyncio.create_task(desk.push(bag(stock=7), "BAG", "stock", position=10))
        await desk.sandbox.held.wait()
        assert isinstance(await desk.push(bag(stock=3), "BAG", "stock", position=12), Confirmed)
        desk.sent()
        desk.sandbox.hold.set()
        assert isinstance(await older, Confirmed)
        assert desk.sent() == [QUANTITY]
        assert desk.sandbox.shown()["BAG"]["stock"] == 3

    in_a_shop(scenario, sandbox=Busy)


def test_a_lost_answer_is_replayed_under_the_same_key() -> None:
    async def scenario(desk: Desk[Busy]) -> None:
        await desk.push(bag(stock=5), "BAG")
        desk.sandbox.faults = Faults(drop_answer_next=1)
        desk.sent()
        first = await desk.push(bag(stock=8), "BAG", "stock", position=7)
        assert isinstance(first, ChannelUnavailable)
        key = desk.last()["key"]
        desk.sandbox.shop.sell("BAG")
        assert isinstance(await desk.push(bag(stock=8), "BAG", "stock", position=7, attempt=2), Confirmed)
        assert desk.last()["key"] == key
        assert desk.sent() == [QUANTITY, QUANTITY]
        assert desk.sandbox.shown()["BAG"]["stock"] == 7  # the sale was not undone by the second try

    in_a_shop(scenario)


def test_what_is_brought_once_more_by_another_process_is_carried_out_and_not_replayed() -> None:
    async def scenario(desk: Desk[Busy]) -> None:
        await desk.push(bag(stock=5), "BAG")
        other = connector(with_a_lasting_token(desk.sandbox))
        first = desk.describe(bag(stock=5), "BAG", "stock", position=6)
        assert isinstance(await other.push(first), Confirmed)  # it remembers 5 from now on
        eight = desk.describe(bag(stock=8), "BAG", "stock", position=7)
        assert isinstance(await desk.connector.push(eight), Confirmed)
        desk.sandbox.shop.sell("BAG", 4)
        assert isinstance(await other.push(msgspec.structs.replace(eight, receipt=9)), Confirmed)
        assert desk.sandbox.shown()["BAG"]["stock"] == 8
        await other.close()

    in_a_shop(scenario)


def test_a_lost_answer_before_a_restart_is_noticed_by_reading() -> None:
    async def scenario(desk: Desk[Busy]) -> None:
        await desk.push(bag(stock=5), "BAG")
        desk.sandbox.faults = Faults(drop_answer_next=1)
        await desk.push(bag(stock=8), "BAG", "stock", position=7)
        await desk.connector.close()
        desk.connector = connector(with_a_lasting_token(desk.sandbox))
        assert isinstance(await desk.push(bag(stock=8), "BAG", "stock", position=7, attempt=2), Confirmed)
        assert desk.sandbox.shown()["BAG"]["stock"] == 8

    in_a_shop(scenario)


def test_a_key_whose_first_try_was_refused_is_replaced_after_a_look_at_the_shop() -> None:
    async def scenario(desk: Desk[Busy]) -> None:
        await desk.push(bag(stock=5), "BAG")
        for _ in range(2):
            desk.sent()
            outcome = await desk.push(bag(stock=2 * 10**9), "BAG", "stock", position=7)
            assert isinstance(outcome, Rejected)
            assert outcome.reasons[0].code == "INVALID_QUANTITY_TOO_HIGH"
        assert desk.sent() == [QUANTITY, LEVEL, QUANTITY]

    in_a_shop(scenario, sandbox=Busy)


def test_every_newer_position_has_another_key() -> None:
    async def scenario(desk: Desk[Busy]) -> None:
        await desk.push(bag(stock=5), "BAG")
        keys = set()
        desk.sent()
        for pieces in (8, 5, 8, 5):
            await desk.push(bag(stock=pieces), "BAG", "stock")
            keys.add(desk.last()["key"])
            assert desk.sent() == [QUANTITY]
        assert len(keys) == 4
        assert desk.sandbox.shown()["BAG"]["stock"] == 5

    in_a_shop(scenario)


def test_an_item_that_is_not_stocked_at_the_location_is_activated() -> None:
    async def scenario(desk: Desk[Busy]) -> None:
        await desk.bring(shirts())
        item = Ids.parse(desk.ids["RED"]).item
        del desk.sandbox.shop.levels[item]
        desk.sent()
        assert isinstance(await desk.push(shirts(stock=9), "RED", "stock"), Confirmed)
        assert desk.sent() == [QUANTITY, ACTIVATE]
        assert desk.sandbox.shown()["RED"]["stock"] == 9

    in_a_shop(scenario)


def test_a_wrong_location_is_told_in_shopifys_words() -> None:
    async def scenario(desk: Desk[Busy]) -> None:
        await desk.push(bag(), "BAG")
        await desk.connector.close()
        desk.connector = connector(desk.sandbox.settings() | {"location_id": "99"})
        outcome: Outcome = await desk.push(bag(stock=8), "BAG", "stock")
        assert isinstance(outcome, Rejected)
        assert [(each.code, each.field) for each in outcome.reasons] == [("stock", "locationId")]

    in_a_shop(scenario)


class Busy(ShopifySandbox):
    """A shop that sells one more before each change of a quantity, or holds the first such change back."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.sells = ""
        self.hold: asyncio.Event | None = None
        self.held = asyncio.Event()

    async def graphql(self, request: web.Request) -> web.Response:
        if b"inventorySetQuantities" in await request.read():
            if self.sells:
                self.shop.sell(self.sells)
            if self.hold is not None and not self.held.is_set():
                self.held.set()
                await self.hold.wait()
        return await super().graphql(request)
