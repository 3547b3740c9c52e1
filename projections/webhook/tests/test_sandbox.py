"""The sandbox is an endpoint as Standard Webhooks 1.0.0 wants it."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import msgspec
import pytest

from daybook_projections.webhook.sandbox.server import PATH, SECRET, Step, WebhookSandbox
from daybook_projections.webhook.signing import keys, signed

Post = Callable[..., Awaitable[int]]


def with_a_sandbox(scenario: Callable[[WebhookSandbox, Post], Awaitable[None]], **options: Any) -> None:
    """The scenario gets a sandbox, and a function that posts a message to it and gives the status."""

    async def run() -> None:
        sandbox = WebhookSandbox(**options)
        await sandbox.start()

        async def post(body: bytes, headers: Mapping[str, str], method: str = "POST", path: str = PATH) -> int:
            async with session.request(method, sandbox.url + path, data=body, headers=headers) as response:
                return response.status

        try:
            async with aiohttp.ClientSession() as session:
                await scenario(sandbox, post)
        finally:
            await sandbox.stop()

    asyncio.run(run())


def message(type_: str = "product.updated", sku: str = "S1", position: int = 1, **parts: Any) -> bytes:
    data = {"sku": sku, "position": position} | parts
    return msgspec.json.encode({"type": type_, "timestamp": "2026-01-01T12:00:00Z", "data": data})


def product(position: int = 1, name: str = "Bag", **parts: Any) -> bytes:
    attributes = {"name": [{"locale": None, "scope": None, "value": name}]}
    return message(position=position, product={"gtin": None, "attributes": attributes}, **parts)


def proof(body: bytes, id_: str = "msg_1", late: float = 0.0, secret: str = SECRET) -> dict[str, str]:
    return dict(signed(keys(secret), id_, datetime.now(UTC) - timedelta(seconds=late), body))


def test_a_good_message_is_taken() -> None:
    async def scenario(sandbox: WebhookSandbox, post: Post) -> None:
        assert await post(product(), proof(product())) == 204
        assert list(sandbox.shown()) == ["S1"]

    with_a_sandbox(scenario)


@pytest.mark.parametrize(
    "wrong",
    [
        {"webhook-id": "msg_2"},
        {"webhook-timestamp": "1"},
        {"webhook-timestamp": "now"},
        {"webhook-signature": "v1,AAAA"},
        {"webhook-signature": "v1a,AAAA"},
        {"webhook-signature": "no form at all"},
        {"webhook-signature": "v1,not base64 at all!"},
        {"webhook-signature": ""},
    ],
)
def test_a_message_without_a_good_signature_is_refused(wrong: dict[str, str]) -> None:
    async def scenario(sandbox: WebhookSandbox, post: Post) -> None:
        assert await post(product(), proof(product()) | wrong) == 401
        for name in wrong:
            headers = {key: value for key, value in proof(product()).items() if key != name}
            assert await post(product(), headers) == 401
        assert sandbox.shown() == {}
        assert not sandbox.messages

    with_a_sandbox(scenario)


def test_another_body_or_secret_does_not_fit_the_signature() -> None:
    async def scenario(sandbox: WebhookSandbox, post: Post) -> None:
        assert await post(product(name="other"), proof(product())) == 401
        assert await post(product() + b" ", proof(product())) == 401
        assert await post(b"\xff", proof(product())) == 401
        assert await post(product(), proof(product(), secret="whsec_" + "A" * 32)) == 401
        assert sandbox.shown() == {}

    with_a_sandbox(scenario)


def test_five_minutes_are_tolerated_either_way() -> None:
    async def scenario(_: WebhookSandbox, post: Post) -> None:
        for late, status in ((-290, 204), (290, 204), (-310, 401), (310, 401)):
            assert await post(product(), proof(product(), late=late)) == status

    with_a_sandbox(scenario)


def test_one_of_several_signatures_is_enough() -> None:
    async def scenario(_: WebhookSandbox, post: Post) -> None:
        headers = proof(product())
        headers["webhook-signature"] = f"v1a,xyz v1,AAAA {headers['webhook-signature']}"
        assert await post(product(), headers) == 204

    with_a_sandbox(scenario)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no json",
        b"[]",
        message("product.created"),
        message(cost=1),
        msgspec.json.encode({"type": "product.removed", "timestamp": "soon", "data": {"sku": "S1", "position": 1}}),
        msgspec.json.encode({"type": "product.removed", "timestamp": "2026-01-01T12:00:00Z", "data": {"sku": "S1"}}),
    ],
)
def test_a_signed_message_of_another_form_is_refused(body: bytes) -> None:
    async def scenario(sandbox: WebhookSandbox, post: Post) -> None:
        assert await post(body, proof(body)) == 400
        assert sandbox.shown() == {}

    with_a_sandbox(scenario)


def test_only_posts_to_the_endpoint_are_answered() -> None:
    async def scenario(_: WebhookSandbox, post: Post) -> None:
        assert await post(product(), proof(product()), method="PUT") == 405
        assert await post(product(), proof(product()), path="/hook") == 404

    with_a_sandbox(scenario)


def test_an_id_takes_effect_once() -> None:
    async def scenario(sandbox: WebhookSandbox, post: Post) -> None:
        for name in ("first", "second"):
            body = product(name=name)
            assert await post(body, proof(body, "msg_same")) == 204
        assert sandbox.shown()["S1"]["title"] == "first"
        assert sandbox.effects == {"msg_same": 1}
        assert len(sandbox.messages) == 2

    with_a_sandbox(scenario)


def test_an_effect_that_was_had_twice_is_not_passed_over_in_silence() -> None:
    sandbox = WebhookSandbox()
    sandbox.effects["msg_1"] = 2
    with pytest.raises(AssertionError, match="more than once"):
        sandbox.shown()


def test_the_script_is_followed_and_then_all_is_well() -> None:
    async def scenario(sandbox: WebhookSandbox, post: Post) -> None:
        sandbox.script.extend([Step(status=429, headers={"Retry-After": "1"}), Step(status=500), Step(taken=True)])
        statuses = [await post(product(), proof(product(), f"msg_{at}")) for at in range(4)]
        assert statuses == [429, 500, 204, 204]
        assert sandbox.effects == {"msg_2": 1, "msg_3": 1}

    with_a_sandbox(scenario)


async def _deliver(post: Post, *bodies: bytes) -> None:
    for number, body in enumerate(bodies):
        assert await post(body, proof(body, f"msg_{number}")) == 204


def test_parts_are_kept_until_they_are_told_anew() -> None:
    async def scenario(sandbox: WebhookSandbox, post: Post) -> None:
        stock = {"available": 5, "locations": {}}
        price = {"amount": "1.00", "currency": "EUR"}
        await _deliver(
            post, product(stock=stock, price=price, prices={}), message("price.updated", price=None, prices={})
        )
        assert sandbox.shown()["S1"] | {"told": None} == {
            "title": "Bag",
            "gtin": None,
            "price": None,
            "currency": None,
            "stock": 5,
            "live": True,
            "told": None,
        }

    with_a_sandbox(scenario)


def test_a_part_of_what_is_not_known_or_gone_is_left_alone() -> None:
    async def scenario(sandbox: WebhookSandbox, post: Post) -> None:
        stock = message("stock.updated", stock={"available": 1, "locations": {}})
        await _deliver(post, stock, product(), message("product.removed"), stock)
        assert sandbox.shown() == {}

    with_a_sandbox(scenario)


def _pieces(position: int, available: int) -> bytes:
    return message("stock.updated", position=position, stock={"available": available, "locations": {}})


@pytest.mark.parametrize(
    ("late", "shown"),
    [
        (_pieces(3, 3), 4),
        (_pieces(4, 40), 40),
        (product(3, stock={"available": 3, "locations": {}}), 4),
        (product(5, stock={"available": 50, "locations": {}}), 50),
    ],
)
def test_in_order_an_older_part_does_not_replace_a_newer_one(late: bytes, shown: int) -> None:
    async def scenario(sandbox: WebhookSandbox, post: Post) -> None:
        await _deliver(post, product(1, stock={"available": 1, "locations": {}}), _pieces(4, 4), late)
        assert sandbox.shown()["S1"]["stock"] == shown

    with_a_sandbox(scenario, in_order=True)


def test_in_order_what_was_removed_comes_back_by_a_newer_message_only() -> None:
    async def scenario(sandbox: WebhookSandbox, post: Post) -> None:
        await _deliver(post, product(1), message("product.removed", position=5), product(3), _pieces(4, 4))
        assert sandbox.shown() == {}
        body = product(6, stock={"available": 6, "locations": {}})
        assert await post(body, proof(body, "msg_back")) == 204
        old = message("product.removed", position=5)
        assert await post(old, proof(old, "msg_late")) == 204
        assert sandbox.shown()["S1"]["stock"] == 6

    with_a_sandbox(scenario, in_order=True)
