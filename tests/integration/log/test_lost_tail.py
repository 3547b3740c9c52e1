"""Postgres comes back without its newest events under a program that runs on: what it remembered of them is forgotten.

`lose` cuts the log in place, with connections that live on, which leaves a program the fewest signs. The other way, a
server that dies and another in its place, is the drill of the backups.
"""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from daybook.app import App
from daybook.channel.registry import installed
from daybook.commands import AddChannel, ChangePrice, CountStock, CreateProduct, DefineAttribute, SetAttributes
from daybook.commands.book import Command, CommandResult
from daybook.config import Settings
from daybook.errors import InvalidValue, NotFound, Refused
from daybook.events import AttributeChange, AttributeDefined
from daybook.log.pending import Context
from daybook.log.snapshots import INTERVAL_EVENTS
from daybook.stock.state import Stock, evolve
from tests.fixtures.relays import restore as lose

PATIENCE_SECONDS = 3.0
"""Who forgets what is gone is done in milliseconds; who does not tries for ten seconds."""


@pytest.fixture
def app(database: str) -> Iterator[App]:
    with App(Settings(data=Path("/nowhere"), postgres=database), installed()) as running:
        yield running


def do(app: App, *commands: Command) -> list[CommandResult]:
    return [app.book.carry_out(one, Context.new("tester", "test")) for one in commands]


def price(amount: str, sku: str = "A") -> ChangePrice:
    return ChangePrice(sku=sku, amount=amount, currency="EUR")


def at_once(app: App, command: Command) -> CommandResult:
    begun = time.monotonic()
    (done,) = do(app, command)
    assert time.monotonic() - begun < PATIENCE_SECONDS
    return done


def test_a_product_whose_newest_events_are_gone_takes_commands_again(app: App, database: str) -> None:
    do(app, CreateProduct(sku="A"), price("10.00"), price("11.00"))
    lose(database, 2)
    done = at_once(app, price("12.00"))
    assert (done.first, done.version) == (3, 3)


def test_what_only_the_lost_events_said_is_no_reason_to_change_nothing(app: App, database: str) -> None:
    do(app, CreateProduct(sku="A"), price("10.00"), price("11.00"))
    lose(database, 2)
    done = at_once(app, price("11.00"))
    assert done.changed and app.reader.after(2)[0].type == "product.price_changed.v1"


def test_a_product_that_is_gone_is_unknown_and_can_be_created_anew(app: App, database: str) -> None:
    do(app, CreateProduct(sku="A"), CreateProduct(sku="B"), CountStock(sku="B", quantity=3))
    lose(database, 1)
    with pytest.raises(NotFound):
        do(app, price("10.00", "B"))
    assert at_once(app, CreateProduct(sku="B")).first == 2


def test_other_events_that_came_to_the_same_versions_are_read_and_not_those_that_were_lost(
    app: App, database: str
) -> None:
    do(app, CreateProduct(sku="A"), price("10.00"), price("11.00"))
    lose(database, 2)
    with App(app.settings, installed()) as other:
        do(other, price("77.00"))
    assert not at_once(app, price("77.00")).changed
    assert at_once(app, price("11.00")).changed


def test_a_snapshot_of_events_that_are_gone_is_not_taken_for_the_state(app: App, database: str) -> None:
    do(app, CreateProduct(sku="A"), *(CountStock(sku="A", quantity=n) for n in range(1, INTERVAL_EVENTS + 1)))
    lose(database, INTERVAL_EVENTS - 10)
    with App(app.settings, installed()) as other:
        assert other.log.load("stock/A", evolve) == (Stock({"main": INTERVAL_EVENTS - 11}), INTERVAL_EVENTS - 11)
        do(other, *(CountStock(sku="A", quantity=1000 + n) for n in range(20)))
    with App(app.settings, installed()) as fresh:
        assert fresh.log.load("stock/A", evolve) == (Stock({"main": 1019}), INTERVAL_EVENTS + 9)
    assert app.log.load("stock/A", evolve) == (Stock({"main": 1019}), INTERVAL_EVENTS + 9)


def test_a_definition_that_is_gone_is_unknown_again(app: App, database: str) -> None:
    do(app, CreateProduct(sku="A"), DefineAttribute(attribute=AttributeDefined(code="name", type="text")))
    named = SetAttributes(sku="A", changes=(AttributeChange(attribute="name", value="mug"),))
    do(app, named)
    lose(database, 1)
    app.book.reference()  # as a second later
    with pytest.raises((InvalidValue, NotFound, Refused)):
        do(app, named)


def test_a_channel_that_is_gone_is_not_there_any_more(app: App, database: str) -> None:
    do(app, CreateProduct(sku="A"))
    do(app, AddChannel(name="crm", kind="webhook", settings={"url": "https://crm.example/hook"}))
    app.registry.refresh()
    assert app.registry.get("crm").name == "crm"
    lose(database, 1)
    app.registry.refresh()
    with pytest.raises(NotFound):
        app.registry.get("crm")
    do(app, AddChannel(name="erp", kind="webhook", settings={"url": "https://erp.example/hook"}))
    app.registry.refresh()
    assert app.registry.get("erp").name == "erp"
