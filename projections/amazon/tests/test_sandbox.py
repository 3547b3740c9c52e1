"""The sandbox follows Amazon's contract: each answer, each refusal, and when a change is seen."""

from typing import Any

import pytest

from daybook_projections.amazon.listing import MARKETPLACE_NL
from daybook_projections.amazon.tests.caller import ATTRIBUTES, EVERYTHING, HERE, Caller, with_caller
from daybook_projections.amazon.tests.published import asks, fits
from tests.fixtures.shared import needs_specs


def test_signing_in_gives_a_bearer_token_and_wrong_credentials_give_amazons_error() -> None:
    async def scenario(caller: Caller) -> None:
        status, body = await caller.sign_in()
        assert status == 200
        assert (body["token_type"], body["expires_in"], body["refresh_token"]) == ("bearer", 3600, "Atzr|sandbox")
        for wrong, error in (
            ({"client_id": "x"}, "invalid_client"),
            ({"client_secret": "x"}, "invalid_client"),
            ({"refresh_token": "x"}, "invalid_grant"),
            ({"grant_type": "password"}, "unsupported_grant_type"),
        ):
            status, body = await caller.sign_in(**wrong)
            assert (status, body["error"]) == (400, error)

    with_caller(scenario, signed_in=False)


def test_a_missing_invalid_or_expired_token_is_refused_with_403() -> None:
    async def scenario(caller: Caller) -> None:
        for headers, now, why in (
            ({}, 0, "Access token is missing in the request header."),
            ({"x-amz-access-token": "Atza|x"}, 0, "The access token you provided is invalid."),
            (None, 3601, "The access token you provided has expired."),
        ):
            caller.now = now
            status, body, _ = await caller.call("GET", "S1", headers=headers)
            assert status == 403
            assert body == {
                "errors": [
                    {"code": "Unauthorized", "message": "Access to requested resource is denied.", "details": why}
                ]
            }

    with_caller(scenario)


def test_an_accepted_listing_is_seen_only_once_it_is_applied() -> None:
    async def scenario(caller: Caller) -> None:
        answer = await caller.put("S1", includedData="issues")
        assert (answer["sku"], answer["status"], answer["issues"]) == ("S1", "ACCEPTED", [])
        assert "identifiers" not in answer
        assert caller.sandbox.shown() == {}
        assert (await caller.call("GET", "S1"))[0] == 404
        caller.now = 1.0
        status, item, _ = await caller.call("GET", "S1", includedData=EVERYTHING)
        assert status == 200
        assert item["attributes"] == ATTRIBUTES
        assert item["offers"][0]["price"] == {"currencyCode": "EUR", "amount": "79.95"}
        assert item["fulfillmentAvailability"] == [{"fulfillmentChannelCode": "DEFAULT", "quantity": 12}]
        summary = item["summaries"][0]
        assert summary["status"] == ["BUYABLE", "DISCOVERABLE"]
        assert caller.sandbox.shown()["S1"] == {
            "title": "Koffer",
            "description": None,
            "brand": "Acme",
            "price": "79.95",
            "currency": "EUR",
            "stock": 12,
            "asin": summary["asin"],
            "parent": None,
            "live": True,
            "buyable": True,
        }
        assert (await caller.call("GET", "S1"))[1].keys() == {"sku", "summaries"}
        answer = await caller.put("S1", includedData="identifiers", mode="VALIDATION_PREVIEW")
        assert answer["identifiers"] == [{"marketplaceId": MARKETPLACE_NL, "asin": summary["asin"]}]

    with_caller(scenario)


def test_a_validation_preview_judges_and_changes_nothing() -> None:
    async def scenario(caller: Caller) -> None:
        assert (await caller.put("S1", mode="VALIDATION_PREVIEW"))["status"] == "VALID"
        assert (await caller.put("S1", {"brand": []}, mode="VALIDATION_PREVIEW"))["status"] == "INVALID"
        caller.now = 10.0
        assert caller.sandbox.shown() == {}

    with_caller(scenario)


OFFER = ATTRIBUTES["purchasable_offer"][0]


@pytest.mark.parametrize(
    ("changed", "code", "category", "named"),
    [
        ({"brand": []}, "90220", "MISSING_ATTRIBUTE", "brand"),
        ({"item_name": []}, "90220", "MISSING_ATTRIBUTE", "item_name"),
        ({"condition_type": []}, "90220", "MISSING_ATTRIBUTE", "condition_type"),
        ({"purchasable_offer": []}, "90220", "MISSING_ATTRIBUTE", "purchasable_offer"),
        (
            {"item_name": [{"value": "x", "language_tag": "zh_Hans_CN"}]},
            "4000001",
            "INVALID_ATTRIBUTE",
            "item_name",
        ),
        ({"item_name": [{"value": "x" * 201}]}, "4000001", "INVALID_ATTRIBUTE", "item_name"),
        (
            {"externally_assigned_product_identifier": [{"type": "ean", "value": "1234567890183"}]},
            "4000001",
            "INVALID_ATTRIBUTE",
            "externally_assigned_product_identifier",
        ),
        (
            {"purchasable_offer": [OFFER | {"our_price": [{"schedule": [{"value_with_tax": 0}]}]}]},
            "4000001",
            "INVALID_PRICE",
            "purchasable_offer",
        ),
        (
            {"purchasable_offer": [OFFER | {"our_price": [{"schedule": [{"value_with_tax": 1.005}]}]}]},
            "4000001",
            "INVALID_PRICE",
            "purchasable_offer",
        ),
        (
            {"brand": [{"value": "Acme", "marketplace_id": "ATVPDKIKX0DER"}]},
            "4000001",
            "INVALID_ATTRIBUTE",
            "brand",
        ),
        (
            {
                "child_parent_sku_relationship": [{"child_relationship_type": "variation", "parent_sku": "P"}],
                "variation_theme": [{"name": "COLOR"}],
            },
            "90220",
            "MISSING_ATTRIBUTE",
            "color",
        ),
    ],
)
def test_what_is_missing_or_wrong_makes_a_submission_invalid(
    changed: dict[str, Any], code: str, category: str, named: str
) -> None:
    async def scenario(caller: Caller) -> None:
        answer = await caller.put("S1", changed)
        assert answer["status"] == "INVALID"
        (issue,) = answer["issues"]
        assert (issue["code"], issue["categories"], issue["attributeNames"]) == (code, [category], [named])
        assert issue["severity"] == "ERROR"
        caller.now = 10.0
        assert caller.sandbox.shown() == {}

    with_caller(scenario)


def test_a_missing_brand_is_refused_in_amazons_own_words() -> None:
    async def scenario(caller: Caller) -> None:
        (issue,) = (await caller.put("S1", {"brand": []}))["issues"]
        assert issue["message"] == "'brand' is required but not supplied."

    with_caller(scenario)


def test_a_put_replaces_the_whole_listing_and_a_patch_one_attribute() -> None:
    async def scenario(caller: Caller) -> None:
        await caller.put("S1")
        caller.now = 1.0
        stock = {"path": "/attributes/fulfillment_availability", "op": "replace"}
        status, answer = await caller.patch(
            "S1", stock | {"value": [{"fulfillment_channel_code": "DEFAULT", "quantity": 3}]}
        )
        assert (status, answer["status"]) == (200, "ACCEPTED")
        caller.now = 2.0
        assert caller.sandbox.shown()["S1"]["stock"] == 3
        assert caller.sandbox.shown()["S1"]["price"] == "79.95"
        await caller.put("S1", {"fulfillment_availability": []})
        caller.now = 3.0
        shown = caller.sandbox.shown()["S1"]
        assert (shown["stock"], shown["live"], shown["buyable"]) == (None, True, False)

    with_caller(scenario)


def test_merge_and_delete_choose_entries_by_their_selectors() -> None:
    async def scenario(caller: Caller) -> None:
        await caller.put("S1")
        caller.now = 1.0
        english = {"value": "Suitcase", "language_tag": "en_GB"} | HERE
        await caller.patch("S1", {"op": "merge", "path": "/attributes/item_name", "value": [english]})
        caller.now = 2.0
        _, item, _ = await caller.call("GET", "S1", includedData="attributes")
        assert item["attributes"]["item_name"] == [*ATTRIBUTES["item_name"], english]
        await caller.patch(
            "S1", {"op": "delete", "path": "/attributes/item_name", "value": [{"language_tag": "en_GB"}]}
        )
        caller.now = 3.0
        _, item, _ = await caller.call("GET", "S1", includedData="attributes")
        assert item["attributes"]["item_name"] == ATTRIBUTES["item_name"]

    with_caller(scenario)


def test_patches_that_are_no_top_level_replacement_are_bad_requests() -> None:
    async def scenario(caller: Caller) -> None:
        await caller.put("S1")
        caller.now = 1.0
        for patch in (
            {"op": "replace", "path": "/attributes/purchasable_offer/0/our_price", "value": []},
            {"op": "replace", "path": "/summaries", "value": []},
            {"op": "move", "path": "/attributes/brand", "value": []},
        ):
            assert (await caller.patch("S1", patch))[0] == 400
        assert (await caller.patch("S1"))[0] == 400
        price: dict[str, Any] = {"op": "replace", "path": "/attributes/purchasable_offer", "value": []}
        status, answer = await caller.patch("S1", price)
        assert (status, answer["errors"][0]["code"]) == (400, "InvalidInput")
        free = OFFER | {"our_price": [{"schedule": [{"value_with_tax": 0}]}]}
        status, answer = await caller.patch("S1", price | {"value": [free]})
        assert (status, answer["status"]) == (200, "INVALID")

    with_caller(scenario)


def test_an_unknown_sku_is_not_found_and_a_removed_one_is_unknown() -> None:
    async def scenario(caller: Caller) -> None:
        status, answer, _ = await caller.call("GET", "S1")
        assert (status, answer["errors"][0]["code"]) == (404, "NOT_FOUND")
        assert answer["errors"][0]["message"] == f"SKU 'S1' not found in marketplace {MARKETPLACE_NL}"
        assert (await caller.call("DELETE", "S1"))[1]["status"] == "ACCEPTED"
        await caller.put("S1")
        caller.now = 1.0
        assert (await caller.call("DELETE", "S1"))[1]["status"] == "ACCEPTED"
        assert "S1" in caller.sandbox.shown()
        caller.now = 2.0
        assert caller.sandbox.shown() == {}

    with_caller(scenario)


def test_a_patch_of_an_unknown_sku_is_accepted_and_makes_nothing_that_buyers_see() -> None:
    async def scenario(caller: Caller) -> None:
        price = {"op": "replace", "path": "/attributes/purchasable_offer", "value": [OFFER]}
        status, answer = await caller.patch("S1", price)
        assert (status, answer["status"]) == (200, "ACCEPTED")
        caller.now = 1.0
        assert caller.sandbox.shown() == {}
        status, item, _ = await caller.call("GET", "S1", includedData=EVERYTHING)
        assert (status, item["summaries"], item["offers"]) == (200, [], [])
        assert item["attributes"] == {"purchasable_offer": [OFFER]}

    with_caller(scenario)


def test_a_sku_has_at_most_40_characters() -> None:
    async def scenario(caller: Caller) -> None:
        await caller.put("S" * 40)
        for method in ("GET", "PUT", "DELETE"):
            status, answer, _ = await caller.call(method, "S" * 41, {} if method == "PUT" else None)
            assert (status, answer["errors"][0]["code"]) == (400, "InvalidInput")
            assert answer["errors"][0]["message"] == f"Invalid 'sku' provided. SKU: {'S' * 41}"

    with_caller(scenario)


def test_bad_parameters_and_bodies_are_refused() -> None:
    async def scenario(caller: Caller) -> None:
        whole = {"productType": "LUGGAGE", "requirements": "LISTING", "attributes": ATTRIBUTES}
        for query in (
            {"marketplaceIds": ""},
            {"marketplaceIds": "ATVPDKIKX0DER"},
            {"includedData": "summaries"},
            {"includedData": "identifiers"},
            {"mode": "x"},
        ):
            status, answer, _ = await caller.call("PUT", "S1", whole, None, **query)
            assert (status, answer["errors"][0]["code"]) == (400, "InvalidInput"), query
        bodies: list[Any] = [[], {"attributes": {}}, {"productType": "X"}, whole | {"requirements": "SOME"}]
        for body in bodies:
            assert (await caller.call("PUT", "S1", body))[0] == 400
        headers = {"x-amz-access-token": caller.token, "Content-Type": "text/plain"}
        assert (await caller.call("PUT", "S1", whole, headers=headers))[0] == 415

    with_caller(scenario)


def test_a_late_issue_appears_with_the_change_and_can_take_the_listing_off_sale() -> None:
    async def scenario(caller: Caller) -> None:
        caller.sandbox.late_issues["S1"] = {
            "code": "8541",
            "message": "Another product has this identifier.",
            "severity": "ERROR",
            "categories": ["INVALID_ATTRIBUTE"],
            "enforcements": {"actions": [{"action": "LISTING_SUPPRESSED"}], "exemption": {"status": "NOT_EXEMPT"}},
        }
        assert (await caller.put("S1"))["status"] == "ACCEPTED"
        caller.now = 1.0
        _, item, _ = await caller.call("GET", "S1", includedData=EVERYTHING)
        assert item["issues"][0]["code"] == "8541"
        assert item["summaries"][0]["status"] == []
        assert caller.sandbox.shown()["S1"]["live"] is False

    with_caller(scenario)


def test_a_child_whose_parent_is_unknown_is_accepted_and_found_fault_with_later() -> None:
    async def scenario(caller: Caller) -> None:
        related = {
            "child_parent_sku_relationship": [{"child_relationship_type": "variation", "parent_sku": "P"} | HERE],
            "variation_theme": [{"name": "COLOR"} | HERE],
            "color": [{"value": "Rood"} | HERE],
        }
        assert (await caller.put("C", related))["status"] == "ACCEPTED"
        caller.now = 1.0
        _, item, _ = await caller.call("GET", "C", includedData="issues")
        assert item["issues"][0]["attributeNames"] == ["child_parent_sku_relationship"]
        await caller.put("P", {"parentage_level": [{"value": "parent"} | HERE], "purchasable_offer": []})
        await caller.put("C", related)
        caller.now = 2.0
        _, item, _ = await caller.call("GET", "C", includedData="issues,relationships")
        assert item["issues"] == []
        assert item["relationships"][0]["relationships"][0]["parentSkus"] == ["P"]
        _, item, _ = await caller.call("GET", "P", includedData="relationships")
        assert item["relationships"][0]["relationships"][0]["childSkus"] == ["C"]

    with_caller(scenario)


def test_the_same_identifier_is_the_same_product_in_amazons_catalogue() -> None:
    async def scenario(caller: Caller) -> None:
        same = {"externally_assigned_product_identifier": [{"type": "upc", "value": "036000291452"}]}
        await caller.put("S1", same)
        await caller.put("S2", same)
        await caller.put("S3")
        caller.now = 1.0
        shown = caller.sandbox.shown()
        assert shown["S1"]["asin"] == shown["S2"]["asin"] != shown["S3"]["asin"]

    with_caller(scenario)


def test_too_many_requests_get_amazons_quota_error_and_no_retry_after() -> None:
    async def scenario(caller: Caller) -> None:
        caller.sandbox.faults.throttle_next = 1
        status, answer, headers = await caller.call("GET", "S1")
        assert (status, answer["errors"][0]["code"]) == (429, "QuotaExceeded")
        assert "Retry-After" not in headers

    with_caller(scenario)


@needs_specs
def test_the_published_contract_catches_a_misspelt_member() -> None:
    with pytest.raises(Exception, match="producttype"):
        fits("ListingsItemPutRequest", {"producttype": "X", "productType": "X", "attributes": {}})


@needs_specs
@pytest.mark.parametrize(
    ("method", "query"),
    [
        ("PUT", {}),
        ("PUT", {"marketplaceIds": "A,B"}),
        ("PATCH", {"marketplaceIds": "A", "includedData": "identifiers"}),
        ("GET", {"marketplaceIds": "A", "includedData": "price"}),
        ("DELETE", {"marketplaceIds": "A", "mode": "VALIDATION_PREVIEW"}),
    ],
)
def test_the_published_contract_catches_a_wrong_parameter(method: str, query: dict[str, str]) -> None:
    with pytest.raises(AssertionError):
        asks(method, query)
