"""The sandbox answers as bol's contract says, the refusals above all."""

import asyncio
import base64
import uuid
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import pytest

from daybook.channel.calls import Answer, Calls
from daybook.channel.pacing import Rate
from daybook.channel.sandbox import Faults
from daybook_projections.bol.sandbox.requests import RETAILER_V11 as MEDIA_TYPE
from daybook_projections.bol.sandbox.server import BolSandbox

EAN, OTHER_EAN = "4015211100803", "4006381333931"
CREATE: dict[str, Any] = {
    "ean": EAN,
    "reference": "S1",
    "condition": {"category": "NEW"},
    "pricing": {"bundlePrices": [{"quantity": 1, "unitPrice": 19.99}]},
    "fulfilment": {"method": "FBR", "schedule": "SHIPPING_VIA_BOL"},
    "stock": {"amount": 5, "managedByRetailer": True},
}


class Client:
    """A plain caller of the API with a valid token, or with what `headers` say."""

    def __init__(self, sandbox: BolSandbox) -> None:
        self.sandbox = sandbox
        self.calls = Calls(sandbox.url)
        self.token = ""

    async def login(self, client_id: str = "sandbox", secret: str = "sandbox-secret") -> Answer:
        basic = base64.b64encode(f"{client_id}:{secret}".encode()).decode()
        query = {"grant_type": "client_credentials"}
        answer = await self.calls.request("POST", "/token", query=query, headers={"Authorization": f"Basic {basic}"})
        self.token = answer.body.get("access_token", "")
        return answer

    async def __call__(self, method: str, path: str = "", body: Any = None, **options: Any) -> Answer:
        query: Mapping[str, str] | None = options.pop("query", None)
        headers = {"Accept": MEDIA_TYPE, "Authorization": f"Bearer {self.token}"}
        headers |= {"Content-Type": MEDIA_TYPE} if body is not None else {}
        headers |= options.pop("headers", {})
        return await self.calls.request(method, f"/retailer/offers{path}", body=body, query=query, headers=headers)

    async def create(self, **fields: Any) -> str:
        answer = await self("POST", body=CREATE | fields)
        assert answer.status == 201, answer.text
        return str(answer.body["offerId"])


def on_bol(scenario: Callable[[Client], Awaitable[None]], **options: Any) -> None:
    async def run() -> None:
        client = Client(sandbox := BolSandbox(**options))
        await sandbox.start()
        client.calls = Calls(sandbox.url)
        try:
            await client.login()
            await scenario(client)
        finally:
            await client.calls.close()
            await sandbox.stop()

    asyncio.run(run())


def problem(answer: Answer, status: int, title: str) -> list[str]:
    assert answer.status == status, answer.text
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    assert answer.body["status"] == status
    assert answer.body["title"] == title
    assert answer.body["type"] == "https://api.bol.com/problems"
    return [each["name"] for each in answer.body.get("violations", [])]


INVALID = "Error validating request. Consult the bol.com API documentation"


def test_a_token_lives_299_seconds_and_wrong_credentials_get_none() -> None:
    async def scenario(bol: Client) -> None:
        answer = await bol.login()
        assert answer.body["expires_in"] == 299
        assert answer.body["token_type"] == "Bearer"
        refused = await bol.login(secret="wrong")
        assert refused.status == 401
        assert refused.body == {"error": "invalid_client", "error_description": "Bad client credentials"}

    on_bol(scenario)


def test_no_token_an_expired_one_and_an_inactive_account_are_refused() -> None:
    async def scenario(bol: Client) -> None:
        problem(await bol("GET", headers={"Authorization": "Bearer nobody"}), 401, "Unauthorized")
        bol.sandbox.expire_tokens()
        problem(await bol("GET"), 401, "Expired JWT")
        await bol.login()
        bol.sandbox.account_active = False
        problem(await bol("GET"), 403, "Forbidden")

    on_bol(scenario)


def test_another_media_type_is_406_or_415() -> None:
    async def scenario(bol: Client) -> None:
        problem(await bol("GET", headers={"Accept": "application/vnd.retailer.v10+json"}), 406, "Not Acceptable")
        plain = {"Content-Type": "application/json"}
        problem(await bol("POST", body=CREATE, headers=plain), 415, "Unsupported Media Type")

    on_bol(scenario)


def test_an_offer_is_created_read_changed_in_parts_and_deleted() -> None:
    async def scenario(bol: Client) -> None:
        path = "/" + await bol.create()
        assert bol.sandbox.shown()["S1"]["stock"] == 5
        assert (await bol("PATCH", path, {"stock": {"amount": 7}})).status == 204
        assert (await bol("PATCH", path, {"unknownProductTitle": "Koffer"})).status == 204
        read = (await bol("GET", path)).body
        assert read["stock"] == {"amount": 7, "managedByRetailer": True, "correctedStock": 7}
        assert read["pricing"] == CREATE["pricing"]
        assert bol.sandbox.shown() == {
            "S1": {
                "title": "Koffer",
                "ean": EAN,
                "price": "19.99",
                "currency": "EUR",
                "stock": 7,
                "countries": ["NL", "BE"],
                "live": True,
            }
        }
        assert (await bol("DELETE", path)).status == 204
        assert bol.sandbox.shown() == {}

    on_bol(scenario)


def test_an_unknown_offer_is_404_for_every_verb() -> None:
    async def scenario(bol: Client) -> None:
        path = f"/{uuid.uuid4()}"
        for answer in (
            await bol("GET", path),
            await bol("PATCH", path, {"stock": {"amount": 7}}),
            await bol("DELETE", path),
            await bol("GET", f"{path}/not-for-sale-reasons"),
        ):
            problem(answer, 404, "Not Found")

    on_bol(scenario)


@pytest.mark.parametrize(
    ("field", "fields"),
    [
        ("ean", {"ean": "1234567890183"}),
        ("ean", {"ean": "14015211100800"}),
        ("ean", {"ean": "8.71742E+12"}),
        ("condition.category", {"condition": {"category": "USED"}}),
        ("unknownProductTitle", {"unknownProductTitle": "x" * 501}),
        ("reference", {"reference": "x" * 101}),
        ("onHoldByRetailer", {"onHoldByRetailer": "no"}),
        ("countryAvailabilities.countryCode", {"countryAvailabilities": [{"countryCode": "DE"}]}),
        ("pricing.bundlePrices", {"pricing": {"bundlePrices": []}}),
        ("pricing.bundlePrices.unitPrice", {"pricing": {"bundlePrices": [{"quantity": 1, "unitPrice": 0.99}]}}),
        ("pricing.bundlePrices.unitPrice", {"pricing": {"bundlePrices": [{"quantity": 1, "unitPrice": 9999.01}]}}),
        ("pricing.bundlePrices.unitPrice", {"pricing": {"bundlePrices": [{"quantity": 1, "unitPrice": 1.999}]}}),
        ("pricing.bundlePrices.unitPrice", {"pricing": {"bundlePrices": [{"quantity": 1, "unitPrice": "19.99"}]}}),
        ("stock.amount", {"stock": {"amount": 1000, "managedByRetailer": True}}),
        ("stock.amount", {"stock": {"amount": -1, "managedByRetailer": True}}),
        ("fulfilment.method", {"fulfilment": {"method": "POST"}}),
        ("fulfilment.schedule", {"fulfilment": {"method": "FBR"}}),
        ("fulfilment.deliveryPromise", {"fulfilment": {"method": "FBR", "schedule": "BOL_DELIVERY_PROMISE"}}),
        ("price", {"price": 19.99}),
    ],
)
def test_a_wrong_field_is_a_violation_that_names_it(field: str, fields: dict[str, Any]) -> None:
    async def scenario(bol: Client) -> None:
        assert problem(await bol("POST", body=CREATE | fields), 400, INVALID) == [field]
        assert not bol.sandbox.offers

    on_bol(scenario)


def test_missing_fields_are_named_all_at_once_and_a_body_must_be_an_object() -> None:
    async def scenario(bol: Client) -> None:
        assert problem(await bol("POST", body={}), 400, INVALID) == ["ean", "condition", "pricing", "fulfilment"]
        problem(await bol("POST", body=[]), 400, "Bad Request")

    on_bol(scenario)


def test_a_second_offer_for_the_same_ean_and_condition_is_refused() -> None:
    async def scenario(bol: Client) -> None:
        await bol.create()
        assert problem(await bol("POST", body=CREATE | {"reference": "S2"}), 400, INVALID) == ["ean"]
        assert list(bol.sandbox.shown()) == ["S1"]

    on_bol(scenario)


def test_ean_and_condition_can_not_be_patched() -> None:
    async def scenario(bol: Client) -> None:
        path = "/" + await bol.create()
        refused = await bol("PATCH", path, {"ean": OTHER_EAN, "condition": {"category": "NEW"}})
        assert problem(refused, 400, INVALID) == ["ean", "condition"]

    on_bol(scenario)


def test_two_offers_under_one_reference_make_shown_raise() -> None:
    async def scenario(bol: Client) -> None:
        await bol.create()
        await bol.create(ean=OTHER_EAN)
        with pytest.raises(AssertionError, match="two offers have the reference S1"):
            bol.sandbox.shown()

    on_bol(scenario)


def test_offers_are_listed_by_reference_ean_id_and_sale() -> None:
    async def scenario(bol: Client) -> None:
        first = await bol.create()
        second = await bol.create(ean=OTHER_EAN, reference="S2", onHoldByRetailer=True)
        for query, found in (
            ({}, {first, second}),
            ({"reference": "S2"}, {second}),
            ({"reference": "S3"}, set()),
            ({"eans": EAN}, {first}),
            ({"eans": f"{EAN},{OTHER_EAN}"}, {first, second}),
            ({"offer-ids": second}, {second}),
            ({"for-sale": "true"}, {first}),
            ({"for-sale": "false"}, {second}),
        ):
            answer = await bol("GET", query=query)
            assert {offer["offerId"] for offer in answer.body["offers"]} == found, query

    on_bol(scenario)


def test_a_long_list_comes_in_pages_joined_by_a_cursor() -> None:
    async def scenario(bol: Client) -> None:
        eans = ["4006381333931", "8717418510749", "6291041500213", "4015211100803", "0036000291452"]
        created = {await bol.create(ean=ean, reference=ean) for ean in eans}
        found: list[str] = []
        query = {"page-size": "2"}
        for expected in (2, 2, 1):
            answer = (await bol("GET", query=query)).body
            assert len(answer["offers"]) == expected
            found += [offer["offerId"] for offer in answer["offers"]]
            if "nextCursor" in answer["page"]:
                query["cursor"] = answer["page"]["nextCursor"]
        assert "nextCursor" not in answer["page"]
        assert len(found) == 5
        assert set(found) == created
        assert problem(await bol("GET", query={"page-size": "101"}), 400, INVALID) == ["page-size"]
        assert problem(await bol("GET", query={"cursor": "%"}), 400, INVALID) == ["cursor"]

    on_bol(scenario)


def test_why_an_offer_is_not_for_sale_can_be_asked() -> None:
    async def scenario(bol: Client) -> None:
        offer_id = await bol.create(stock={"amount": 0, "managedByRetailer": True}, onHoldByRetailer=True)
        answer = (await bol("GET", f"/{offer_id}/not-for-sale-reasons")).body
        assert [country["countryCode"] for country in answer["countries"]] == ["NL", "BE"]
        assert [reason["category"] for reason in answer["countries"][0]["reasons"]] == ["ON_HOLD", "STOCK"]
        assert bol.sandbox.shown()["S1"]["live"] is False
        await bol("PATCH", f"/{offer_id}", {"stock": {"amount": 1}, "onHoldByRetailer": False})
        assert (await bol("GET", f"/{offer_id}/not-for-sale-reasons")).body == {"offerId": offer_id, "countries": []}

    on_bol(scenario)


def test_the_pace_is_told_in_headers_and_going_faster_is_429() -> None:
    async def scenario(bol: Client) -> None:
        bol.sandbox.limits = {"get-offers": Rate(2)}
        answers = [await bol("GET") for _ in range(9)]
        assert {answer.headers["X-RateLimit-Limit"] for answer in answers} == {"2"}
        assert answers[0].headers["X-RateLimit-Remaining"] == "1"
        assert answers[0].headers["X-RateLimit-Reset"] == "1"
        refused = [answer for answer in answers if answer.status == 429]
        assert refused, "nine requests within three seconds, at two a second"
        problem(refused[0], 429, "Too Many Requests")
        assert refused[0].headers["Retry-After"] == "1"
        assert refused[0].headers["X-RateLimit-Remaining"] == "0"
        problem(await bol("GET", f"/{uuid.uuid4()}"), 404, "Not Found")  # another operation has its own limit

    on_bol(scenario)


def test_a_scripted_throttle_is_bols_own() -> None:
    async def scenario(bol: Client) -> None:
        bol.sandbox.faults = Faults(throttle_next=1)
        answer = await bol("GET")
        problem(answer, 429, "Too Many Requests")
        assert answer.headers["Retry-After"] == "1"
        assert (await bol("GET")).status == 200

    on_bol(scenario)
