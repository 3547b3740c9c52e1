"""The sandbox answers as the Merchant API's contract says, the refusals above all."""

from base64 import urlsafe_b64encode

import pytest

from daybook.channel.contract import Payload
from daybook.channel.pacing import Rate
from daybook.channel.sandbox import Faults
from daybook_projections.google.tests.caller import ATTRIBUTES, INPUT, ROOT, SOURCE, Client, name, on_google, refused


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


def test_a_used_up_quota_is_429_with_the_time_to_wait_and_fills_up_again() -> None:
    async def scenario(google: Client) -> None:
        google.sandbox.limits = {"productInputs.insert": Rate(0.05, 3)}
        answers = [await google.insert() for _ in range(4)]
        assert [answer.status for answer in answers] == [200, 200, 200, 429]
        refused(answers[-1], 429, "RESOURCE_EXHAUSTED")
        assert answers[-1].body["error"]["details"][1]["retryDelay"] == "20.000s"
        assert (await google.get()).status == 200, "each method has a quota of its own"
        google.now[0] += 20
        assert (await google.insert()).status == 200

    on_google(scenario)


def test_a_scripted_throttle_is_googles_own() -> None:
    async def scenario(google: Client) -> None:
        google.sandbox.faults = Faults(throttle_next=1)
        refused(await google.get(), 429, "RESOURCE_EXHAUSTED")
        refused(await google.get(), 404, "NOT_FOUND")

    on_google(scenario)
