"""How fast the shop is called, what happens when it does not answer, and what a request would be without sending it."""

import asyncio
import time
from collections.abc import Mapping
from contextlib import contextmanager
from typing import Any

import msgspec
import pytest

from daybook.channel import calls
from daybook.channel.calls import Exchange, exchanges, previewing
from daybook.channel.contract import ChannelUnavailable, Confirmed, Payload, Push, Throttled
from daybook.channel.pacing import Rate
from daybook.errors import BadConfiguration
from daybook_projections.webshop import manifest
from daybook_projections.webshop.connector import API, REST, connector
from daybook_projections.webshop.tests.desk import BAG, MEDIUM, SHIRT, Desk, at_the_desk, changed


def test_at_the_hosts_limit_the_shop_is_never_too_fast_for_it_and_hardly_slower() -> None:
    rate = 50.0

    async def scenario(desk: Desk) -> None:
        await desk.push(BAG)
        await desk.connector.close()
        desk.shop.limits[REST] = Rate(rate, 5)
        desk.connector = connector(desk.shop.settings() | {"per_second": str(rate)})
        desk.shop.received.clear()
        ends = time.monotonic() + 1.5

        async def lane(number: int) -> None:
            while time.monotonic() < ends:
                outcome = await desk.push(changed(BAG, "stock", stock_quantity=number), "stock")
                assert isinstance(outcome, Confirmed), outcome

        await asyncio.gather(*(lane(number) for number in range(8)))
        times = [each.at for each in desk.shop.received]
        assert {each.status for each in desk.shop.received} == {200}
        reached = (len(times) - 1) / (times[-1] - times[0])
        # Far less than it reaches on a quiet machine; the benchmark of the delivery measures that.
        assert reached >= 0.5 * rate, f"{reached:.0f} requests a second of {rate:.0f}"

    at_the_desk(scenario)


def test_a_limit_that_nobody_told_of_is_kept_by_the_shops_own_429() -> None:
    async def scenario(desk: Desk) -> None:
        desk.shop.limits[REST] = Rate(0.001, 3)
        outcomes = [await desk.push(BAG) for _ in range(4)]
        assert outcomes[3] == Throttled(1.0, REST)
        desk.shop.limits.clear()
        started = time.monotonic()
        assert await desk.push(BAG, "price") == Confirmed()
        assert 0.5 < time.monotonic() - started < 3, "it waited for as long as the shop had asked"

    at_the_desk(scenario)


@pytest.mark.parametrize("text", ["fast", "0", "-1", "nan", "inf"])
def test_a_pace_that_is_no_number_above_0_is_refused_by_name(text: str) -> None:
    settings = {"url": "http://shop", "consumer_key": "k", "consumer_secret": "s", "per_second": text}
    with pytest.raises(BadConfiguration, match="DAYBOOK_CHANNEL_WEBSHOP_PER_SECOND"):
        connector(settings)


def test_more_stock_waits_for_its_price_and_the_manifest_says_which_facets_these_are() -> None:
    stock = manifest.stock
    assert stock is not None
    assert (stock.facet, stock.price) == ("stock", "price")
    assert stock.amount(BAG["stock"]) == 5
    assert stock.amount({"manage_stock": False}) == 0
    assert manifest.variants_hang_on_root


def test_a_shop_that_takes_requests_and_never_answers_is_unavailable_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "ANSWER_SECONDS_MAX", 0.2)

    async def scenario(desk: Desk) -> None:
        desk.shop.faults.hang = True
        assert isinstance(await desk.push(BAG), ChannelUnavailable)
        both = [desk.describe(BAG), desk.describe(changed(BAG, "product", sku="BAG-2", global_unique_id=""))]
        assert all(isinstance(outcome, ChannelUnavailable) for outcome in await desk.push_all(*both))
        assert isinstance(await desk.connector.read(both[0]), ChannelUnavailable)
        desk.shop.faults.hang = False
        assert (await desk.push(BAG, attempt=2)).remote_id == "101"

    at_the_desk(scenario)


def test_a_request_that_the_shop_holds_back_is_carried_out_once_it_lets_go() -> None:
    async def scenario(desk: Desk) -> None:
        desk.shop.faults.hang = True
        pushed = asyncio.create_task(desk.push(BAG))
        _, waiting = await asyncio.wait({pushed}, timeout=0.1)
        assert waiting, "it was answered although the shop hangs"
        desk.shop.faults.hang = False
        assert isinstance(await pushed, Confirmed)

    at_the_desk(scenario)


def test_a_key_does_not_expire_so_ended_tokens_change_nothing() -> None:
    async def scenario(desk: Desk) -> None:
        desk.shop.faults.expire_tokens = True
        assert isinstance(await desk.push(BAG), Confirmed)
        assert not desk.shop.faults.expire_tokens

    at_the_desk(scenario)


@contextmanager
def preview() -> Any:
    """While it holds nothing leaves; gives what would have."""
    kept: list[Exchange] = []
    tokens = previewing.set(True), exchanges.set(kept)
    try:
        yield kept
    finally:
        previewing.reset(tokens[0])
        exchanges.reset(tokens[1])


IDS = {"BAG": "7", "SHIRT": "8", "SHIRT-M": "8/9"}
BARE = {key: value for key, value in MEDIUM["product"].items() if key != "_parent"}


@pytest.mark.parametrize(
    ("listing", "facet", "ids", "asked", "body"),
    [
        (BAG, "product", {}, "POST /products", BAG["product"] | BAG["price"] | BAG["stock"]),
        (SHIRT, "product", {}, "POST /products", SHIRT["product"]),
        (
            *(MEDIUM, "product", {"SHIRT": "8"}, "POST /products/8/variations"),
            BARE | MEDIUM["price"] | MEDIUM["stock"],
        ),
        (BAG, "product", IDS, "PUT /products/7", BAG["product"]),
        (BAG, "price", IDS, "PUT /products/7", BAG["price"]),
        (BAG, "stock", IDS, "PUT /products/7", BAG["stock"]),
        (MEDIUM, "product", IDS, "PUT /products/8/variations/9", BARE),
        (MEDIUM, "price", IDS, "PUT /products/8/variations/9", MEDIUM["price"]),
        (MEDIUM, "stock", IDS, "PUT /products/8/variations/9", MEDIUM["stock"]),
        (BAG, "price", {}, None, None),
        (MEDIUM, "product", {}, None, None),
    ],
)
def test_a_preview_tells_the_request_and_sends_nothing(
    listing: Mapping[str, Payload], facet: str, ids: Mapping[str, str], asked: str | None, body: Payload | None
) -> None:
    async def scenario(desk: Desk) -> None:
        with preview() as kept:
            outcome = await desk.push(listing, facet, ids=ids)
        assert not isinstance(outcome, Confirmed)
        assert not desk.shop.received
        assert [f"{one.method} {one.url.removeprefix(desk.shop.url + API)}" for one in kept] == [asked][: bool(asked)]
        if body is not None:
            assert msgspec.json.decode(kept[0].request) == body

    at_the_desk(scenario)


def test_a_preview_of_a_removal_and_of_a_batch_sends_nothing_either() -> None:
    async def scenario(desk: Desk) -> None:
        with preview() as kept:
            await desk.push(BAG, remove=True, ids=IDS)
            pushes: list[Push] = [desk.describe(BAG, facet, ids=IDS) for facet in ("price", "stock")]
            await desk.push_all(*pushes)
        assert [(one.method, one.url.removeprefix(desk.shop.url + API)) for one in kept] == [
            ("DELETE", "/products/7?force=true"),
            ("POST", "/products/batch"),
        ]
        assert not desk.shop.received

    at_the_desk(scenario)
