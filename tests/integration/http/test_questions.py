"""Questions over HTTP: the real application on a real log."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from daybook.app import App
from daybook.catalogue.group import Group, fold_group
from daybook.catalogue.reference import Reference
from daybook.channel.contract import Held, Manifest, Payload
from daybook.channel.registry import Registry
from daybook.commands import ChangePrice, ConfigureChannel, CountStock, CreateProduct, ListProduct
from daybook.commands.book import Command
from daybook.config import Settings
from daybook.events import ChannelConfigured
from daybook.log.pending import Context
from tests.fixtures.owner import client_of

API = "/api/v1"


def render(group: Group, reference: Reference) -> dict[tuple[str, str], Payload | Held]:
    prices = {one.sku: group.price(one.sku, "default", "EUR") for one in group.sellable("shop")}
    return {(sku, "offer"): {"cents": cents} if cents else Held(("it has no price",)) for sku, cents in prices.items()}


SHOP = Manifest(
    name="shop",
    title="Shop",
    version=1,
    state=Group,
    fold=fold_group,
    render=render,
    defaults=ChannelConfigured(name="shop"),
)


@pytest.fixture
def app(database: str) -> Iterator[App]:
    with App(Settings(data=Path("unused"), postgres=database), Registry([SHOP])) as app:
        carry(app, ConfigureChannel(channel=ChannelConfigured(name="shop")))
        yield app


@pytest.fixture
def client(app: App) -> Iterator[TestClient[Litestar]]:
    with client_of(app, raises=False) as client:
        yield client


def carry(app: App, *commands: Command) -> None:
    for command in commands:
        app.book.carry_out(command, Context.new("ann", "test"))


def test_a_product_is_shown_as_of_a_position_and_as_of_a_time(app: App, client: TestClient[Litestar]) -> None:
    carry(
        app,
        CreateProduct(sku="A"),
        ChangePrice(sku="A", amount="1.00", currency="EUR"),
        ChangePrice(sku="A", amount="2.00", currency="EUR"),
    )
    at = app.reader.after(2, 1)[0].recorded_at.isoformat()
    for parameters in ({"position": "3"}, {"at": at}):
        then = client.get(f"{API}/products/A", params=parameters).json()
        assert (then["prices"][0]["amount"], then["position"], then["version"]) == ("1.00", 3, 2)
    unescaped = client.get(f"{API}/products/A?at={at}").json()
    assert unescaped["position"] == 3
    future = client.get(f"{API}/products/A?position=9")
    assert (future.status_code, future.json()["field"]) == (422, "position")
    early = client.get(f"{API}/products/A?position=1")
    assert (early.status_code, early.json()["sku"]) == (404, "A")


def test_an_unchanged_product_is_not_sent_again_and_a_changed_stock_is(app: App, client: TestClient[Litestar]) -> None:
    carry(app, CreateProduct(sku="A"))
    first = client.get(f"{API}/products/A")
    same = client.get(f"{API}/products/A", headers={"If-None-Match": f'"x", W/{first.headers["etag"]}'})
    assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", first.headers["etag"])
    carry(app, CountStock(sku="A", quantity=3))
    counted = client.get(f"{API}/products/A", headers={"If-None-Match": first.headers["etag"]})
    assert (counted.status_code, counted.json()["stock_total"]) == (200, 3)


def test_the_catalogue_is_walked_with_the_cursor(app: App, client: TestClient[Litestar]) -> None:
    carry(app, *(CreateProduct(sku=sku) for sku in ("A", "B", "C")))
    walked: list[str] = []
    params: dict[str, Any] = {"limit": 2}
    while params.get("after", "") is not None:
        page: dict[str, Any] = client.get(f"{API}/products", params=params).json()
        walked += [one["sku"] for one in page["products"]]
        params["after"] = page["next"]
    assert walked == ["A", "B", "C"]
    assert client.get(f"{API}/products?position=2").json()["products"][0]["sku"] == "A"
    assert client.get(f"{API}/products?limit=201").json()["field"] == "limit"
    assert client.get(f"{API}/products?after=%00").status_code == 422


def test_a_history_and_a_difference_are_told(app: App, client: TestClient[Litestar]) -> None:
    carry(app, CreateProduct(sku="A"), ChangePrice(sku="A", amount="1.00", currency="EUR"))
    page = client.get(f"{API}/products/A/history?limit=1").json()
    assert ([one["sentence"] for one in page["changes"]], page["next"]) == (["created"], 2)
    rest = client.get(f"{API}/products/A/history?after=2&receipts=true&inherited=true").json()
    assert ([one["sentence"] for one in rest["changes"]], rest["next"]) == (["price default EUR none → 1.00"], None)
    found = client.get(f"{API}/products/A/diff?from=2").json()
    assert found == {
        "from_position": 2,
        "to_position": 3,
        "changes": [{"field": "prices.default.EUR", "before": None, "after": "1.00"}],
    }
    assert client.get(f"{API}/products/A/diff?from=2001-01-01&to=2").json()["from_position"] == 0
    assert client.get(f"{API}/products/A/diff").status_code == 400
    assert client.get(f"{API}/products/A/diff?from=99999999999999999999").status_code == 422


def test_a_listing_is_told_with_what_is_held(app: App, client: TestClient[Litestar]) -> None:
    carry(app, CreateProduct(sku="A"), ListProduct(sku="A", channel="shop"))
    at = f"{API}/products/A/channels/shop"
    assert client.get(at).json() == {"channel": "shop", "position": 3, "shown": {}, "held": {"A": ["it has no price"]}}
    carry(app, ChangePrice(sku="A", amount="1.00", currency="EUR"))
    assert client.get(at).json()["shown"] == {"A": {"offer": {"cents": 100}}}
    assert client.get(f"{at}?position=2").json()["held"] == {}
    nowhere = client.get(f"{API}/products/A/channels/nowhere")
    assert (nowhere.status_code, nowhere.json()["channel"]) == (404, "nowhere")


def test_the_log_is_read_on_and_on(app: App, client: TestClient[Litestar]) -> None:
    carry(app, CreateProduct(sku="A"))
    page = client.get(f"{API}/events?after=1").json()
    assert ([one["type"] for one in page["events"]], page["next"]) == (["product.created.v1"], 2)
    assert page["events"][0]["data"]["sku"] == "A"
    assert client.get(f"{API}/events?after=2").json() == {"events": [], "next": 2}
    for beyond in (3, 2**63 - 1, 2**63, 2**70):
        answer = client.get(f"{API}/events?after={beyond}")
        assert (answer.status_code, answer.json()["field"]) == (422, "after"), "who waits there misses what comes first"


def test_the_definitions_are_told_as_of_a_moment(app: App, client: TestClient[Litestar]) -> None:
    assert client.get(f"{API}/definitions").json()["channels"]["shop"]["currency"] == "EUR"
    assert client.get(f"{API}/definitions?position=0").json()["channels"] == {}
