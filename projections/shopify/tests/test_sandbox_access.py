"""Who may call the sandbox, with which documents, and how often."""

from daybook.channel.pacing import Rate
from projections.shopify import documents
from projections.shopify.sandbox import ShopifySandbox, cost_of, field_of
from projections.shopify.tests.caller import BAG, Client, in_a_shop


def test_access_needs_the_token_the_scope_the_version_and_an_open_shop() -> None:
    async def scenario(call: Client) -> None:
        status, body = await call.post(documents.PRODUCT_SET, token="wrong", input=BAG)
        assert status == 401
        assert body["errors"].startswith("[API] Invalid API key or access token")
        assert (await call.post(documents.PRODUCT_SET, path="/admin/api/2020-01/graphql.json", input=BAG))[0] == 404
        call.sandbox.scopes.discard("write_products")
        assert await call.error(documents.PRODUCT_SET, input=BAG) == "ACCESS_DENIED"
        call.sandbox.locked = True
        assert (await call.post(documents.PRODUCT_SET, input=BAG))[0] == 423
        assert call.sandbox.shown() == {}

    in_a_shop(scenario)


def test_what_is_no_known_operation_is_an_error() -> None:
    async def scenario(call: Client) -> None:
        assert await call.error("mutation { productExplode(id: 1) { id } }") == "undefinedField"
        assert await call.error(documents.PRODUCT_SET) == "INVALID_VARIABLE"
        assert await call.error(documents.VARIANTS, after=None) == "INVALID_VARIABLE"

    in_a_shop(scenario)


def test_every_answer_tells_its_cost_and_an_empty_bucket_throttles_with_http_200() -> None:
    async def scenario(call: Client) -> None:
        call.sandbox.limits = {"graphql": Rate(10.0, 40.0)}
        _, body = await call.post(documents.PRODUCT_SET, input=BAG)
        assert body["extensions"]["cost"] == {
            "requestedQueryCost": 35.0,
            "actualQueryCost": 11.0,
            "throttleStatus": {"maximumAvailable": 40.0, "currentlyAvailable": 29.0, "restoreRate": 10.0},
        }
        status, body = await call.post(documents.PRODUCT_SET, input=BAG)
        assert (status, body.get("data")) == (200, None)
        assert body["errors"][0]["extensions"]["code"] == "THROTTLED"
        assert body["extensions"]["cost"]["actualQueryCost"] is None
        assert body["extensions"]["cost"]["throttleStatus"]["currentlyAvailable"] == 29.0
        now[0] += 0.6
        assert (await call(documents.PRODUCT_SET, input=BAG))["userErrors"] == []

    now = [0.0]
    in_a_shop(scenario, clock=lambda: now[0])


def test_costs_are_by_kind_and_size() -> None:
    assert cost_of(documents.SET_QUANTITIES) == 10
    assert cost_of(documents.PRODUCT_FIND) == 1
    assert cost_of(documents.VARIANTS) == 11
    assert cost_of(documents.VARIANTS, {"product": {"variants": {"nodes": [{}] * 11}}}) == 3


def test_every_document_names_its_operation_first() -> None:
    texts = [text for name, text in vars(documents).items() if name[0].isupper() and "{" in str(text)]
    names = {text: field_of(text) for text in texts}
    known = {*ShopifySandbox()._operations(), "productSet"}
    assert set(names.values()) <= known
    for text in names:
        assert text.count("{") == text.count("}")
        assert text.count("(") == text.count(")")
