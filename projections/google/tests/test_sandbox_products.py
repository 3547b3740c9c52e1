"""The sandbox keeps, shows and forgets products as Google does."""

import pytest

from daybook_projections.google.tests.caller import (
    ATTRIBUTES,
    DEARER,
    INPUT,
    PRICE,
    ROOT,
    SOURCE,
    Client,
    name,
    on_google,
    refused,
)


def test_an_insert_answers_with_both_forms_of_both_names_and_is_shown_minutes_later() -> None:
    async def scenario(google: Client) -> None:
        answer = await google.insert(42)
        assert answer.body == INPUT | {
            "versionNumber": "42",
            "name": "accounts/123/productInputs/nl~NL~S1",
            "base64EncodedName": f"accounts/123/productInputs/{name()}",
            "product": "accounts/123/products/nl~NL~S1",
            "base64EncodedProduct": f"accounts/123/products/{name()}",
        }
        refused(await google.get(), 404, "NOT_FOUND")
        google.now[0] += 299
        refused(await google.get(), 404, "NOT_FOUND")
        google.now[0] += 1
        product = (await google.get()).body
        assert product["versionNumber"] == "42"
        assert product["productAttributes"] == ATTRIBUTES
        assert product["dataSource"] == SOURCE["dataSource"]
        assert product["productStatus"]["destinationStatuses"] == [
            {"reportingContext": "SHOPPING_ADS", "approvedCountries": ["NL"]}
        ]

    on_google(scenario, delay_seconds=300)


def test_spaces_of_an_offers_id_are_made_one() -> None:
    async def scenario(google: Client) -> None:
        await google.insert(1, offerId=" S  1 ")
        assert [*google.sandbox.shown()] == ["S 1"]

    on_google(scenario)


def test_an_insert_replaces_everything() -> None:
    async def scenario(google: Client) -> None:
        await google.insert(1)
        await google.insert(2, productAttributes={"title": "Trolley"})
        assert (await google.get()).body["productAttributes"] == {"title": "Trolley"}

    on_google(scenario)


def test_a_lower_version_is_aborted_an_equal_one_is_taken_and_a_delete_forgets_it() -> None:
    async def scenario(google: Client) -> None:
        await google.insert(7)
        refused(await google.insert(6, productAttributes={}), 409, "ABORTED")
        assert (await google.insert(7)).status == 200
        assert (await google.insert(8)).status == 200
        assert (await google.get()).body["productAttributes"] == ATTRIBUTES
        await google.delete()
        assert (await google.insert(1)).status == 200

    on_google(scenario)


def test_a_late_insert_undoes_a_patch_but_not_a_newer_insert() -> None:
    """Why every change is an insert: see `terms.py`."""

    async def scenario(google: Client) -> None:
        dearer = ATTRIBUTES | {"price": DEARER}
        await google.insert(7)
        await google.patch({"price": DEARER}, "productAttributes.price")
        await google.insert(7)
        assert (await google.get()).body["productAttributes"]["price"] == PRICE
        await google.insert(8, productAttributes=dearer)
        refused(await google.insert(7), 409, "ABORTED")
        assert (await google.get()).body["productAttributes"]["price"] == DEARER

    on_google(scenario)


def test_a_patch_changes_what_its_mask_names_and_deletes_what_has_no_value() -> None:
    async def scenario(google: Client) -> None:
        await google.insert(7)
        mask = "productAttributes.price,productAttributes.gtins"
        answer = await google.patch({"price": DEARER, "title": "not in the mask"}, mask)
        assert answer.body["versionNumber"] == "7"
        left = {key: value for key, value in ATTRIBUTES.items() if key != "gtins"}
        assert (await google.get()).body["productAttributes"] == left | {"price": DEARER}
        await google.patch({"title": "Trolley"})
        assert (await google.get()).body["productAttributes"] == left | {"price": DEARER, "title": "Trolley"}

    on_google(scenario)


def test_a_patch_of_parts_of_everything_of_a_version_or_of_nothing_is_refused() -> None:
    async def scenario(google: Client) -> None:
        refused(await google.patch({"title": "x"}), 404, "NOT_FOUND")
        await google.insert()
        for mask in ("*", "productAttributes.price.amountMicros", "price", "productAttributes.titel"):
            assert refused(await google.patch({}, mask), 400, "INVALID_ARGUMENT") == "updateMask"
        answer = await google.patch({"title": "x"}, versionNumber="3")
        assert refused(answer, 400, "INVALID_ARGUMENT") == "versionNumber"

    on_google(scenario)


def test_a_deleted_product_is_shown_for_a_while_and_deleting_it_again_is_404() -> None:
    async def scenario(google: Client) -> None:
        await google.insert()
        google.now[0] += 300
        answer = await google.delete()
        assert (answer.status, answer.body) == (200, {})
        assert (await google.get()).status == 200
        refused(await google.delete(), 404, "NOT_FOUND")
        google.now[0] += 300
        refused(await google.get(), 404, "NOT_FOUND")
        assert google.sandbox.shown() == {}

    on_google(scenario, delay_seconds=300)


def test_a_product_expires_thirty_days_after_its_last_insert() -> None:
    async def scenario(google: Client) -> None:
        days = 24 * 3600
        await google.insert(1)
        google.now[0] += 20 * days
        await google.login()
        await google.insert(1)
        assert (await google.get()).body["productStatus"]["googleExpirationDate"] == "2027-03-06T08:00:00Z"
        google.now[0] += 29 * days
        assert list(google.sandbox.shown()) == ["S1"]
        google.now[0] += 1 * days
        assert google.sandbox.shown() == {}
        await google.login()
        refused(await google.get(), 404, "NOT_FOUND")

    on_google(scenario)


def test_what_google_finds_wrong_is_an_issue_and_only_some_disapprove() -> None:
    async def scenario(google: Client) -> None:
        for changed, expected in (
            ({}, []),
            ({"imageLink": ""}, [("item_missing_required_attribute", "DISAPPROVED")]),
            ({"gtins": []}, [("missing_gtin", "DEMOTED")]),
            ({"gtins": [], "identifierExists": False}, []),
            ({"gtins": [], "mpn": "AC-1"}, []),
            ({"gtins": ["1234567890183"]}, [("invalid_gtin", "DISAPPROVED")]),
            ({"gtins": ["2000000000015"]}, [("restricted_gtin", "DEMOTED")]),
            ({"title": "x" * 151}, [("item_invalid_attribute", "NOT_IMPACTED")]),
            ({"gtins": ["4015211100803"] * 11}, [("attribute_has_too_many_values", "NOT_IMPACTED")]),
        ):
            await google.insert(productAttributes=ATTRIBUTES | changed)
            assert await google.issues() == expected, changed
            live = all(severity != "DISAPPROVED" for _, severity in expected)
            assert google.sandbox.shown()["S1"]["live"] is live

    on_google(scenario)


def test_a_broken_picture_and_another_price_on_the_page_disapprove() -> None:
    async def scenario(google: Client) -> None:
        await google.insert()
        google.sandbox.broken_images.add(str(ATTRIBUTES["imageLink"]))
        google.sandbox.page_prices["S1"] = DEARER
        assert await google.issues() == [("image_link_broken", "DISAPPROVED"), ("price_mismatch", "DISAPPROVED")]
        statuses = (await google.get()).body["productStatus"]["destinationStatuses"]
        assert statuses[0]["disapprovedCountries"] == ["NL"]

    on_google(scenario)


def test_the_same_offer_in_two_feeds_makes_shown_raise() -> None:
    async def scenario(google: Client) -> None:
        await google.insert()
        await google.insert(feedLabel="BE")
        with pytest.raises(AssertionError, match="S1 is in two feeds"):
            google.sandbox.shown()

    on_google(scenario)


def test_products_are_listed_in_pages() -> None:
    async def scenario(google: Client) -> None:
        for number in range(5):
            await google.insert(offerId=f"S{number}")
        found: list[str] = []
        query = {"pageSize": "2"}
        for expected in (2, 2, 1):
            answer = (await google("GET", f"{ROOT}/products", query=query)).body
            assert len(answer["products"]) == expected
            found += [product["offerId"] for product in answer["products"]]
            query["pageToken"] = answer.get("nextPageToken", "")
        assert found == [f"S{number}" for number in range(5)]
        assert not query["pageToken"]
        refused(await google("GET", f"{ROOT}/products", query={"pageSize": "x"}), 400, "INVALID_ARGUMENT")

    on_google(scenario)
