"""A preview shows the first request of a push and sends nothing; a validation asks Amazon and changes nothing."""

import msgspec
import pytest

from daybook.channel.calls import Exchange, exchanges, previewing
from daybook.channel.contract import ChannelUnavailable, Outcome, Push, Waiting
from daybook.channel.testing import History
from daybook.errors import Unavailable as NoAnswer
from daybook.events import Rejection
from daybook_projections.amazon.tests.desk import SKU, Desk, at_desk, family, suitcase


async def previewed(desk: Desk, push: Push) -> tuple[Outcome, list[tuple[str, str, object]]]:
    kept: list[Exchange] = []
    listening, token = exchanges.set(kept), previewing.set(True)
    try:
        outcome = await desk.connector.push(push)
    finally:
        exchanges.reset(listening)
        previewing.reset(token)
    assert not desk.sandbox.received
    assert all("?marketplaceIds=A1805IZSGTT6HS" in one.url for one in kept)
    paths = [one.url.partition("?")[0].rpartition("/")[2] for one in kept]
    seen = [
        (one.method, path, one.request and msgspec.json.decode(one.request))
        for one, path in zip(kept, paths, strict=True)
    ]
    return outcome, list(seen)


def request_of(push: Push, method: str, body: object) -> list[tuple[str, str, object]]:
    return [(method, push.sku.replace(":", "%3A").replace("+", "%2B"), body)]


@pytest.mark.parametrize("remote_id", [None, "B0123"])
def test_the_whole_listing_is_shown_as_one_put(remote_id: str | None) -> None:
    async def scenario(desk: Desk) -> None:
        push = msgspec.structs.replace(desk.push_of(SKU, "product", suitcase()), remote_id=remote_id)
        outcome, seen = await previewed(desk, push)
        assert isinstance(outcome, ChannelUnavailable)
        product = push.listing["product"]
        offer = push.listing["price"] | push.listing["stock"]
        assert seen == request_of(push, "PUT", product | {"attributes": product["attributes"] | offer})

    at_desk(scenario)


@pytest.mark.parametrize("facet", ["price", "stock"])
def test_price_and_stock_are_shown_as_a_patch_or_as_waiting_for_their_listing(facet: str) -> None:
    async def scenario(desk: Desk) -> None:
        push = msgspec.structs.replace(desk.push_of(SKU, facet, suitcase()), remote_id="B0123")
        _, seen = await previewed(desk, push)
        ((name, value),) = push.listing[facet].items()
        patch = {"op": "replace", "path": f"/attributes/{name}", "value": value}
        assert seen == request_of(push, "PATCH", {"productType": "PRODUCT", "patches": [patch]})
        outcome, seen = await previewed(desk, msgspec.structs.replace(push, remote_id=None))
        assert isinstance(outcome, Waiting)
        assert seen == []

    at_desk(scenario)


def test_removals_are_shown_and_a_child_is_shown_before_its_parent_is_there() -> None:
    async def scenario(desk: Desk) -> None:
        push = desk.push_of(SKU, "product", suitcase(), remove=True)
        assert (await previewed(desk, push))[1] == request_of(push, "DELETE", None)
        price = desk.push_of(SKU, "price", suitcase(), remove=True)
        assert (await previewed(desk, price))[1] == request_of(price, "GET", None)
        child = desk.push_of("M-1", "product", family())
        assert [method for method, _, _ in (await previewed(desk, child))[1]] == ["PUT"]

    at_desk(scenario)


def test_a_valid_listing_has_nothing_against_it_and_is_not_listed() -> None:
    async def scenario(desk: Desk) -> None:
        assert await desk.connector.validate(desk.push_of(SKU, "product", suitcase())) == ()
        desk.apply()
        assert desk.sandbox.shown() == {}
        assert [one.query["mode"] for one in desk.sandbox.received if one.method == "PUT"] == ["VALIDATION_PREVIEW"]

    at_desk(scenario)


def test_amazons_reasons_are_told_also_while_previewing() -> None:
    async def scenario(desk: Desk) -> None:
        unbranded = History().product(
            "S2", attributes={"name": "Koffer"}, price=("default", "1.00", "EUR"), listed=("amazon",)
        )
        push = desk.push_of("S2", "product", unbranded)
        await previewed(desk, push)
        token = previewing.set(True)
        reasons = await desk.connector.validate(push)
        previewing.reset(token)
        assert reasons == (Rejection("90220", "'brand' is required but not supplied.", "brand"),)

    at_desk(scenario)


def test_a_price_is_validated_as_a_patch_of_its_listing_or_with_the_whole_of_a_new_one() -> None:
    async def scenario(desk: Desk) -> None:
        wrong = suitcase(price="0.00")
        (reason,) = await desk.connector.validate(desk.push_of(SKU, "price", wrong))
        await desk.bring(desk.push_of(SKU, "product", suitcase()))
        assert await desk.connector.validate(desk.push_of(SKU, "price", wrong)) == (reason,)
        assert reason.field == "purchasable_offer"
        assert await desk.connector.validate(desk.push_of(SKU, "product", wrong, remove=True)) == ()
        desk.apply()
        assert desk.sandbox.shown()[SKU]["price"] == "79.95"

    at_desk(scenario)


def test_no_answer_to_a_validation_is_an_error_and_not_a_pass() -> None:
    async def scenario(desk: Desk) -> None:
        push = desk.push_of(SKU, "product", suitcase())
        desk.sandbox.faults.outage = True
        with pytest.raises(NoAnswer, match="validate"):
            await desk.connector.validate(push)
        desk.sandbox.faults.outage = False
        desk.sandbox.faults.throttle_next = 1
        assert await desk.connector.validate(push) == (), "too fast is waited out"

    at_desk(scenario)
