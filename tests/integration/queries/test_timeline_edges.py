"""The catalogue's past over HTTP and on the command line: looked up where the timeline covers it, said where not."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from daybook.access.authority import Reach
from daybook.app import App
from daybook.catalogue.reference import EMPTY
from daybook.channel.registry import Registry
from daybook.commands import ChangePrice, ConfigureChannel, DefineCategory, DefineFamily, DelistProduct, DescribeProduct
from daybook.commands.book import Command
from daybook.commands.describe import Price
from daybook.config import Settings
from daybook.events import AccessScope, CategoryDefined, ChannelConfigured, FamilyDefined
from daybook.log.pending import Context
from daybook.projection.process import ProjectionProcess
from daybook.queries.catalogue import page_then
from daybook.queries.timeline import catalogue_at
from daybook_projections.timeline import manifest
from tests.fixtures.channels import toy
from tests.fixtures.commandline import Daybook
from tests.fixtures.owner import client_of
from tests.fixtures.pipeline import until

API = "/api/v1"


@pytest.fixture
def app(database: str) -> Iterator[App]:
    with App(Settings(data=Path("unused"), postgres=database), Registry([manifest, toy()])) as app:
        carry(
            app,
            ConfigureChannel(channel=ChannelConfigured(name="toy")),
            DefineCategory(category=CategoryDefined(code="shoes")),
            DefineCategory(category=CategoryDefined(code="sale")),
            DefineFamily(family=FamilyDefined(code="boots")),
            a_product("A", categories=("shoes",)),
            a_product("B", categories=("shoes", "sale"), channels={"toy": False}),
            a_product("M", kind="model"),
            DescribeProduct(sku="M-1", kind="variant", parent="M", categories=("sale",)),
        )
        yield app


@pytest.fixture
def client(app: App) -> Iterator[TestClient[Litestar]]:
    with client_of(app, raises=False) as client:
        yield client


def a_product(sku: str, **fields: Any) -> DescribeProduct:
    prices = (Price(amount="10.00", currency="EUR"),)
    given: dict[str, Any] = {
        "kind": "product",
        "exact": True,
        "prices": prices,
        "stock": {"main": 2},
        "channels": {"toy": True},
    }
    return DescribeProduct(sku=sku, **(given | fields))


def carry(app: App, *commands: Command) -> None:
    for command in commands:
        app.book.carry_out(command, Context.new("ann", "test"))


def level(dsn: str, head: int) -> None:
    """The timeline has every event; its runner has ended."""

    async def main() -> None:
        stop = asyncio.Event()
        process = ProjectionProcess(dsn, "nats://127.0.0.1:1")
        runner = process.add(manifest)
        running = asyncio.create_task(process.run(stop))
        await until(lambda: runner.position >= head, "the timeline has caught up")
        stop.set()
        await running

    asyncio.run(main())


def get(client: TestClient[Litestar], **parameters: Any) -> Any:
    answer = client.get(f"{API}/catalogue", params=parameters)
    assert answer.status_code == 200, answer.text
    assert ("warning" in answer.headers) is not answer.json()["looked_up"]
    return answer.json()


def keys(found: Any) -> list[str]:
    return [one["key"] for one in found["groups"]]


def test_a_page_of_the_past_is_the_same_from_the_log_and_from_the_timeline(
    app: App, client: TestClient[Litestar], database: str
) -> None:
    then = app.reader.head()
    at = app.reader.last(1)[0].recorded_at.isoformat()
    carry(app, ChangePrice(sku="A", amount="12.00", currency="EUR"), DelistProduct(sku="A", channel="toy"))
    asked: list[dict[str, Any]] = [
        {},
        {"at": at},
        {"position": then},
        {"position": then, "category": "shoes"},
        {"position": then, "listed_on": "toy", "limit": 1},
        {"category": "sale", "listed_on": "toy"},
        {"after": "A", "limit": 1},
        {"family": "boots"},
    ]
    folded = [get(client, **one) for one in asked]
    assert not any(one["looked_up"] for one in folded)

    level(database, app.reader.head())

    found = [get(client, **one) for one in asked]
    assert all(one["looked_up"] for one in found)
    assert [one | {"looked_up": False} for one in found] == folded
    assert [keys(one) for one in found] == [
        ["A", "B", "M"], ["A", "B", "M"], ["A", "B", "M"], ["A", "B"], ["A"], ["M"], ["B"], [],
    ]  # fmt: skip
    assert [one["next"] for one in found] == [None, None, None, None, "A", None, "B", None]
    assert found[0]["groups"][0]["products"][0]["prices"][0]["amount"] == "12.00"
    assert found[1]["groups"][0]["products"][0]["prices"][0]["amount"] == "10.00"
    assert (found[0]["groups"][0]["listed_on"], found[1]["groups"][0]["listed_on"]) == ([], ["toy"])
    assert [one["sku"] for one in found[0]["groups"][2]["products"]] == ["M", "M-1"]


def test_a_reach_leaves_out_the_same_groups_from_the_log_and_from_the_timeline(app: App, database: str) -> None:
    carry(
        app,
        DefineCategory(category=CategoryDefined(code="boots", parent="shoes")),
        a_product("C", categories=("boots",)),
    )
    scopes = [
        (AccessScope(categories=("shoes",)),),
        (AccessScope(categories=("boots",)), AccessScope(categories=("sale",), channels=("toy",))),
        (AccessScope(channels=("toy",)),),
        (AccessScope(channels=("nosuch",), categories=("shoes",)),),
        (),
    ]

    def asked(looked_up: bool) -> list[list[str]]:
        found = []
        for one in scopes:
            then = catalogue_at(app.pool, app.reader, app.registry, app.reader.head())
            assert then.indexed is looked_up
            reference, keys = app.reader.reference(), []
            after: str | None = ""
            while after is not None:
                page = page_then(then, reference, after, limit=1, reach=Reach(one))
                assert len(page.groups) == 1 or page.next is None or not looked_up, "a page is never cut short"
                keys += [line.key for line in page.groups]
                after = page.next
            found.append(keys)
        return found

    folded = asked(looked_up=False)
    level(database, app.reader.head())
    assert asked(looked_up=True) == folded == [["A", "B", "C"], ["C", "M"], ["A", "C", "M"], [], []]


def test_pages_lead_from_one_to_the_next(app: App, client: TestClient[Litestar], database: str) -> None:
    level(database, app.reader.head())

    seen: list[str] = []
    after: str | None = ""
    while after is not None:
        go_on = {"after": after} if after else {}
        page = get(client, limit=1, position=app.reader.head(), **go_on)
        seen += keys(page)
        after = page["next"]

    assert seen == ["A", "B", "M"]


@pytest.mark.parametrize(
    ("parameters", "field"),
    [
        ({"limit": 0}, "limit"),
        ({"limit": 201}, "limit"),
        ({"after": "a b"}, "after"),
        ({"category": "a b"}, "category"),
        ({"family": "nosuch"}, "family"),
        ({"position": 10_000}, "position"),
        ({"at": "yesterday"}, "at"),
    ],
)
def test_what_can_not_be_asked_is_refused_and_named(
    client: TestClient[Litestar], parameters: dict[str, Any], field: str
) -> None:
    answer = client.get(f"{API}/catalogue", params=parameters)

    assert (answer.status_code, answer.json()["field"]) == (422, field)


def test_without_the_timeline_installed_an_export_is_folded_and_a_page_is_refused(app: App) -> None:
    then = catalogue_at(app.pool, app.reader, Registry([toy()]), app.reader.head())

    assert not then.indexed and "not installed" in str(then.reason)
    with pytest.raises(Exception, match="not installed"):
        page_then(then, EMPTY)


def test_the_command_line_exports_and_shows_the_same_before_and_after_the_timeline_has_caught_up(
    app: App, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("daybook.app.installed", lambda: Registry([manifest, toy()]))
    daybook = Daybook({"DAYBOOK_POSTGRES": database})
    head = app.reader.head()
    slow = daybook("catalogue", "export", "--position", head)
    assert "takes longer" in slow.stderr and slow.code == 0
    shown = daybook("catalogue", "show", "--category", "sale", "--json")
    assert not shown.json["looked_up"] and shown.stderr == ""

    level(database, head)

    quick = daybook("catalogue", "export", "--position", head)
    assert "takes longer" not in quick.stderr
    assert quick.stdout == slow.stdout and len(quick.lines) == 9
    again = daybook("catalogue", "show", "--category", "sale", "--json")
    assert again.json == shown.json | {"looked_up": True}
    plain = daybook("catalogue", "show", "--limit", 1)
    assert "10.00 EUR" in plain.stdout and "more: --after A" in plain.stdout
    assert json.loads(daybook("channel", "list", "--json").stdout)[0]["name"] == "timeline"


def test_the_timeline_is_no_sales_channel(app: App) -> None:
    assert [one.name for one in app.registry.channels()] == ["toy"]
    with pytest.raises(Exception, match="timeline"):
        carry(app, DescribeProduct(sku="C", kind="product", channels={"timeline": True}))
