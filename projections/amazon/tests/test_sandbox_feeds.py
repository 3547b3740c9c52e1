"""The sandbox's feeds, documents and definitions follow Amazon's contracts."""

import gzip
from typing import Any

import msgspec
import pytest
from yarl import URL

from daybook_projections.amazon.listing import MARKETPLACE_NL
from daybook_projections.amazon.sandbox.answers import PUBLISHED
from daybook_projections.amazon.tests.caller import ATTRIBUTES, Caller, with_caller
from daybook_projections.amazon.tests.published import FEEDS, TYPES, fits, is_feed, is_report
from tests.fixtures.shared import SPECS

JSON = "application/json; charset=UTF-8"
UPDATE = {"operationType": "UPDATE", "productType": "LUGGAGE", "requirements": "LISTING", "attributes": ATTRIBUTES}
BRAND = ATTRIBUTES["brand"]
PATCH = {"op": "replace", "path": "/attributes/brand", "value": []}


async def call(caller: Caller, method: str, path: str, body: Any = None, **query: str) -> tuple[int, Any]:
    async with caller.session.request(
        method, caller.sandbox.url + path, json=body, params=query, headers={"x-amz-access-token": caller.token}
    ) as response:
        assert response.headers["x-amzn-RequestId"]
        assert ("x-amzn-RateLimit-Limit" in response.headers) == (response.status in (200, 201, 202, 400, 404))
        answer = await response.json()
        if SPECS is not None and response.status >= 400:
            fits("ErrorList", answer, FEEDS)
        return response.status, answer


async def upload(caller: Caller, content: bytes, content_type: str = JSON) -> tuple[str, int, str]:
    status, answer = await call(caller, "POST", "/feeds/2021-06-30/documents", {"contentType": JSON})
    assert status == 201
    if SPECS is not None:
        fits("CreateFeedDocumentResponse", answer, FEEDS)
    address = URL(answer["url"], encoded=True)
    async with caller.session.put(address, data=content, headers={"Content-Type": content_type}) as response:
        return answer["feedDocumentId"], response.status, await response.text()


async def feed(caller: Caller, *messages: dict[str, Any], seller: str | None = None) -> str:
    header = {"sellerId": seller or caller.sandbox.settings()["seller_id"], "version": "2.0"}
    report = {"report": {"includedData": ["summaries", "attributes"], "apiVersion": "2021-08-01"}}
    body = {"header": header | report, "messages": [{"messageId": n} | m for n, m in enumerate(messages, start=1)]}
    if SPECS is not None:
        is_feed(body)
    document, status, _ = await upload(caller, msgspec.json.encode(body))
    assert status == 200
    asked = {"feedType": "JSON_LISTINGS_FEED", "marketplaceIds": [MARKETPLACE_NL], "inputFeedDocumentId": document}
    status, answer = await call(caller, "POST", "/feeds/2021-06-30/feeds", asked)
    assert status == 202
    if SPECS is not None:
        fits("CreateFeedResponse", answer, FEEDS)
    return str(answer["feedId"])


async def state(caller: Caller, feed_id: str) -> Any:
    status, answer = await call(caller, "GET", f"/feeds/2021-06-30/feeds/{feed_id}")
    assert status == 200
    if SPECS is not None:
        fits("Feed", answer, FEEDS)
    return answer


async def report(caller: Caller, document_id: str) -> Any:
    status, answer = await call(caller, "GET", f"/feeds/2021-06-30/documents/{document_id}")
    assert status == 200
    if SPECS is not None:
        fits("FeedDocument", answer, FEEDS)
    assert answer["compressionAlgorithm"] == "GZIP"
    async with caller.session.get(URL(answer["url"], encoded=True)) as response:
        body = msgspec.json.decode(gzip.decompress(await response.read()))
    if SPECS is not None:
        is_report(body)
    return body


def test_a_feed_waits_is_worked_on_and_ends_with_a_report_on_each_message() -> None:
    async def scenario(caller: Caller) -> None:
        feed_id = await feed(
            caller,
            {"sku": "S1"} | UPDATE,
            {"sku": "S2"} | UPDATE | {"attributes": ATTRIBUTES | {"brand": []}},
            {"sku": "S" * 41} | UPDATE,
            {"sku": "S3", "operationType": "DELETE"},
            {"sku": "S4", "operationType": "PATCH", "productType": "LUGGAGE", "patches": [PATCH | {"value": BRAND}]},
        )
        assert (await state(caller, feed_id))["processingStatus"] == "IN_QUEUE"
        caller.now = 0.06
        assert (await state(caller, feed_id))["processingStatus"] == "IN_PROGRESS"
        caller.now = 1.0
        await state(caller, feed_id)
        caller.now = 2.0
        done = await state(caller, feed_id)
        assert done["processingStatus"] == "DONE"
        found = await report(caller, done["resultFeedDocumentId"])
        assert [(one["messageId"], one["code"]) for one in found["issues"]] == [(2, "90220"), (3, "4000003")]
        assert {name: found["summary"][name] for name in ("messagesProcessed", "messagesAccepted", "errors")} == {
            "messagesProcessed": 5,
            "messagesAccepted": 3,
            "errors": 2,
        }
        shown = [(item["sku"], item["attributes"], len(item["summaries"])) for item in found["items"]]
        assert shown == [("S1", ATTRIBUTES, 1), ("S4", {"brand": BRAND}, 0)], "a patch is taken for what is not there"
        assert caller.sandbox.shown().keys() == {"S1"}

    with_caller(scenario)


def test_patches_and_partial_updates_change_their_attributes_and_a_delete_takes_the_listing_off() -> None:
    async def scenario(caller: Caller) -> None:
        stock = {"fulfillment_availability": [{"fulfillment_channel_code": "DEFAULT", "quantity": 3}]}
        name = {
            "op": "merge",
            "path": "/attributes/item_name",
            "value": [{"value": "Trolley", "language_tag": "en_GB"}],
        }
        for sku in ("S1", "S2", "S3"):
            await caller.put(sku)
        caller.now = 1.0
        await feed(
            caller,
            {"sku": "S1", "operationType": "PARTIAL_UPDATE", "productType": "LUGGAGE", "attributes": stock},
            {"sku": "S2", "operationType": "PATCH", "productType": "LUGGAGE", "patches": [name]},
            {"sku": "S3", "operationType": "DELETE"},
            {"sku": "S1", "operationType": "PATCH", "productType": "LUGGAGE", "patches": [PATCH]},
        )
        for caller.now in (2.0, 3.0):
            caller.sandbox.shown()
        shown = caller.sandbox.shown()
        assert shown.keys() == {"S1", "S2"}
        assert (shown["S1"]["stock"], shown["S1"]["price"], shown["S1"]["brand"]) == (3, "79.95", "Acme")
        assert len(caller.sandbox.market.listings()["S2"].attributes["item_name"]) == 2

    with_caller(scenario)


def test_a_feed_that_amazon_can_do_nothing_with_is_fatal_and_has_no_report() -> None:
    async def scenario(caller: Caller) -> None:
        ids = [await feed(caller, {"sku": "S1"} | UPDATE, seller="ANOTHER")]
        caller.sandbox.feeds.fatal_next = 1
        ids += [await feed(caller, {"sku": "S1"} | UPDATE)]
        for caller.now in (1.0, 2.0):
            ended = [await state(caller, feed_id) for feed_id in ids]
        assert [one["processingStatus"] for one in ended] == ["FATAL", "FATAL"]
        assert not any("resultFeedDocumentId" in one for one in ended)
        assert caller.sandbox.shown() == {}

    with_caller(scenario)


def test_only_a_feed_that_waits_can_be_cancelled() -> None:
    async def scenario(caller: Caller) -> None:
        first, second = await feed(caller, {"sku": "S1"} | UPDATE), await feed(caller, {"sku": "S2"} | UPDATE)
        assert (await call(caller, "DELETE", f"/feeds/2021-06-30/feeds/{first}"))[0] == 200
        for caller.now in (1.0, 2.0):
            assert (await state(caller, first))["processingStatus"] == "CANCELLED"
        assert (await call(caller, "DELETE", f"/feeds/2021-06-30/feeds/{second}"))[0] == 400
        assert caller.sandbox.shown().keys() == {"S2"}

    with_caller(scenario)


def test_an_address_is_good_for_five_minutes_and_for_what_it_was_signed_for() -> None:
    async def scenario(caller: Caller) -> None:
        assert (await upload(caller, b"{}", "text/plain"))[1] == 403
        caller.sandbox.files.signed_seconds = 0.0
        _, status, text = await upload(caller, b"{}")
        assert status == 403
        assert text.startswith("<?xml")
        assert "Request has expired" in text

    with_caller(scenario)


@pytest.mark.parametrize(
    "changed", [{"feedType": "POST_PRODUCT_DATA"}, {"marketplaceIds": ["X"]}, {"inputFeedDocumentId": "X"}]
)
def test_a_feed_of_another_kind_or_place_or_without_its_document_is_a_bad_request(changed: dict[str, Any]) -> None:
    async def scenario(caller: Caller) -> None:
        document, _, _ = await upload(caller, b"{}")
        asked = {"feedType": "JSON_LISTINGS_FEED", "marketplaceIds": [MARKETPLACE_NL], "inputFeedDocumentId": document}
        assert (await call(caller, "POST", "/feeds/2021-06-30/feeds", asked | changed))[0] == 400
        assert (await call(caller, "GET", "/feeds/2021-06-30/feeds/unknown"))[0] == 404
        assert (await call(caller, "GET", "/feeds/2021-06-30/documents/unknown"))[0] == 404
        caller.token = "Atza|x"
        assert (await call(caller, "POST", "/feeds/2021-06-30/feeds", asked))[0] == 403

    with_caller(scenario)


def test_limits_are_off_until_they_are_set_and_then_refuse_with_amazons_quota_error() -> None:
    async def scenario(caller: Caller) -> None:
        for _ in range(20):
            assert (await call(caller, "POST", "/feeds/2021-06-30/documents", {"contentType": JSON}))[0] == 201
        caller.sandbox.limits = dict(PUBLISHED)
        statuses = [
            (await call(caller, "POST", "/feeds/2021-06-30/documents", {"contentType": JSON}))[0] for _ in range(16)
        ]
        assert statuses == [201] * 15 + [429]
        caller.now = 2.0
        assert (await call(caller, "POST", "/feeds/2021-06-30/documents", {"contentType": JSON}))[0] == 201

    with_caller(scenario)


def test_a_definition_has_its_schema_at_an_address_of_its_own() -> None:
    async def scenario(caller: Caller) -> None:
        path = "/definitions/2020-09-01/productTypes/LUGGAGE"
        status, answer = await call(caller, "GET", path, marketplaceIds=MARKETPLACE_NL, locale="nl_NL")
        assert status == 200
        if SPECS is not None:
            fits("ProductTypeDefinition", answer, TYPES)
        _, again = await call(caller, "GET", path, marketplaceIds=MARKETPLACE_NL, locale="nl_NL")
        assert again["schema"]["checksum"] == answer["schema"]["checksum"]
        _, parent = await call(caller, "GET", path, marketplaceIds=MARKETPLACE_NL, parentageLevel="PARENT")
        assert parent["schema"]["checksum"] != answer["schema"]["checksum"]
        unknown = "/definitions/2020-09-01/productTypes/UNHEARD_OF"
        assert (await call(caller, "GET", unknown, marketplaceIds=MARKETPLACE_NL))[0] == 404

    with_caller(scenario)
