"""Nothing is sold on a work, whatever a command says; a channel that is not there stays unknown."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from daybook.app import App
from daybook.commands import (
    ConfigureChannel,
    CountStock,
    CreateProduct,
    DelistProduct,
    DescribeProduct,
    ListProduct,
    OrderedLine,
    PlaceOrder,
)
from daybook.commands.book import Command, CommandResult
from daybook.commands.schedules import PlanChange
from daybook.config import Settings
from daybook.errors import InvalidValue, NotFound
from daybook.events import ChannelConfigured, ProductListed
from daybook.log.pending import Context, NewEvent
from tests.fixtures.owner import client_of

WORKS = ("bolparcels", "deepl", "hubspot", "sendcloud", "shopifyparcels", "wooparcels")


@pytest.fixture
def app(database: str) -> Iterator[App]:
    """With all that is installed; one of the works is configured."""
    with App(Settings(data=Path("unused"), postgres=database)) as app:
        say(app, CreateProduct(sku="MUG"))
        say(app, CountStock(sku="MUG", quantity=5))
        say(app, ConfigureChannel(channel=ChannelConfigured(name="deepl")))
        yield app


def say(app: App, command: Command) -> CommandResult:
    return app.book.carry_out(command, Context.new("ann", "test"))


def ways(channel: str) -> tuple[Command, ...]:
    """All that would have a product sold there."""
    later = datetime.now(UTC) + timedelta(days=30)
    return (
        ListProduct(sku="MUG", channel=channel),
        PlanChange(schedule="sch-1", due_at=later, change=ListProduct(sku="MUG", channel=channel)),
        DescribeProduct(sku="MUG", channels={channel: True}),
        PlaceOrder(
            channel=channel, number="1", currency="EUR", lines=(OrderedLine(sku="MUG", quantity=1, price="1.00"),)
        ),
    )


def test_nothing_is_sold_on_a_work_and_the_refusal_says_so(app: App) -> None:
    head = app.reader.head()
    for name in WORKS:
        for command in ways(name):
            with pytest.raises(
                InvalidValue, match=f"{name} is a work.*nothing is sold there; the channels are: amazon, bol, "
            ):
                say(app, command)
    assert app.reader.head() == head


def test_a_name_that_is_no_channel_at_all_stays_unknown_and_works_are_not_named_as_channels(app: App) -> None:
    for command in ways("nowhere"):
        with pytest.raises(NotFound, match="there is no channel 'nowhere'") as refused:
            say(app, command)
        assert "deepl" not in refused.value.message


def test_a_product_that_an_older_daybook_listed_on_a_work_can_be_described_as_it_is_and_taken_off(app: App) -> None:
    version = app.book.product("MUG")[1]
    listed = NewEvent("product/MUG", version + 1, ProductListed("deepl"), sku="MUG", key="MUG")
    app.log.append([listed], Context.new("ann", "test"))
    assert not say(app, DescribeProduct(sku="MUG", channels={"deepl": True})).changed
    assert say(app, DelistProduct(sku="MUG", channel="deepl")).changed


def test_over_http_it_is_the_value_that_is_refused(app: App) -> None:
    order = {"channel": "deepl", "number": "1", "currency": "EUR"}
    order |= {"lines": [{"sku": "MUG", "quantity": 1, "price": "1.00"}]}  # type: ignore[dict-item]
    with client_of(app, raises=False) as client:
        refused = client.post("/api/v1/orders", json=order)
        assert (refused.status_code, refused.json()["field"]) == (422, "channel")
        assert client.put("/api/v1/products/MUG/channels/deepl").status_code == 422
