"""The sandbox answers as the Merchant API's contract says, the refusals above all."""

import asyncio
from base64 import urlsafe_b64encode
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import pytest

from daybook.channel.calls import Answer, Calls
from daybook.channel.contract import Payload
from daybook.channel.sandbox import Faults
from projections.google.sandbox import GoogleSandbox

ROOT = "/products/v1/accounts/123"
SOURCE = {"dataSource": "accounts/123/dataSources/456"}
PRICE = {"amountMicros": "19990000", "currencyCode": "EUR"}
DEARER = {"amountMicros": "24500000", "currencyCode": "EUR"}
ATTRIBUTES: Payload = {
    "title": "Koffer",
    "description": "Een koffer.",
    "link": "https://shop.example.com/p/S1",
    "imageLink": "https://img.example.com/1.jpg",
    "availability": "IN_STOCK",
    "price": PRICE,
    "gtins": ["4015211100803"],
}
INPUT: Payload = {"offerId": "S1", "contentLanguage": "nl", "feedLabel": "NL", "productAttributes": ATTRIBUTES}


def name(text: str = "nl~NL~S1") -> str:
    return urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


class Client:
    """A plain caller of the API with a valid token, or with what `headers` say."""

    def __init__(self, sandbox: GoogleSandbox, now: list[float]) -> None:
        self.sandbox, self.now = sandbox, now
        self.calls = Calls(sandbox.url)
        self.token = ""

    async def login(self, **changed: str) -> Answer:
        form = {
            "grant_type": "refresh_token",
            "client_id": "sandbox",
            "client_secret": "sandbox-secret",
            "refresh_token": "1//sandbox-refresh",
        }
        answer = await self.calls.request("POST", "/token", form=form | changed)
        self.token = answer.body.get("access_token", "")
        return answer

    async def __call__(
        self,
        method: str,
        path: str,
        body: Any = None,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        bearer = {"Authorization": f"Bearer {self.token}"}
        return await self.calls.request(method, path, body=body, query=query, headers=bearer | dict(headers or {}))

    async def insert(self, version: int | None = None, **changed: Any) -> Answer:
        body = INPUT | changed | ({} if version is None else {"versionNumber": str(version)})
        return await self("POST", f"{ROOT}/productInputs:insert", body, SOURCE)

    async def patch(self, attributes: Payload, mask: str | None = None, at: str | None = None, **more: Any) -> Answer:
        query = SOURCE | ({} if mask is None else {"updateMask": mask})
        body = {"productAttributes": attributes} | more
        return await self("PATCH", f"{ROOT}/productInputs/{at or name()}", body, query)

    async def delete(self, at: str | None = None) -> Answer:
        return await self("DELETE", f"{ROOT}/productInputs/{at or name()}", query=SOURCE)

    async def get(self, at: str | None = None) -> Answer:
        return await self("GET", f"{ROOT}/products/{at or name()}")

    async def issues(self) -> list[tuple[str, str]]:
        status = (await self.get()).body["productStatus"]
        return [(each["code"], each["severity"]) for each in status.get("itemLevelIssues", ())]


def on_google(scenario: Callable[[Client], Awaitable[None]], delay_seconds: float = 0, **options: Any) -> None:
    async def run() -> None:
        now = [1_800_000_000.0]
        sandbox = GoogleSandbox(delay_seconds=delay_seconds, clock=lambda: now[0], **options)
        await sandbox.start()
        client = Client(sandbox, now)
        try:
            await client.login()
            await scenario(client)
        finally:
            await client.calls.close()
            await sandbox.stop()

    asyncio.run(run())


def refused(answer: Answer, code: int, status: str) -> str | None:
    """The field that the error names."""
    assert answer.status == code, answer.text
    error = answer.body["error"]
    assert (error["code"], error["status"]) == (code, status)
    assert error["message"]
    for detail in error.get("details", ()):
        if detail["@type"] == "type.googleapis.com/google.rpc.ErrorInfo":
            return detail["metadata"].get("FIELD_LOCATION")  # type: ignore[no-any-return]
    return None


def test_a_refresh_token_gives_an_access_token_for_an_hour_and_a_wrong_one_none() -> None:
    async def scenario(google: Client) -> None:
        answer = await google.login()
        assert (answer.body["expires_in"], answer.body["token_type"]) == (3600, "Bearer")
        for changed, status, error in (
            ({"client_secret": "wrong"}, 401, "invalid_client"),
            ({"refresh_token": "wrong"}, 400, "invalid_grant"),
            ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ):
            answer = await google.login(**changed)
            assert (answer.status, answer.body["error"]) == (status, error)

    on_google(scenario)


def test_no_token_an_old_one_and_another_account_are_refused() -> None:
    async def scenario(google: Client) -> None:
        refused(await google("GET", f"{ROOT}/products", headers={"Authorization": "Bearer x"}), 401, "UNAUTHENTICATED")
        google.now[0] += 3601
        refused(await google.get(), 401, "UNAUTHENTICATED")
        await google.login()
        refused(await google("GET", "/products/v1/accounts/999/products"), 403, "PERMISSION_DENIED")
        google.sandbox.access = False
        refused(await google.get(), 403, "PERMISSION_DENIED")

    on_google(scenario)


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


@pytest.mark.parametrize(
    ("field", "changed"),
    [
        ("offerId", {"offerId": ""}),
        ("offerId", {"offerId": "S" * 51}),
        ("contentLanguage", {"contentLanguage": "nl-NL"}),
        ("feedLabel", {"feedLabel": "nl"}),
        ("feedLabel", {"feedLabel": "N" * 21}),
        ("versionNumber", {"versionNumber": "1.5"}),
        ("versionNumber", {"versionNumber": str(2**63)}),
        ("channel", {"channel": "ONLINE"}),
        ("attributes", {"attributes": ATTRIBUTES}),
        ("productAttributes", {"productAttributes": []}),
        ("productAttributes.titel", {"productAttributes": {"titel": "x"}}),
        ("productAttributes.title", {"productAttributes": {"title": 1}}),
        ("productAttributes.gtins", {"productAttributes": {"gtins": "4015211100803"}}),
        ("productAttributes.availability", {"productAttributes": {"availability": "in stock"}}),
        ("productAttributes.condition", {"productAttributes": {"condition": "new"}}),
        ("productAttributes.identifierExists", {"productAttributes": {"identifierExists": "no"}}),
        ("productAttributes.price", {"productAttributes": {"price": "19.99 EUR"}}),
        ("productAttributes.price", {"productAttributes": {"price": {"amountMicros": "19.99", "currencyCode": "EUR"}}}),
        ("productAttributes.price", {"productAttributes": {"price": {"value": "19.99", "currency": "EUR"}}}),
    ],
)
def test_a_wrong_field_is_refused_by_name(field: str, changed: Payload) -> None:
    async def scenario(google: Client) -> None:
        assert refused(await google.insert(**changed), 400, "INVALID_ARGUMENT") == field
        assert google.sandbox.inputs == {}

    on_google(scenario)


def test_a_body_that_is_no_object_and_a_wrong_data_source_are_refused() -> None:
    async def scenario(google: Client) -> None:
        path = f"{ROOT}/productInputs:insert"
        refused(await google("POST", path, [], SOURCE), 400, "INVALID_ARGUMENT")
        assert refused(await google("POST", path, INPUT), 400, "INVALID_ARGUMENT") == "dataSource"
        other = {"dataSource": "accounts/999/dataSources/456"}
        assert refused(await google("POST", path, INPUT, other), 400, "INVALID_ARGUMENT") == "dataSource"
        unknown = {"dataSource": "accounts/123/dataSources/7"}
        refused(await google("POST", path, INPUT, unknown), 404, "NOT_FOUND")

    on_google(scenario)


@pytest.mark.parametrize(
    "wrong",
    [
        "S1",
        "nl~NL",
        "nl~NL~",
        "nl~NL~S~1",
        urlsafe_b64encode(b"nl~NL~S1").decode(),  # padded
        name("nl~NL~S1")[:-1] + "+",
        name("nl/NL/S1"),
        "____",
    ],
)
def test_a_name_in_another_encoding_is_refused(wrong: str) -> None:
    async def scenario(google: Client) -> None:
        await google.insert()
        for answer in (await google.get(wrong), await google.delete(wrong), await google.patch({}, at=wrong)):
            assert refused(answer, 400, "INVALID_ARGUMENT") == "name"
        assert list(google.sandbox.inputs) == ["nl~NL~S1"]

    on_google(scenario)


def test_a_name_may_be_plain_or_encoded_and_must_be_encoded_with_a_tilde_in_it() -> None:
    async def scenario(google: Client) -> None:
        await google.insert()
        await google.insert(offerId="S~1/%")
        assert (await google.get("nl~NL~S1")).body == (await google.get()).body
        assert (await google.get(name("nl~NL~S~1/%"))).body["offerId"] == "S~1/%"

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


def test_a_used_up_quota_is_429_with_the_time_to_wait_and_fills_up_again() -> None:
    async def scenario(google: Client) -> None:
        answers = [await google.insert() for _ in range(4)]
        assert [answer.status for answer in answers] == [200, 200, 200, 429]
        refused(answers[-1], 429, "RESOURCE_EXHAUSTED")
        assert answers[-1].body["error"]["details"][1]["retryDelay"] == "1s"
        google.now[0] += 20
        assert (await google.insert()).status == 200

    on_google(scenario, per_minute=3)


def test_a_scripted_throttle_is_googles_own() -> None:
    async def scenario(google: Client) -> None:
        google.sandbox.faults = Faults(throttle_next=1)
        refused(await google.get(), 429, "RESOURCE_EXHAUSTED")
        refused(await google.get(), 404, "NOT_FOUND")

    on_google(scenario)
