"""Adding and removing channels: the commands, over HTTP, at the command line, and what is left behind."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import pytest
from litestar import Litestar
from litestar.testing import TestClient

from daybook.app import App
from daybook.channel.connection import connection_of
from daybook.commands import (
    AddChannel,
    ConfigureChannel,
    CreateProduct,
    DelistProduct,
    DescribeProduct,
    ListProduct,
    RemoveChannel,
)
from daybook.commands.book import Command, CommandResult
from daybook.config import Settings
from daybook.errors import NotFound, Refused
from daybook.events import ChannelAdded, ChannelConfigured, ChannelRemoved, Event
from daybook.events.envelope import REFERENCE_KEY
from daybook.exporting.catalogue import export
from daybook.importing import records
from daybook.log.pending import Context, NewEvent
from daybook.queries import connections
from daybook_projections.webhook import manifest as webhook
from tests.fixtures.commandline import Daybook
from tests.fixtures.owner import client_of
from tests.fixtures.pipeline import Pipeline, until

API = "/api/v1"
URL = {"url": "https://crm.example/hook"}
CRM = AddChannel(name="crm", kind="webhook", settings=URL)


@pytest.fixture
def app(database: str) -> Iterator[App]:
    """With all that is installed."""
    with App(Settings(data=Path("unused"), postgres=database)) as app:
        yield app


def say(app: App, *commands: Command) -> CommandResult:
    done = [app.book.carry_out(one, Context.new("tester", "test")) for one in commands]
    return done[-1]


def of(app: App, stream: str) -> list[Event]:
    return [one.event for one in app.reader.of_stream(stream)]


def test_a_channel_is_added_with_its_kinds_defaults_in_one_command_and_once(app: App) -> None:
    added = [ChannelAdded(name="crm", kind="webhook", settings=URL), ChannelConfigured(name="crm")]
    assert say(app, CRM).changed and not say(app, CRM).changed
    assert of(app, "channel/crm") == added
    assert len({one.command_id for one in app.reader.of_stream("channel/crm")}) == 1
    assert app.registry.get("crm").name == "crm"
    say(app, CreateProduct(sku="A"), ListProduct(sku="A", channel="crm"))


def test_a_channel_that_was_configured_keeps_its_settings_when_it_is_added(app: App) -> None:
    mine = ChannelConfigured(name="crm", locales=("nl-NL",))
    say(app, ConfigureChannel(channel=mine), CRM)
    assert app.book.reference().channels["crm"] == mine


def test_other_settings_replace_the_former_and_another_kind_is_refused(app: App) -> None:
    other = msgspec.structs.replace(CRM, settings={"url": "https://other.example"})
    say(app, CRM, other)
    assert of(app, "channel/crm")[-1] == ChannelAdded(name="crm", kind="webhook", settings=other.settings)
    app.registry.refresh()
    assert app.registry.settings("crm") == other.settings
    for name, kind, error, why in (
        ("bol2", "bol", Refused, "only one bol"),
        ("timeline", "webhook", Refused, "installed projection"),
        ("erp", "fax", NotFound, "no kind of channel 'fax' is installed; installed are: amazon"),
    ):
        with pytest.raises(error, match=why):
            say(app, AddChannel(name=name, kind=kind))


def test_nothing_can_be_listed_on_a_channel_that_was_removed_until_it_is_back(app: App) -> None:
    say(app, CRM, CreateProduct(sku="A"), ListProduct(sku="A", channel="crm"))
    assert say(app, RemoveChannel(name="crm", reason="moved")).changed
    assert not say(app, RemoveChannel(name="crm")).changed
    assert of(app, "channel/crm")[-1] == ChannelRemoved(name="crm", reason="moved")
    assert "crm" not in app.book.reference().channels
    say(app, CreateProduct(sku="B"))
    for refused in (
        ListProduct(sku="B", channel="crm"),
        DescribeProduct(sku="B", kind="product", channels={"crm": True}),
    ):
        with pytest.raises(NotFound, match="'crm' was removed"):
            say(app, refused)
    with pytest.raises(Refused, match="`daybook channel add crm` brings it back"):
        say(app, ConfigureChannel(channel=ChannelConfigured(name="crm")))
    # What says nothing new of it, or takes a product off it, still holds.
    assert not say(app, DescribeProduct(sku="A", kind="product", channels={"crm": True})).changed
    assert say(app, DelistProduct(sku="A", channel="crm")).changed
    say(app, CRM, ListProduct(sku="A", channel="crm"))


def test_a_channel_that_never_was_can_not_be_removed(app: App) -> None:
    with pytest.raises(NotFound, match="there is no channel 'crm'; the channels are: amazon"):
        say(app, RemoveChannel(name="crm"))


def test_an_installed_channel_goes_and_comes_back_under_its_own_name(app: App) -> None:
    bol = AddChannel(name="bol", kind="bol")
    assert not say(app, bol).changed
    say(app, CreateProduct(sku="A"), RemoveChannel(name="bol"))
    app.registry.refresh()
    assert "bol" not in [one.name for one in app.registry.channels()]
    with pytest.raises(NotFound, match="'bol' was removed"):
        say(app, ListProduct(sku="A", channel="bol"))
    assert say(app, bol).changed
    assert app.registry.get("bol").name == "bol"
    say(app, ListProduct(sku="A", channel="bol"))


def test_an_export_leaves_out_what_was_removed_so_that_another_book_takes_it(app: App) -> None:
    say(app, CRM, CreateProduct(sku="A"), ListProduct(sku="A", channel="crm"), ListProduct(sku="A", channel="bol"))
    say(app, RemoveChannel(name="crm"))
    (product,) = [one for one in map(records.decode, export(app.reader)) if isinstance(one, DescribeProduct)]
    assert product.channels == {"bol": True}


def test_whoever_adds_a_channel_is_told_when_hardly_a_connection_is_left(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit = connections.read(app.pool).limit
    monkeypatch.setattr(connections, "FREE_MIN", limit)
    with client_of(app, raises=False) as client:
        answer = client.post(f"{API}/channels", json={"name": "crm", "kind": "webhook", "settings": URL})
    assert answer.status_code == 201
    assert f"gives {limit} connections" in answer.json()["warning"] and "max_connections" in answer.json()["warning"]


def test_over_http_a_channel_is_added_and_removed_and_the_answer_says_what_it_waits_for(app: App) -> None:
    with client_of(app, raises=False) as client:
        body = {"name": "crm", "kind": "webhook", "settings": URL}
        answer = client.post(f"{API}/channels", json=body, headers={"Idempotency-Key": "one"})
        assert (answer.status_code, answer.headers["location"]) == (201, f"{API}/channels/crm")
        assert (answer.json()["changed"], list(answer.json()["missing"])) == (True, ["secret"])
        assert answer.json()["warning"] is None
        assert "DAYBOOK_CHANNEL_CRM_SECRET" in answer.json()["missing"]["secret"]
        again = client.post(f"{API}/channels", json=body, headers={"Idempotency-Key": "one"})
        assert (again.headers["idempotent-replayed"], again.json()) == ("true", answer.json())
        client.put(
            f"{API}/products/A", json={"sku": "A", "kind": "product", "channels": {"crm": True}}
        ).raise_for_status()
        position = client.get(f"{API}/events?limit=1000").json()["next"]
        assert shown(client).json()["shown"]["A"]["stock"]

        assert client.get(f"{API}/definitions").json()["added"] == {"crm": body}
        gone = client.delete(f"{API}/channels/crm", headers={"X-Reason": "moved"})
        assert (gone.status_code, gone.json()["changed"]) == (200, True)
        assert client.get(f"{API}/definitions").json()["removed"] == {"crm": {"name": "crm", "reason": "moved"}}
        assert client.delete(f"{API}/channels/crm").json()["changed"] is False
        assert client.delete(f"{API}/channels/nobody").status_code == 404
        app.registry.refresh()
        assert shown(client).status_code == 404
        assert shown(client, f"?position={position}").json()["shown"]["A"]["stock"]


def shown(client: TestClient[Litestar], query: str = "") -> Any:
    return client.get(f"{API}/products/A/channels/crm{query}")


def test_over_http_a_credential_is_refused_and_not_sent_back(app: App) -> None:
    with client_of(app, raises=False) as client:
        body = {"name": "crm", "kind": "webhook", "settings": {"url": "https://a:s3cret@crm.example"}}
        answer = client.post(f"{API}/channels", json=body)
    assert (answer.status_code, answer.json()["field"]) == (422, "settings.url")
    assert "s3cret" not in answer.text


@pytest.mark.parametrize(
    ("name", "kind", "key"),
    [
        ("bol", "bol", "login_url"),
        ("bol", "bol", "url"),
        ("google", "google", "token_url"),
        ("shopify", "shopify", "url"),
        ("webshop", "webshop", "allow_http"),
        ("crm", "webhook", "allow_private"),
        ("crm", "webhook", "allow_http"),
        ("crm", "webhook", "proxy"),
    ],
)
def test_over_http_nobody_says_where_credentials_go_or_what_may_be_reached(
    app: App, name: str, kind: str, key: str
) -> None:
    before = app.reader.head()
    with client_of(app, raises=False) as client:
        body = {"name": name, "kind": kind, "settings": {key: "https://evil.example"}}
        answer = client.post(f"{API}/channels", json=body)
    assert (answer.status_code, answer.json()["field"]) == (422, f"settings.{key}")
    assert "where it is delivered" in answer.json()["reason"] or f"_{key.upper()}" in answer.json()["reason"]
    assert app.reader.head() == before


def test_an_address_that_an_older_book_recorded_is_not_followed(app: App) -> None:
    recorded = {"login_url": "https://evil.example", "url": "https://evil.example", "allow_http": "true"}
    for name, kind in (("bol", "bol"), ("crm", "webhook")):
        event = ChannelAdded(name=name, kind=kind, settings=recorded)
        context = Context.new("older", "http")
        app.log.append([NewEvent(f"channel/{name}", 1, event, key=REFERENCE_KEY)], context)
    app.registry.refresh()
    mine = {"url": "https://api.bol.com", "client_id": "x", "client_secret": "s3cret"}
    settings = Settings(data=Path("unused"), channels={"bol": mine})
    assert connection_of(app.registry, settings, app.registry.get("bol")) == mine
    assert connection_of(app.registry, settings, app.registry.get("crm")) == {"url": "https://evil.example"}


def test_a_long_lived_process_learns_of_a_channel_that_another_one_added(app: App, database: str) -> None:
    assert "crm" not in [one.name for one in app.registry.channels()]
    with App(Settings(data=Path("unused"), postgres=database)) as other:
        say(other, CRM)
    asyncio.run(until(lambda: "crm" in [one.name for one in app.registry.channels()], "crm is known", timeout=2.0))


def test_at_the_command_line_a_channel_is_added_with_what_to_do_next(database: str, tmp_path: Path) -> None:
    daybook = Daybook({"DAYBOOK_POSTGRES": database, "DAYBOOK_CHANNELS": str(tmp_path)})
    plain = daybook("channel", "add", "crm", "--kind", "webhook", "--set", "url=https://crm.example/hook?list=1")
    assert plain.code == 0, plain.stderr
    assert f"`secret` in {tmp_path / 'crm.toml'}" in plain.stdout
    assert "`daybook product list SKU crm`" in plain.stdout

    (tmp_path / "crm.toml").touch(mode=0o600)
    (tmp_path / "crm.toml").write_text('secret = "whsec_s3cret"')
    again = daybook.json("channel", "add", "crm", "--kind", "webhook", "--set", "url=https://crm.example/hook?list=1")
    assert (again["changed"], again["missing"]) == (False, {})
    daybook.json("product", "create", "A")
    daybook.json("product", "list", "A", "crm")
    assert daybook.json("product", "show", "A", "--channel", "crm")["shown"]["A"]
    assert "s3cret" not in daybook("config").stdout

    gone = daybook("channel", "remove", "crm", "--reason", "moved")
    assert "what crm shows stays there, and its history stays here" in gone.stdout
    daybook.refuses(4, "not_found", "product", "list", "A", "crm")
    assert daybook.json("product", "show", "A", "--channel", "crm", "--position", 4)["shown"]["A"]

    back = daybook.json("channel", "add", "crm", "--command-id", "back")
    assert (back["changed"], back["missing"], back["stream"]) == (True, {}, "channel/crm")
    assert daybook.json("channel", "add", "crm", "--command-id", "back")["repeated"] is True
    with App(Settings(data=Path("unused"), postgres=database)) as app:
        assert of(app, "channel/crm")[-2] == ChannelAdded(
            name="crm", kind="webhook", settings={"url": "https://crm.example/hook?list=1"}
        )


@pytest.mark.parametrize("words", [["url"], ["=x"], ["url=a", "url=b"], ["secret=s3cret"]])
def test_at_the_command_line_malformed_settings_and_credentials_are_refused(database: str, words: list[str]) -> None:
    daybook = Daybook({"DAYBOOK_POSTGRES": database})
    given = [part for word in words for part in ("--set", word)]
    problem = daybook.refuses(3, "invalid_value", "channel", "add", "crm", "--kind", "webhook", *given)
    assert "s3cret" not in str(problem)


async def test_a_prune_of_a_channel_that_was_removed_drops_its_listings_and_added_again_it_begins_anew(
    database: str, nats_url: str
) -> None:
    daybook = Daybook({"DAYBOOK_POSTGRES": database})

    async with Pipeline(database, nats_url, webhook) as pipeline:
        await pipeline.carry_out(CRM, CreateProduct(sku="A"), ListProduct(sku="A", channel="crm"))
        crm = pipeline.app.registry.get("crm")
        work = pipeline.runner(crm)
        await until(lambda: listed(database) == 3, "crm has listings")
        await pipeline.carry_out(RemoveChannel(name="crm"))
        problem = await asyncio.to_thread(daybook.refuses, 5, "refused", "channel", "prune", "crm")
        assert "still at work" in problem["message"]
        await pipeline.end(work)
        assert listed(database) == 3
        assert await asyncio.to_thread(daybook.json, "channel", "prune", "crm") == {"dropped": [1]}
        assert listed(database) == 0
        await pipeline.carry_out(CRM)
        pipeline.runner(crm)
        await until(lambda: listed(database) == 3, "crm has listings again")


def listed(database: str) -> int:
    """Facets that crm lists."""
    with psycopg.connect(database) as conn:
        row = conn.execute("SELECT to_regclass('listings_crm_1') IS NOT NULL").fetchone()
        if row is None or not row[0]:
            return 0
        found = conn.execute("SELECT count(*) FROM listings_crm_1").fetchone()
    assert found is not None
    return int(found[0])
