"""Who may call the sandbox, with which documents, and how often."""

from daybook.channel.pacing import Rate
from daybook_projections.shopify import operations
from daybook_projections.shopify.sandbox.server import cost_of
from daybook_projections.shopify.tests.caller import BAG, Client, in_a_shop


def test_access_needs_the_token_the_scope_the_version_and_an_open_shop() -> None:
    async def scenario(call: Client) -> None:
        token = (await call.sign_in(call.sandbox.client_secret))["access_token"]
        assert (await call.post(operations.PRODUCT_FIND, token=token, identifier={"id": "gid://x"}))[0] == 200
        call.sandbox.expire_tokens()
        assert (await call.post(operations.PRODUCT_FIND, token=token, identifier={"id": "gid://x"}))[0] == 401
        assert (await call.sign_in("wrong"))["error"] == "invalid_client"
        status, body = await call.post(operations.PRODUCT_SET, token="wrong", input=BAG)
        assert status == 401
        assert body["errors"].startswith("[API] Invalid API key or access token")
        assert (await call.post(operations.PRODUCT_SET, path="/admin/api/2020-01/graphql.json", input=BAG))[0] == 404
        call.sandbox.scopes.discard("write_products")
        assert await call.error(operations.PRODUCT_SET, input=BAG) == "ACCESS_DENIED"
        call.sandbox.locked = True
        assert (await call.post(operations.PRODUCT_SET, input=BAG))[0] == 423
        assert call.sandbox.shown() == {}

    in_a_shop(scenario)


def test_what_is_no_known_operation_is_an_error() -> None:
    async def scenario(call: Client) -> None:
        assert await call.error("mutation { productExplode(id: 1) { id } }") == "undefinedField"
        assert await call.error(operations.PRODUCT_SET) == "INVALID_VARIABLE"
        assert await call.error(operations.VARIANTS, after=None) == "INVALID_VARIABLE"

    in_a_shop(scenario)


def test_every_answer_tells_its_cost_and_an_empty_bucket_throttles_with_http_200() -> None:
    async def scenario(call: Client) -> None:
        call.sandbox.limits = {"graphql": Rate(10.0, 40.0)}
        _, body = await call.post(operations.PRODUCT_SET, input=BAG)
        assert body["extensions"]["cost"] == {
            "requestedQueryCost": 35.0,
            "actualQueryCost": 11.0,
            "throttleStatus": {"maximumAvailable": 40.0, "currentlyAvailable": 29.0, "restoreRate": 10.0},
        }
        status, body = await call.post(operations.PRODUCT_SET, input=BAG)
        assert (status, body.get("data")) == (200, None)
        assert body["errors"][0]["extensions"]["code"] == "THROTTLED"
        assert body["extensions"]["cost"]["actualQueryCost"] is None
        assert body["extensions"]["cost"]["throttleStatus"]["currentlyAvailable"] == 29.0
        now[0] += 0.6
        assert (await call(operations.PRODUCT_SET, input=BAG))["userErrors"] == []

    now = [0.0]
    in_a_shop(scenario, clock=lambda: now[0])


def test_costs_are_by_kind_and_size() -> None:
    assert cost_of(operations.SET_QUANTITIES) == 10
    assert cost_of(operations.PRODUCT_FIND) == 1
    assert cost_of(operations.VARIANTS) == 11
    assert cost_of(operations.VARIANTS, {"product": {"variants": {"nodes": [{}] * 11}}}) == 3
