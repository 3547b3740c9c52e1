"""The sandbox sets quantities as Shopify does: by comparing, and once for each key."""

from daybook_projections.shopify import operations
from daybook_projections.shopify.sandbox.shop import LOCATION
from daybook_projections.shopify.tests.caller import BAG, Client, entry, in_a_shop, quantity, shirt


def test_a_quantity_is_set_only_when_it_is_what_the_caller_thinks_or_when_that_is_waived() -> None:
    async def scenario(call: Client) -> None:
        item = (await call.make(BAG))["variants"]["nodes"][0]["inventoryItem"]["id"]
        for key, given, stands in (("a", quantity(item, 5, 3), 5), ("b", quantity(item, 8, None), 8)):
            assert (await call(operations.SET_QUANTITIES, input=given, key=key))["userErrors"] == []
            assert call.sandbox.shown()["BAG"]["stock"] == stands
        stale = await call.refused(operations.SET_QUANTITIES, input=quantity(item, 9, 5), key="c")
        assert stale == ("CHANGE_FROM_QUANTITY_STALE", "input.quantities.0.changeFromQuantity")
        assert call.sandbox.shown()["BAG"]["stock"] == 8
        assert await call(operations.LEVEL, id=item, locationId=LOCATION) == {
            "id": item,
            "inventoryLevel": {"quantities": [{"name": "available", "quantity": 8}]},
        }

    in_a_shop(scenario)


def test_one_stale_entry_fails_the_whole_call() -> None:
    async def scenario(call: Client) -> None:
        first = (await call.make(BAG))["variants"]["nodes"][0]["inventoryItem"]["id"]
        other = BAG["variants"][0] | {"sku": "BAG-2"}
        second = (await call.make(BAG | {"variants": [other]}))["variants"]["nodes"][0]["inventoryItem"]["id"]
        both = quantity(first, 7, 3)
        both["quantities"] += quantity(second, 7, 99)["quantities"]
        assert (await call.refused(operations.SET_QUANTITIES, input=both, key="a"))[0] == "CHANGE_FROM_QUANTITY_STALE"
        assert {item["stock"] for item in call.sandbox.shown().values()} == {3}

    in_a_shop(scenario)


def test_a_quantity_is_refused_with_a_code() -> None:
    async def scenario(call: Client) -> None:
        item = (await call.make(BAG))["variants"]["nodes"][0]["inventoryItem"]["id"]
        unstocked = (await call.make(shirt(entry("S", "s"))))["variants"]["nodes"][0]["inventoryItem"]["id"]
        elsewhere = {"locationId": "gid://shopify/Location/9"}
        for number, (given, code) in enumerate(
            (
                (quantity("gid://shopify/InventoryItem/0", 1, 1), "INVALID_INVENTORY_ITEM"),
                (quantity(item, 1, 3, **elsewhere), "INVALID_LOCATION"),
                (quantity(item, -2 * 10**9, 3), "INVALID_QUANTITY_TOO_LOW"),
                (quantity(item, 2 * 10**9, 3), "INVALID_QUANTITY_TOO_HIGH"),
                (quantity(unstocked, 1, 0), "ITEM_NOT_STOCKED_AT_LOCATION"),
            )
        ):
            assert (await call.refused(operations.SET_QUANTITIES, input=given, key=str(number)))[0] == code
        nowhere = quantity("gid://shopify/InventoryItem/0", 1, 1, **elsewhere)
        errors = (await call(operations.SET_QUANTITIES, input=nowhere, key="y"))["userErrors"]
        assert [each["code"] for each in errors] == ["INVALID_INVENTORY_ITEM", "INVALID_LOCATION"]
        without = quantity(item, 1, 3)
        del without["quantities"][0]["changeFromQuantity"]
        assert await call.error(operations.SET_QUANTITIES, input=without, key="x") == "INVALID_FIELD_ARGUMENTS"

    in_a_shop(scenario)


def test_an_item_is_stocked_by_activating_it_once() -> None:
    async def scenario(call: Client) -> None:
        item = (await call.make(shirt(entry("S", "s"))))["variants"]["nodes"][0]["inventoryItem"]["id"]
        given = {"inventoryItemId": item, "locationId": LOCATION, "available": 4}
        assert (await call(operations.LEVEL, id=item, locationId=LOCATION))["inventoryLevel"] is None
        await call(operations.ACTIVATE, **given, key="a")
        assert call.sandbox.shown()["S"]["stock"] == 4
        assert await call.refused(operations.ACTIVATE, **given, key="b") == (None, "available")
        gone = given | {"inventoryItemId": "gid://shopify/InventoryItem/0"}
        assert await call.refused(operations.ACTIVATE, **gone, key="c") == (None, "inventoryItemId")

    in_a_shop(scenario)


def test_an_idempotency_key_replays_its_first_result_and_belongs_to_its_values() -> None:
    async def scenario(call: Client) -> None:
        item = (await call.make(BAG))["variants"]["nodes"][0]["inventoryItem"]["id"]
        first = await call(operations.SET_QUANTITIES, input=quantity(item, 5, 3), key="a")
        call.sandbox.shop.sell("BAG")
        assert await call(operations.SET_QUANTITIES, input=quantity(item, 5, 3), key="a") == first
        assert call.sandbox.shown()["BAG"]["stock"] == 4
        for code in ("CHANGE_FROM_QUANTITY_STALE", "IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED"):
            assert (await call.refused(operations.SET_QUANTITIES, input=quantity(item, 6, 9), key="b"))[0] == code
        other = await call.refused(operations.SET_QUANTITIES, input=quantity(item, 6, 4), key="a")
        assert other[0] == "IDEMPOTENCY_KEY_PARAMETER_MISMATCH"
        without = operations.SET_QUANTITIES.replace("@idempotent(key: $key)", "").replace(", $key: String!", "")
        assert await call.error(without, input=quantity(item, 6, 4)) == "BAD_REQUEST"

    in_a_shop(scenario)
