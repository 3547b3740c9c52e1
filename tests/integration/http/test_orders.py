"""Orders over HTTP: placed with their customer and stock, read back, and raced for."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from litestar import Litestar
from litestar.testing import TestClient

from daybook.app import App
from daybook.authentication.current import CurrentAccess
from daybook.channel.registry import Registry
from daybook.commands import ConfigureChannel
from daybook.config import Settings
from daybook.events import AccessScope, ChannelConfigured
from daybook.log.pending import Context
from tests.fixtures.ordering import balanced
from tests.fixtures.owner import SHOWN, client_of, state_of
from tests.fixtures.people import ADA, CANARY, found_in_tables
from tests.fixtures.served import served

API = "/api/v1"
CUSTOMER = {"name": ADA.name, "mail": ADA.mail, "address": {"city": "Amsterdam", "country": "NL"}}


@pytest.fixture
def app(database: str) -> Iterator[App]:
    with App(Settings(data=Path("unused"), postgres=database), Registry([])) as app:
        yield app


@pytest.fixture
def client(app: App) -> Iterator[TestClient[Litestar]]:
    with client_of(app, raises=False) as client:
        for name in ("shop", "east"):
            app.book.carry_out(ConfigureChannel(channel=ChannelConfigured(name=name)), Context.new("ann", "test"))
        for sku in ("MUG", "CUP"):
            assert client.post(f"{API}/products", json={"sku": sku, "stock": {"main": 5}}).status_code == 201
        yield client


def order(number: str, *items: tuple[str, int], **more: Any) -> dict[str, Any]:
    lines = [{"sku": sku, "quantity": quantity, "price": "5.00"} for sku, quantity in items or [("MUG", 1)]]
    return {"channel": "shop", "number": number, "currency": "EUR", "lines": lines, **more}


def place(client: httpx.Client, number: str, *items: tuple[str, int], **more: Any) -> Any:
    return client.post(f"{API}/orders", json=order(number, *items, **more))


def available(client: httpx.Client, sku: str = "MUG") -> int:
    return int(client.get(f"{API}/products/{sku}").json()["available"])


def test_an_order_is_placed_where_the_location_says_and_its_stock_is_taken(client: TestClient[Litestar]) -> None:
    answer = place(client, "1", ("MUG", 2), ("CUP", 1), shipping="4.95")
    assert (answer.status_code, answer.headers["location"], answer.headers["etag"]) == (
        201,
        f"{API}/orders/shop:1",
        '"1"',
    )
    found = client.get(answer.headers["location"]).json()
    assert (found["status"], found["payment"], found["total"]) == ("open", "unpaid", "19.95")
    assert [(one["sku"], one["open"]) for one in found["lines"]] == [("MUG", 2), ("CUP", 1)]
    assert found["reserved"] == [
        {"sku": "MUG", "location": "main", "quantity": 2},
        {"sku": "CUP", "location": "main", "quantity": 1},
    ]
    product = client.get(f"{API}/products/MUG").json()
    assert (product["stock"], product["reserved"], product["available"]) == ({"main": 5}, {"main": 2}, 3)


def test_the_same_order_again_changes_nothing_with_and_without_a_key(client: TestClient[Litestar]) -> None:
    headers = {"Idempotency-Key": "once"}
    first = client.post(f"{API}/orders", json=order("1", customer=CUSTOMER), headers=headers)
    again = client.post(f"{API}/orders", json=order("1", customer=CUSTOMER), headers=headers)
    assert (first.status_code, again.status_code, again.json()) == (201, 201, first.json())
    assert again.headers["idempotent-replayed"] == "true"

    plain = place(client, "1", customer=CUSTOMER)
    assert (plain.status_code, plain.json()["changed"]) == (200, False)
    other = client.post(f"{API}/orders", json=order("1", ("MUG", 2), customer=CUSTOMER), headers=headers)
    assert (other.status_code, other.json()["code"]) == (422, "command_id_reused")
    assert available(client) == 4


def test_what_is_known_of_the_customer_is_in_the_vault_alone(
    client: TestClient[Litestar], app: App, database: str
) -> None:
    assert place(client, "1", customer=CUSTOMER).status_code == 201
    person = client.get(f"{API}/orders/shop:1").json()["person"]
    assert client.get(f"{API}/people/{person}").json()["known"]["name"] == ADA.name
    exported = client.get(f"{API}/people/{person}/export").json()
    assert "order.placed.v1" in {one["type"] for one in exported["occurrences"]}
    assert found_in_tables(database, CANARY) == {}

    assert client.delete(f"{API}/people/{person}").status_code == 200
    assert client.get(f"{API}/people/{person}").status_code == 410
    assert client.get(f"{API}/orders/shop:1").json()["person"] == person
    assert place(client, "2", person=person).status_code == 410


def test_an_order_that_is_refused_leaves_nothing_of_its_customer_behind(
    client: TestClient[Litestar], app: App, database: str
) -> None:
    answer = place(client, "1", ("MUG", 6), customer=CUSTOMER)

    assert (answer.status_code, answer.json()["code"]) == (409, "out_of_stock")
    rows = app.pool.connection
    with rows() as conn:
        assert conn.execute("SELECT count(*) FROM sealed_people").fetchone() == (0,)


def test_a_name_in_the_number_of_an_order_is_refused(client: TestClient[Litestar]) -> None:
    answer = place(client, CANARY, customer={"name": CANARY})

    assert (answer.status_code, answer.json()["field"]) == (422, "number")


REFUSALS: list[tuple[dict[str, Any], int, str]] = [
    (order("1", ("TEAPOT", 1)), 404, "lines[0].sku: there is no product TEAPOT"),
    (order("1", ("MUG", 6)), 409, "6 of MUG were ordered, and 5 can be sold"),
    (order("1", ("MUG", 3), ("MUG", 3)), 409, "6 of MUG were ordered, and 5 can be sold"),
    (order("1", ("MUG", -1)), 422, "lines[0].quantity: must be between 1"),
    (order("1", ("MUG", 1.5)), 400, "Expected `int`, got `float`"),  # type: ignore[arg-type]
    (order("1") | {"channel": "west"}, 404, "there is no channel 'west'"),
    (order("1") | {"currency": "USD"}, 422, "the channel shop sells in EUR"),
    (order("1") | {"currency": "euro"}, 422, "no ISO 4217 currency code"),
    (order("1") | {"lines": []}, 422, "an order has at least one line"),
    (order("1") | {"colour": "red"}, 400, "there is no such member"),
    (order("1", customer={"name": "x", "age": 5}), 400, "there is no such member"),
]


def test_bad_orders_are_answered_with_field_and_reason_and_nothing_is_written(
    client: TestClient[Litestar], app: App
) -> None:
    before = app.reader.head()
    for body, status, reason in REFUSALS:
        answer = client.post(f"{API}/orders", json=body)
        assert (answer.status_code, reason in answer.text) == (status, True), (body, answer.text)
    assert client.get(f"{API}/orders/shop:9").status_code == 404
    assert client.post(f"{API}/orders/shop:9/cancelled", json={}).status_code == 404
    assert app.reader.head() == before


def test_an_order_goes_its_way_and_its_history_says_so(client: TestClient[Litestar]) -> None:
    place(client, "1", ("MUG", 3))
    for verb, body in (
        ("paid", {"amount": "15", "currency": "EUR", "reference": "tr_1"}),
        ("shipped", {"parcel": "P", "lines": {"1": 1}, "carrier": "postnl", "tracking": "3S1"}),
        ("cancelled", {"lines": {"1": 1}, "cause": "customer"}),
        ("shipped", {"parcel": "Q"}),
        ("returned", {"lines": {"1": 1}, "reference": "R"}),
        ("refunded", {"amount": "10", "currency": "EUR"}),
    ):
        answer = client.post(f"{API}/orders/shop:1/{verb}", json=body)
        assert (answer.status_code, answer.json()["changed"]) == (200, True), answer.text
    found = client.get(f"{API}/orders/shop:1").json()
    assert (found["status"], found["payment"], found["paid"], found["refunded"]) == (
        "shipped",
        "partly_refunded",
        "15.00",
        "10.00",
    )
    assert [one["parcel"] for one in found["parcels"]] == ["P", "Q"]
    changes = client.get(f"{API}/orders/shop:1/history").json()["changes"]
    assert [one["sentence"] for one in changes] == [
        "ordered on shop: 3 × MUG, for 15.00 EUR",
        "paid 15.00 EUR",
        "shipped 1 of line 1 in parcel P (postnl 3S1)",
        "cancelled 1 of line 1 (customer)",
        "shipped 1 of line 1 in parcel Q",
        "returned 1 of line 1",
        "refunded 10.00 EUR",
    ]
    then = client.get(f"{API}/orders/shop:1?position={changes[0]['position']}").json()
    assert (then["status"], then["version"]) == ("open", 1)
    late = client.post(f"{API}/orders/shop:1/cancelled", json={})
    assert (late.status_code, "is returned, not cancelled" in late.text) == (409, True)
    assert available(client) == 4


def test_the_list_is_newest_first_in_pages_and_of_one_channel(client: TestClient[Litestar]) -> None:
    for number in range(1, 4):
        place(client, str(number))
    client.post(f"{API}/orders", json=order("1") | {"channel": "east"})

    first = client.get(f"{API}/orders?limit=3").json()
    assert [one["order"] for one in first["orders"]] == ["east:1", "shop:3", "shop:2"]
    rest = client.get(f"{API}/orders?limit=3&before={first['next']}").json()
    assert ([one["order"] for one in rest["orders"]], rest["next"]) == (["shop:1"], None)
    assert [one["order"] for one in client.get(f"{API}/orders?channel=east").json()["orders"]] == ["east:1"]


def test_orders_are_listed_by_how_far_they_are(client: TestClient[Litestar]) -> None:
    for number in "12345":
        place(client, number, ("MUG", 2), already_sold=True)
    for number, what, body in (
        ("2", "shipped", {"parcel": "P1", "lines": {"1": 1}}),
        ("3", "shipped", {"parcel": "P1"}),
        ("4", "cancelled", {}),
        ("5", "shipped", {"parcel": "P1"}),
        ("5", "returned", {}),
    ):
        assert client.post(f"{API}/orders/shop:{number}/{what}", json=body).status_code < 300
    found = {
        state: [one["order"] for one in client.get(f"{API}/orders?state={state}").json()["orders"]]
        for state in ("open", "partly_shipped", "shipped", "cancelled", "returned")
    }
    assert found == {state: [f"shop:{at}"] for at, state in enumerate(found, start=1)}
    assert client.get(f"{API}/orders?state=lost").status_code == 400


def test_orders_that_sold_what_nobody_has_are_found(client: TestClient[Litestar]) -> None:
    place(client, "1", ("MUG", 5))
    sold = place(client, "2", ("MUG", 2), already_sold=True)
    place(client, "3", ("CUP", 1), already_sold=True)

    assert sold.status_code == 201
    (found,) = client.get(f"{API}/orders?oversold=true").json()["orders"]
    assert (found["order"], found["oversold"]) == ("shop:2", 2)
    assert available(client) == 0


def test_only_when_there_is_none_is_a_condition_that_an_order_which_is_there_fails(
    client: TestClient[Litestar],
) -> None:
    headers = {"If-None-Match": "*"}
    assert client.post(f"{API}/orders", json=order("1"), headers=headers).status_code == 201
    assert client.post(f"{API}/orders", json=order("1"), headers=headers).status_code == 412


def test_whoever_may_see_one_channel_sees_its_orders_alone(client: TestClient[Litestar], app: App) -> None:
    place(client, "1")
    client.post(f"{API}/orders", json=order("1") | {"channel": "east"})
    app.access = CurrentAccess(
        app.reader, app.log, app.pool, state_of("sales", [AccessScope(channels=("east",))]), app.tokens
    )
    assert [one["order"] for one in client.get(f"{API}/orders").json()["orders"]] == ["east:1"]
    assert client.get(f"{API}/orders?channel=shop").status_code == 403
    assert client.get(f"{API}/orders/east:1").status_code == 200
    for method, path, body in (
        ("GET", "orders/shop:1", None),
        ("GET", "orders/shop:1/history", None),
        ("POST", "orders/shop:1/cancelled", {}),
        ("POST", "orders", order("2")),
    ):
        answer = client.request(method, f"{API}/{path}", json=body)
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden"), path


def buy_the_last_pieces(client: httpx.Client, app: App, rounds: int, buyers: int = 50) -> None:
    """Each round: 50 buyers at once for one piece or two of it, in one line or two; some sold are cancelled, some are
    shipped and come back."""
    for number in range(rounds):
        there = 1 + number % 4
        client.put(f"{API}/products/MUG/stock/main", json={"quantity": there})
        line = threading.Barrier(buyers)

        def buy(buyer: int, number: int = number, line: threading.Barrier = line) -> tuple[int, Any]:
            items = [("MUG", 1), ("MUG", 1)] if buyer % 3 == 0 else [("MUG", 1 + buyer % 2)]
            line.wait(60)
            answer = place(client, f"{number}-{buyer}", *items)
            return answer.status_code, answer.json()

        with ThreadPoolExecutor(buyers) as pool:
            answers = list(pool.map(buy, range(buyers)))
        assert {status for status, _ in answers} <= {201, 409}, answers
        assert {body["code"] for status, body in answers if status == 409} <= {"out_of_stock"}
        sold = [f"shop:{number}-{buyer}" for buyer, (status, _) in enumerate(answers) if status == 201]
        orders = [client.get(f"{API}/orders/{one}").json() for one in sold]
        assert sum(one["pieces"] for one in orders) + available(client) == there
        assert available(client) in (0, 1)
        for at, one in enumerate(sold):
            if (number + at) % 2:
                assert client.post(f"{API}/orders/{one}/cancelled", json={}).status_code == 200
            else:
                assert client.post(f"{API}/orders/{one}/shipped", json={"parcel": "P"}).status_code == 200
                assert client.post(f"{API}/orders/{one}/returned", json={}).status_code == 200
        assert available(client) == there
    books = balanced(app.reader.after(0, 1_000_000))
    assert all(one is not None and one.oversold == 0 for one in books.orders.values())


@contextmanager
def buyers_at(database: str) -> Iterator[httpx.Client]:
    """A client with a connection for each buyer, of the server that production has."""
    limits = httpx.Limits(max_connections=60, max_keepalive_connections=60)
    with (
        served(database) as port,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=SHOWN, limits=limits, timeout=60) as client,
    ):
        yield client


def test_of_fifty_buyers_of_the_last_piece_nobody_gets_what_is_not_there(
    client: TestClient[Litestar], app: App, database: str
) -> None:
    with buyers_at(database) as buyers:
        buy_the_last_pieces(buyers, app, rounds=2)


@pytest.mark.long
def test_of_fifty_buyers_in_two_hundred_rounds_nobody_gets_what_is_not_there(
    client: TestClient[Litestar], app: App, database: str
) -> None:
    with buyers_at(database) as buyers:
        buy_the_last_pieces(buyers, app, rounds=200)
