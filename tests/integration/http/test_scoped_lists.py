"""What is listed beside products (what they lack, their texts, what is planned) ends at the scope of who asks, too."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from litestar import Litestar
from litestar.testing import TestClient

from daybook.app import App
from daybook.authentication.current import CurrentAccess
from daybook.channel.registry import Registry
from daybook.commands import (
    ChangePrice,
    ConfigureChannel,
    DefineAttribute,
    DefineCategory,
    DelistProduct,
    DescribeProduct,
    ListProduct,
)
from daybook.commands.book import Command
from daybook.commands.schedules import PlanChange, PlannableChange
from daybook.config import Settings
from daybook.events import AccessScope, AttributeChange, AttributeDefined, CategoryDefined, ChannelConfigured
from daybook.log.pending import Context
from daybook_projections import completeness, deepl, timeline
from tests.fixtures.channels import toy
from tests.fixtures.examples import examples
from tests.fixtures.owner import client_of, state_of
from tests.fixtures.rebuilding import run_live
from tests.fixtures.toy_shop import second_toy

API = "/api/v1"
CHANNELS = {"toy": "de-DE", "shop": "fr-FR"}
"""Channel -> the locale in which its texts are wanted."""
PARENTS = {"all": None, "shoes": "all", "bags": None}
PRODUCTS: dict[str, tuple[str, tuple[str, ...]]] = {
    "SKU-ONE": ("shoes", ("toy",)),
    "SKU-TWO": ("shoes", ("shop",)),
    "SKU-SIX": ("bags", ("toy", "shop")),
    "SKU-TEN": ("bags", ()),
}
"""SKU -> its category, and where it is sold."""
DUE = datetime.now(UTC).replace(microsecond=0) + timedelta(days=30)


def planned(sku: str) -> dict[str, tuple[PlannableChange, str | None]]:
    """Schedule -> a change, and the channel that it is about."""
    return {
        f"sch-{sku}-price": (ChangePrice(sku=sku, amount="1.00", currency="EUR"), None),
        f"sch-{sku}-toy": (ListProduct(sku=sku, channel="toy"), "toy"),
        f"sch-{sku}-shop": (DelistProduct(sku=sku, channel="shop"), "shop"),
    }


PLANNED = {name: change for sku in PRODUCTS for name, change in planned(sku).items()}


@pytest.fixture
def app(database: str) -> Iterator[App]:
    registry = Registry([toy(), second_toy(), completeness.manifest, deepl.manifest, timeline.manifest])
    with App(Settings(data=Path("unused"), postgres=database), registry) as app:
        carry(app, DefineAttribute(attribute=AttributeDefined(code="name", type="text", localizable=True)))
        carry(app, ConfigureChannel(channel=ChannelConfigured(name="deepl", locales=("nl-NL",))))
        for channel, locale in CHANNELS.items():
            carry(app, ConfigureChannel(channel=ChannelConfigured(name=channel, locales=(locale,))))
        for code, parent in PARENTS.items():
            carry(app, DefineCategory(category=CategoryDefined(code=code, parent=parent)))
        for sku, (category, channels) in PRODUCTS.items():
            name = (AttributeChange(attribute="name", value="Rugzak", locale="nl-NL"),)
            sold = dict.fromkeys(channels, True)
            carry(app, DescribeProduct(sku=sku, kind="product", categories=(category,), channels=sold, attributes=name))
        for number, (schedule, (change, _)) in enumerate(PLANNED.items()):
            carry(app, PlanChange(schedule=schedule, due_at=DUE + timedelta(seconds=number), change=change))
        asyncio.run(run_live(database, completeness.manifest))
        yield app


@pytest.fixture
def client(app: App) -> Iterator[TestClient[Litestar]]:
    with client_of(app, raises=False) as client:
        yield client


def carry(app: App, command: Command) -> None:
    app.book.carry_out(command, Context.new("ann", "test"))


def become(app: App, role: str, *scopes: AccessScope) -> None:
    """From now on the client's key is of this role within these scopes, a grant for each."""
    app.access = CurrentAccess(app.reader, app.log, app.pool, state_of(role, scopes))


def inside(scopes: tuple[AccessScope, ...], sku: str, channel: str | None = None) -> bool:
    """Whether a product, or what is said of it and a channel, is inside, thought through once more."""
    category, sold = PRODUCTS[sku]
    above = {category, PARENTS[category]}
    about = set(sold) if channel is None else {channel}
    return any(
        (one.categories is None or bool(above & set(one.categories)))
        and (one.channels is None or bool(about & set(one.channels)))
        for one in scopes
    )


def walked(client: TestClient[Litestar], path: str, field: str, **more: Any) -> tuple[list[dict[str, Any]], str]:
    """The rows of a list from page to page, and all that it said."""
    found: list[dict[str, Any]] = []
    text, after = "", None
    while True:
        answer = client.get(f"{API}{path}", params={"limit": 1, **more, **({"after": after} if after else {})})
        assert answer.status_code == 200, answer.text
        text += answer.text
        found += answer.json()[field]
        after = answer.json()["next"]
        if after is None:
            return found, text


def named(*choices: str) -> st.SearchStrategy[tuple[str, ...] | None]:
    return st.none() | st.lists(st.sampled_from(choices), min_size=1, unique=True).map(tuple)


SCOPES = st.lists(
    st.builds(AccessScope, categories=named(*PARENTS), channels=named(*CHANNELS)), min_size=1, max_size=2
).map(tuple)


@examples(few=12, many=200)
@given(scopes=SCOPES)
def test_what_is_listed_is_exactly_what_is_inside_of_the_scope(
    app: App, client: TestClient[Litestar], scopes: tuple[AccessScope, ...]
) -> None:
    become(app, "reader", *scopes)
    sold = [(sku, name) for sku, (_, channels) in PRODUCTS.items() for name in channels if inside(scopes, sku, name)]

    lacking, said = walked(client, "/completeness", "products", all=True)
    assert sorted((one["sku"], one["channel"]) for one in lacking) == sorted(sold)
    texts, said_of_texts = walked(client, "/texts", "texts")
    wanted = sorted((sku, CHANNELS[channel]) for sku, channel in sold)
    assert sorted((one["sku"], one["locale"]) for one in texts) == wanted
    plans, said_of_plans = walked(client, "/schedules", "schedules")
    due = [name for name, (change, channel) in PLANNED.items() if inside(scopes, change.sku, channel)]
    assert [one["schedule"] for one in plans] == due

    for sku in PRODUCTS:
        if not any(inside(scopes, sku, channel) for channel in (None, *CHANNELS)):
            assert sku not in said + said_of_texts + said_of_plans, "not in a cursor either"
    for name in PLANNED:
        assert client.get(f"{API}/schedules/{name}").status_code == (200 if name in due else 404), name


def test_a_channel_outside_of_the_scope_that_is_named_is_refused_whether_there_is_one_or_not(
    app: App, client: TestClient[Litestar]
) -> None:
    become(app, "sales", AccessScope(channels=("toy",)))
    for path in ("/completeness?channel=", "/orders?channel=", "/catalogue?listed_on="):
        assert client.get(f"{API}{path}toy").status_code == 200, path
        for channel in ("shop", "nowhere"):
            refused = client.get(f"{API}{path}{channel}")
            assert (refused.status_code, refused.json()["code"]) == (403, "forbidden"), (path, channel)


def test_a_text_that_only_a_channel_outside_needs_is_outside_though_another_channel_has_its_locale(
    app: App, client: TestClient[Litestar]
) -> None:
    carry(app, ConfigureChannel(channel=ChannelConfigured(name="shop", locales=("de-DE",))))
    carry(app, DescribeProduct(sku="BAG", kind="model", channels={}))
    for sku, channel in (("BAG-1", "toy"), ("BAG-2", "shop")):
        name = (AttributeChange(attribute="name", value="Tas", locale="nl-NL"),)
        sold = {channel: True}
        carry(app, DescribeProduct(sku=sku, kind="variant", parent="BAG", channels=sold, attributes=name))
    asyncio.run(run_live(app.settings.require_postgres(), completeness.manifest))
    become(app, "reader", AccessScope(channels=("toy",)))
    assert [one["sku"] for one in walked(client, "/texts", "texts")[0]] == ["BAG-1", "SKU-ONE", "SKU-SIX"]


TRIED = (
    ("channel-owner", AccessScope(channels=("toy",)), "sch-SKU-SIX-toy", 200),
    ("channel-owner", AccessScope(channels=("toy",)), "sch-SKU-SIX-shop", 404),
    ("channel-owner", AccessScope(channels=("toy",)), "sch-SKU-TWO-price", 404),
    ("channel-owner", AccessScope(channels=("toy",)), "sch-SKU-SIX-price", 403),
    ("merchandiser", AccessScope(price_lists=("default",)), "sch-SKU-TWO-price", 200),
    ("merchandiser", AccessScope(price_lists=("retail",)), "sch-SKU-ONE-price", 404),
)


def test_what_is_planned_and_can_not_be_seen_is_not_there_for_who_would_change_it(
    app: App, client: TestClient[Litestar]
) -> None:
    for role, scope, schedule, status in TRIED:
        become(app, role, scope)
        for method, body in (("PATCH", {"effective_at": (DUE + timedelta(days=1)).isoformat()}), ("DELETE", None)):
            answer = client.request(method, f"{API}/schedules/{schedule}", json=body)
            assert answer.status_code == status, (method, role, schedule, answer.text)
            if status == 404:
                nobody = client.request(method, f"{API}/schedules/sch-none", json=body)
                assert nobody.status_code == 404
                assert answer.json()["detail"] == nobody.json()["detail"].replace("sch-none", schedule)


UNKNOWN = (
    ("/completeness", "channel", "nope", "there is no channel 'nope'; there are: deepl, shop, toy"),
    (
        "/completeness",
        "missing",
        "bogus",
        "no field or attribute 'bogus'; there are: gtin, name, picture, price, settings",
    ),
    ("/completeness", "missing", "name@", "must be an attribute, such as name or name@nl-NL"),
    ("/completeness", "family", "shoos", "there is no family 'shoos'"),
    ("/orders", "channel", "nope", "there is no channel 'nope'; there are: deepl, shop, toy"),
    ("/catalogue", "listed_on", "nope", "there is no channel 'nope'"),
    ("/catalogue", "family", "shoos", "there is no family 'shoos'"),
    ("/catalogue", "category", "shoos", "there is no category 'shoos'; there are: all, bags, shoes"),
)


def test_a_name_that_there_is_not_is_told_with_what_there_is(app: App, client: TestClient[Litestar]) -> None:
    for path, parameter, name, said in UNKNOWN:
        refused = client.get(f"{API}{path}", params={parameter: name})
        assert (refused.status_code, refused.json()["field"]) == (422, parameter), (path, parameter, refused.text)
        assert said in refused.json()["reason"], refused.text
    for field in ("price", "name", "name@de-DE"):
        assert client.get(f"{API}/completeness", params={"missing": field}).status_code == 200, field


def test_a_parameter_that_can_not_be_read_is_named_as_it_was_sent(client: TestClient[Litestar]) -> None:
    for path, parameter in (
        ("/completeness", "all"),
        ("/orders", "state"),
        ("/orders", "oversold"),
        ("/find", "limit"),
    ):
        refused = client.get(f"{API}{path}", params={parameter: "loud"})
        assert (refused.status_code, refused.json()["field"]) == (400, parameter), refused.text
        assert refused.json()["detail"].startswith(f"{parameter}: "), refused.text
