"""The sandbox follows WooCommerce's REST API v3, above all where it refuses."""

import asyncio
from base64 import b64encode
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp

from daybook.channel.pacing import Rate
from daybook_projections.webshop.sandbox.server import API, WooSandbox

BAG = {"name": "Bag", "type": "simple", "sku": "BAG", "regular_price": "19.99"}
SHIRT: dict[str, Any] = {
    "name": "Shirt",
    "type": "variable",
    "sku": "SHIRT",
    "attributes": [{"name": "Size", "variation": True, "visible": True, "options": ["M", "L"]}],
}


def basic(key: str, secret: str) -> dict[str, str]:
    return {"Authorization": "Basic " + b64encode(f"{key}:{secret}".encode()).decode()}


class Client:
    """One shop and a client that is logged in."""

    def __init__(self, shop: WooSandbox, session: aiohttp.ClientSession) -> None:
        self.shop, self.session = shop, session

    async def __call__(self, method: str, path: str, body: Any = None, **options: Any) -> tuple[int, Any]:
        options.setdefault("headers", basic(self.shop.consumer_key, self.shop.consumer_secret))
        async with self.session.request(method, self.shop.url + API + path, json=body, **options) as answer:
            return answer.status, await answer.json(content_type=None)

    async def code(self, method: str, path: str, body: Any = None, **options: Any) -> tuple[int, str]:
        status, answer = await self(method, path, body, **options)
        assert answer["data"]["status"] == status
        return status, answer["code"]


def in_a_shop(scenario: Callable[[Client], Awaitable[None]]) -> None:
    async def run() -> None:
        shop = WooSandbox()
        await shop.start()
        try:
            async with aiohttp.ClientSession() as session:
                await scenario(Client(shop, session))
        finally:
            await shop.stop()

    asyncio.run(run())


def test_a_product_is_created_with_a_numeric_id_and_shown() -> None:
    async def scenario(call: Client) -> None:
        status, made = await call("POST", "/products", BAG | {"manage_stock": True, "stock_quantity": 3})
        assert (status, made["price"], made["stock_status"]) == (201, "19.99", "instock")
        assert isinstance(made["id"], int)
        assert await call("GET", f"/products/{made['id']}") == (200, made)
        assert call.shop.shown() == {
            "BAG": {"title": "Bag", "price": "19.99", "currency": "EUR", "stock": 3, "live": True}
        }

    in_a_shop(scenario)


def test_a_put_changes_only_what_it_names_and_ignores_read_only_fields() -> None:
    async def scenario(call: Client) -> None:
        _, made = await call("POST", "/products", BAG)
        status, changed = await call("PUT", f"/products/{made['id']}", {"regular_price": "9.50", "price": "1.00"})
        assert (status, changed["price"], changed["name"]) == (200, "9.50", "Bag")

    in_a_shop(scenario)


def test_the_stock_status_follows_the_quantity_and_a_quantity_without_manage_stock_is_dropped() -> None:
    async def scenario(call: Client) -> None:
        _, made = await call("POST", "/products", BAG | {"stock_quantity": 3})
        assert (made["stock_quantity"], made["stock_status"]) == (None, "instock")
        _, made = await call("PUT", f"/products/{made['id']}", {"manage_stock": True, "stock_quantity": 0})
        assert (made["stock_quantity"], made["stock_status"]) == (0, "outofstock")

    in_a_shop(scenario)


def test_values_of_the_wrong_kind_are_refused_by_name() -> None:
    async def scenario(call: Client) -> None:
        body = {"regular_price": 19.99, "stock_quantity": "many", "status": "live", "type": "bundle"}
        status, answer = await call("POST", "/products", BAG | body)
        assert (status, answer["code"]) == (400, "rest_invalid_param")
        assert answer["data"]["params"] == {
            "regular_price": "regular_price is not of type string.",
            "stock_quantity": "stock_quantity is not of type integer.",
            "status": "status is not one of draft, pending, private, publish, future, auto-draft, and trash.",
            "type": "type is not one of simple, grouped, external, and variable.",
        }
        assert call.shop.shown() == {}

    in_a_shop(scenario)


def test_a_body_that_is_no_json_is_refused_and_one_that_is_no_object_is_none() -> None:
    async def scenario(call: Client) -> None:
        headers = basic(call.shop.consumer_key, call.shop.consumer_secret) | {"Content-Type": "application/json"}
        answers = {}
        for body in ("{bad", "5", "[1]", ""):
            async with call.session.post(f"{call.shop.url}{API}/products", data=body, headers=headers) as answer:
                found = await answer.json()
                answers[body] = (answer.status, found.get("code") or found["name"])
        assert answers == {
            "{bad": (400, "rest_invalid_json"),
            "5": (500, "internal_server_error"),
            "[1]": (201, "Product"),
            "": (201, "Product"),
        }

    in_a_shop(scenario)


def test_a_sku_and_a_gtin_are_each_unique_in_the_shop() -> None:
    async def scenario(call: Client) -> None:
        _, made = await call("POST", "/products", BAG | {"global_unique_id": "4006381333931"})
        status, answer = await call("POST", "/products", BAG)
        assert (status, answer["code"], answer["data"]["resource_id"]) == (400, "product_invalid_sku", made["id"])
        _, answer = await call("POST", "/products", {"name": "Other", "global_unique_id": "4006381333931"})
        assert (answer["code"], answer["data"]["resource_id"]) == ("product_invalid_global_unique_id", made["id"])
        bad = {"name": "Book", "global_unique_id": "03X6"}
        assert await call.code("POST", "/products", bad) == (400, "product_invalid_global_unique_id_format")

    in_a_shop(scenario)


def test_a_refused_update_changes_nothing() -> None:
    async def scenario(call: Client) -> None:
        await call("POST", "/products", BAG)
        _, other = await call("POST", "/products", BAG | {"sku": "OTHER"})
        assert (await call("PUT", f"/products/{other['id']}", {"name": "New", "sku": "BAG"}))[0] == 400
        assert call.shop.shown()["OTHER"]["title"] == "Bag"

    in_a_shop(scenario)


def test_an_unknown_id_is_404_to_get_and_delete_and_400_to_put() -> None:
    async def scenario(call: Client) -> None:
        code = "woocommerce_rest_product_invalid_id"
        assert await call.code("GET", "/products/7") == (404, code)
        assert await call.code("DELETE", "/products/7") == (404, code)
        assert await call.code("PUT", "/products/7", {}) == (400, code)
        assert await call.code("GET", "/customers") == (404, "rest_no_route")

    in_a_shop(scenario)


def test_variations_take_their_name_and_life_from_their_parent() -> None:
    async def scenario(call: Client) -> None:
        _, shirt = await call("POST", "/products", SHIRT)
        under = f"/products/{shirt['id']}/variations"
        options = [{"name": "Size", "option": "M"}, {"name": "Fit", "option": "slim"}]
        status, medium = await call("POST", under, {"sku": "SHIRT-M", "regular_price": "25.00", "attributes": options})
        assert (status, medium["attributes"]) == (201, [{"id": 0, "name": "Size", "slug": "size", "option": "M"}])
        assert call.shop.shown()["SHIRT-M"]["title"] == "Shirt - M"
        assert call.shop.shown()["SHIRT"]["variations"] == ["SHIRT-M"]
        assert call.shop.shown()["SHIRT"]["price"] == "25.00"
        assert medium["permalink"] == "https://shop.example/product/shirt/?attribute_size=M"
        await call("PUT", f"/products/{shirt['id']}", {"status": "draft"})
        assert not call.shop.shown()["SHIRT-M"]["live"]
        _, medium = await call("GET", f"{under}/{medium['id']}")
        by_number = f"https://shop.example/?post_type=product&p={shirt['id']}&attribute_size=M"
        assert (medium["status"], medium["permalink"]) == ("publish", by_number)

    in_a_shop(scenario)


def test_a_variation_is_reached_under_its_own_parent_only() -> None:
    async def scenario(call: Client) -> None:
        _, shirt = await call("POST", "/products", SHIRT)
        _, other = await call("POST", "/products", SHIRT | {"sku": "OTHER"})
        _, medium = await call("POST", f"/products/{shirt['id']}/variations", {"sku": "SHIRT-M"})
        wrong = f"/products/{other['id']}/variations/{medium['id']}"
        assert await call.code("PUT", wrong, {}) == (404, "woocommerce_rest_product_variation_invalid_id")
        assert await call.code("PUT", f"/products/{medium['id']}", {}) == (404, "woocommerce_rest_invalid_product_id")
        assert await call.code("PUT", f"/products/{shirt['id']}/variations/7", {}) == (
            404,
            "woocommerce_rest_product_variation_invalid_id",
        )
        status, shown = await call("GET", f"/products/{medium['id']}")
        assert (status, shown["type"], shown["parent_id"]) == (200, "variation", shirt["id"])
        orphan = {"sku": "X", "attributes": [{"name": "Size", "option": "M"}]}
        refused = await call.code("POST", "/products/7/variations", orphan)
        assert refused == (404, "woocommerce_rest_product_variation_invalid_parent")
        assert await call.code("POST", "/products/7/variations", {"sku": "X"}) == (500, "internal_server_error")

    in_a_shop(scenario)


def test_variations_stand_by_their_menu_order_and_the_oldest_first_among_equals() -> None:
    async def scenario(call: Client) -> None:
        _, shirt = await call("POST", "/products", SHIRT)
        places = {"L": 2, "XL": 0, "M": 1}
        ids = {}
        for size, place in places.items():
            body = {"sku": f"SHIRT-{size}", "menu_order": place}
            ids[size] = (await call("POST", f"/products/{shirt['id']}/variations", body))[1]["id"]
        _, shown = await call("GET", f"/products/{shirt['id']}")
        assert shown["variations"] == [ids["XL"], ids["M"], ids["L"]]

    in_a_shop(scenario)


def test_deleting_a_variable_product_takes_its_variations_along() -> None:
    async def scenario(call: Client) -> None:
        _, shirt = await call("POST", "/products", SHIRT)
        await call("POST", f"/products/{shirt['id']}/variations", {"sku": "SHIRT-M"})
        assert (await call("DELETE", f"/products/{shirt['id']}?force=true"))[0] == 200
        assert call.shop.shown() == {}

    in_a_shop(scenario)


def test_without_force_a_product_goes_to_the_trash_and_keeps_its_sku_from_new_products_only() -> None:
    async def scenario(call: Client) -> None:
        _, made = await call("POST", "/products", BAG)
        await call("DELETE", f"/products/{made['id']}")
        trashed = await call.code("DELETE", f"/products/{made['id']}")
        assert trashed == (410, "woocommerce_rest_already_trashed")
        assert await call("GET", "/products?sku=BAG") == (200, [])
        _, found = await call("GET", "/products?sku=BAG&status=trash")
        assert [each["id"] for each in found] == [made["id"]]
        taken = await call.code("POST", "/products", BAG)
        assert taken == (400, "woocommerce_rest_product_not_created")
        _, other = await call("POST", "/products", BAG | {"sku": "OTHER"})
        assert (await call("PUT", f"/products/{other['id']}", {"sku": "BAG"}))[0] == 200

    in_a_shop(scenario)


def test_a_list_is_paged_and_counted_and_asking_for_a_sku_finds_variations_too() -> None:
    async def scenario(call: Client) -> None:
        for number in range(11):
            await call("POST", "/products", BAG | {"sku": f"BAG-{number}"})
        _, shirt = await call("POST", "/products", SHIRT)
        await call("POST", f"/products/{shirt['id']}/variations", {"sku": "SHIRT-M"})
        headers = basic(call.shop.consumer_key, call.shop.consumer_secret)
        async with call.session.get(f"{call.shop.url}{API}/products?page=2", headers=headers) as answer:
            assert (answer.headers["X-WP-Total"], answer.headers["X-WP-TotalPages"]) == ("12", "2")
            assert answer.headers["Link"].endswith('page=1>; rel="prev"')
            assert [each["sku"] for each in await answer.json()] == ["BAG-1", "BAG-0"]
        _, found = await call("GET", "/products?sku=SHIRT-M")
        assert [(each["type"], each["parent_id"]) for each in found] == [("variation", shirt["id"])]
        _, found = await call("GET", f"/products/{shirt['id']}/variations?sku=SHIRT-M")
        assert len(found) == 1
        assert await call.code("GET", "/products?per_page=101") == (400, "rest_invalid_param")

    in_a_shop(scenario)


def test_a_batch_tells_of_each_member_in_its_place_under_http_200() -> None:
    async def scenario(call: Client) -> None:
        _, made = await call("POST", "/products", BAG)
        status, answer = await call(
            "POST",
            "/products/batch",
            {
                "create": [BAG | {"sku": "NEW"}, BAG],
                "update": [{"id": made["id"], "regular_price": "5.00"}, {"id": 7, "name": "x"}],
                "delete": [8],
            },
        )
        assert status == 200
        assert answer["create"][0]["sku"] == "NEW"
        assert answer["create"][1]["id"] == 0
        assert answer["create"][1]["error"]["code"] == "product_invalid_sku"
        assert answer["update"][0]["regular_price"] == "5.00"
        assert answer["update"][1]["error"]["data"]["status"] == 400
        assert answer["delete"][0]["error"]["code"] == "woocommerce_rest_product_invalid_id"

    in_a_shop(scenario)


def test_a_batch_of_more_than_a_hundred_is_refused_whole() -> None:
    async def scenario(call: Client) -> None:
        many = {"create": [BAG | {"sku": f"BAG-{number}"} for number in range(101)]}
        too_large = await call.code("POST", "/products/batch", many)
        assert too_large == (413, "woocommerce_rest_request_entity_too_large")
        assert call.shop.shown() == {}

    in_a_shop(scenario)


def test_wrong_credentials_are_told_apart_as_a_real_shop_does() -> None:
    async def scenario(call: Client) -> None:
        stranger, liar = basic("ck_other", "cs"), basic(call.shop.consumer_key, "cs_wrong")
        assert await call.code("GET", "/products", headers={}) == (401, "woocommerce_rest_cannot_view")
        assert await call.code("POST", "/products", BAG, headers=stranger) == (401, "woocommerce_rest_cannot_create")
        assert await call.code("GET", "/products", headers=liar) == (401, "woocommerce_rest_authentication_error")
        call.shop.may_write = False
        assert await call.code("POST", "/products", BAG) == (401, "woocommerce_rest_authentication_error")
        assert (await call("GET", "/products"))[0] == 200

    in_a_shop(scenario)


def test_pictures_need_an_address_and_an_ending_that_the_shop_accepts() -> None:
    async def scenario(call: Client) -> None:
        for src in ("files/bag.jpg", "https://cdn.example/manual.pdf"):
            refused = await call.code("POST", "/products", BAG | {"images": [{"src": src}]})
            assert refused == (400, "woocommerce_product_image_upload_error")
        status, made = await call("POST", "/products", BAG | {"images": [{"src": "https://cdn.example/bag.jpg"}]})
        assert (status, made["images"][0]["name"]) == (201, "bag.jpg")

    in_a_shop(scenario)


def test_null_is_left_out_and_names_are_html_without_their_backslashes() -> None:
    async def scenario(call: Client) -> None:
        body = BAG | {"name": "R&D <3 C:\\bag", "manage_stock": True, "stock_quantity": None}
        status, made = await call("POST", "/products", body)
        assert (status, made["name"], made["stock_quantity"]) == (201, "R&amp;D &lt;3 C:bag", None)
        _, changed = await call("PUT", f"/products/{made['id']}", {"stock_quantity": 4, "name": None})
        _, changed = await call("PUT", f"/products/{made['id']}", {"stock_quantity": None})
        assert (changed["name"], changed["stock_quantity"]) == (made["name"], 4)

    in_a_shop(scenario)


def test_a_throttle_comes_from_the_host_in_html_with_a_retry_after() -> None:
    async def scenario(call: Client) -> None:
        call.shop.faults.throttle_next = 1
        async with call.session.get(f"{call.shop.url}{API}/products") as answer:
            assert (answer.status, answer.headers["Retry-After"], answer.content_type) == (429, "1", "text/html")

    in_a_shop(scenario)


def test_texts_come_as_on_a_page_unless_the_edited_ones_are_asked_for() -> None:
    async def scenario(call: Client) -> None:
        _, made = await call("POST", "/products", BAG | {"description": 'It\'s "big"\n\nand light'})
        _, page = await call("GET", f"/products/{made['id']}")
        assert page["description"] == "<p>It&#8217;s &#8220;big&#8221;</p>\n<p>and light</p>\n"
        _, edit = await call("GET", f"/products/{made['id']}?context=edit")
        assert edit["description"] == made["description"] == 'It\'s "big"\n\nand light'
        _, shirt = await call("POST", "/products", SHIRT)
        under = f"/products/{shirt['id']}/variations"
        _, medium = await call("POST", under, {"sku": "SHIRT-M", "description": "Small"})
        assert medium["description"] == "<p>Small</p>\n", "a variation's is always that of a page"

    in_a_shop(scenario)


def test_pictures_are_copied_into_the_shop_under_names_of_its_own() -> None:
    async def scenario(call: Client) -> None:
        image = {"src": "https://cdn.example/my%20bag.jpg", "alt": "Bag"}
        found = [(await call("POST", "/products", {"name": "Bag", "images": [image]}))[1] for _ in range(2)]
        sources = {each["images"][0]["src"] for each in found}
        assert {each.partition("/uploads/")[2] for each in sources} == {"2026/01/my20bag.jpg", "2026/01/my20bag-1.jpg"}

    in_a_shop(scenario)


def test_every_second_member_of_a_batch_can_be_made_to_fail() -> None:
    async def scenario(call: Client) -> None:
        call.shop.faults.fail_members = True
        many = [BAG | {"sku": f"BAG-{number}"} for number in range(4)]
        status, answer = await call("POST", "/products/batch", {"create": many})
        assert status == 200
        assert [each.get("error", {}).get("code") for each in answer["create"]] == [
            *(None, "woocommerce_rest_invalid_product") * 2
        ]
        assert call.shop.shown().keys() == {"BAG-0", "BAG-2"}

    in_a_shop(scenario)


def test_the_hosts_limit_lets_a_burst_through_and_then_only_its_rate() -> None:
    async def scenario(call: Client) -> None:
        url, headers = f"{call.shop.url}{API}/products", basic(call.shop.consumer_key, call.shop.consumer_secret)

        async def status() -> int:
            async with call.session.get(url, headers=headers) as answer:
                return answer.status

        assert {await status() for _ in range(20)} == {200}, "off unless it is asked for"
        call.shop.limits["rest"] = Rate(per_second=0.001, burst=3)
        assert [await status() for _ in range(5)] == [200, 200, 200, 429, 429]
        del call.shop.limits["rest"]
        assert await status() == 200

    in_a_shop(scenario)
