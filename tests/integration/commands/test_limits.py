"""A limit on everything that a person can send: what is beyond it is refused whole, and in words."""

import time
from collections.abc import Iterator

import pytest
from babel.localedata import locale_identifiers

from daybook import commands as c
from daybook import events as e
from daybook import limits
from daybook.channel.registry import Kind
from daybook.commands.access import AddUser, GrantAccess, MakeKey
from daybook.commands.book import Command
from daybook.commands.describe import MediaItem, Price
from daybook.errors import InvalidValue
from daybook.limits import Limit
from daybook.log.pending import Context
from tests.fixtures.harness import MUG, Harness, harness_on, value
from tests.fixtures.logs import context
from tests.fixtures.ordering import placing

LOCALES = sorted(one.replace("_", "-") for one in locale_identifiers() if "POSIX" not in one)
CURRENCIES = ("EUR", "USD", "GBP")


def attribute(code: str = "finish", **more: object) -> c.DefineAttribute:
    return c.DefineAttribute(attribute=e.AttributeDefined(code=code, type="select", **more))  # type: ignore[arg-type]


def channel(**more: object) -> c.ConfigureChannel:
    return c.ConfigureChannel(channel=e.ChannelConfigured(name="east", **more))  # type: ignore[arg-type]


def family(**more: object) -> c.DefineFamily:
    return c.DefineFamily(family=e.FamilyDefined(code="cups", **more))  # type: ignore[arg-type]


def media(number: int, url: str = "https://example.com/1.jpg") -> e.MediaAdded:
    return e.MediaAdded(media_id=f"m{number}", url=url)


def prices(amount: int) -> tuple[Price, ...]:
    return tuple(Price(amount="1", currency=CURRENCIES[n % 3], price_list=f"list-{n // 3}") for n in range(amount))


def labels(amount: int) -> dict[str, str]:
    return dict.fromkeys(LOCALES[:amount], "x")


def user(login: str) -> AddUser:
    return AddUser(user=f"usr_{login}", login=login)


def grant(login: str, number: int, **scope: tuple[str, ...]) -> GrantAccess:
    return GrantAccess(user=login, grant=f"gr_{number}", role="reader", scope=e.AccessScope(**scope))


BEYOND: dict[str, Command] = {
    "SKU": c.CreateProduct(sku="A" * 65),
    "GTIN": c.AssignGtin(sku="MUG", gtin="1" * 51),
    "TEXT": c.SetAttributes(sku="MUG", changes=(value("x" * 100_001),)),
    "OPTION_CODE": attribute(options=(e.AttributeOption("x" * 1001),)),
    "LABEL": attribute(labels={"nl-NL": "x" * 1001}),
    "PATTERN": attribute(pattern="x" * 1001),
    "ADDRESS": c.AddMedia(sku="MUG", media=media(1, "https://example.com/" + "x" * 2000)),
    "SETTING": c.AddChannel(name="crm", kind="toy", settings={"url": "x" * 2001}),
    "REASON": c.RemoveChannel(name="shop", reason="x" * 1001),
    "VALUES": c.DescribeProduct(sku="MUG", family="mugs", attributes=(value("x"),) * 10_001),
    "CHOICES": c.SetAttributes(sku="MUG", changes=(e.AttributeChange(attribute="tags", value=["a"] * 1001),)),
    "PRICES": c.DescribeProduct(sku="MUG", family="mugs", prices=prices(2001)),
    "PRODUCT_CATEGORIES": c.CategoriseProduct(sku="MUG", categories=("cups",) * 1001),
    "MEDIA": c.DescribeProduct(sku="MUG", family="mugs", media=tuple(MediaItem.of(media(n)) for n in range(1001))),
    "LOCATIONS": c.DescribeProduct(sku="MUG", family="mugs", stock={f"store-{n}": n for n in range(2001)}),
    "AXES": c.CreateProduct(sku="B", kind="model", axes=tuple(f"a{n}" for n in range(11))),
    "OPTIONS": attribute(options=tuple(e.AttributeOption(f"o{n}") for n in range(50_001))),
    "FAMILY_ATTRIBUTES": family(attributes=("name",) * 2001),
    "SCOPES": family(required={f"scope-{n}": ("name",) for n in range(101)}),
    "LABELS": attribute(labels=labels(201)),
    "CHANNEL_LOCALES": channel(locales=("nl-NL",) * 51),
    "SETTINGS": c.AddChannel(name="crm", kind="toy", settings={f"key_{n}": "x" for n in range(51)}),
    "EXTRA": channel(extra={"map": "x" * 256_000}),
    "KEY_LABEL": MakeKey(user="erp", key="dbk_1", hash="00", label="x" * 201, first=user("erp")),
    "ORDER_NUMBER": placing("1" * 65, ("MUG", 1)),
    "ORDER_LINES": placing("1", *[("MUG", 1)] * 1001),
    "LINE_NAME": c.PlaceOrder(
        channel="shop",
        number="1",
        currency="EUR",
        lines=(c.OrderedLine(sku="MUG", quantity=1, price="1", line="x" * 65),),
    ),
    "ORDER_TEXT": c.ShipOrder(order="shop:1", parcel="x" * 201),
    "SCOPE_NAMES": grant("ann", 2, categories=tuple(f"c{n}" for n in range(1001))),
}
"""Limit -> a command that is beyond it, on the harness's own catalogue."""

SHIP = c.ShipOrder(order="shop:1", parcel="P")
PAY = c.PayOrder(order="shop:1", amount="1", currency="EUR")
WITH_LESS: dict[str, tuple[Limit, list[Command], Command]] = {
    "VARIANTS": (
        Limit("products in one group", 2, "Make several"),
        [c.CreateProduct(sku="M", kind="model"), c.CreateProduct(sku="M-1", parent="M")],
        c.CreateProduct(sku="M-2", parent="M"),
    ),
    "LEVELS": (
        Limit("levels", 1, "Make it flatter"),
        [c.CreateProduct(sku="M", kind="model"), c.CreateProduct(sku="N", kind="model", parent="M")],
        c.DescribeProduct(sku="N-1", kind="variant", parent="N"),
    ),
    "ATTRIBUTES": (Limit("attributes", 2, "Use one"), [], attribute()),
    "FAMILIES": (Limit("families", 1, "Use one"), [], family()),
    "CATEGORIES": (Limit("categories", 2, "Use one"), [], c.DefineCategory(category=e.CategoryDefined(code="new"))),
    "DEPTH": (
        Limit("levels", 2, "Make it flatter"),
        [],
        c.DefineCategory(category=e.CategoryDefined(code="deep", parent="cups")),
    ),
    "CHANNELS": (Limit("channels", 0, "Remove some"), [], channel()),
    "USERS": (Limit("users", 1, "Use one"), [user("ann")], user("bob")),
    "GRANTS": (Limit("grants", 1, "Use one"), [user("ann"), grant("ann", 1)], grant("ann", 2, channels=("bol",))),
    "PARCELS": (Limit("parcels", 0, "Tell less"), [placing("1", ("MUG", 1), already_sold=True)], SHIP),
    "PAYMENTS": (Limit("payments", 0, "Tell less"), [placing("1", ("MUG", 1), already_sold=True)], PAY),
    "KEYS": (Limit("keys", 0, "Revoke some"), [user("ann")], MakeKey(user="ann", key="dbk_1", hash="00")),
}
"""Limit -> a smaller one, what makes it full, and a command that is beyond it."""

PEOPLE = {"PERSON_NAME", "PERSON_MAIL", "PERSON_PHONE", "ADDRESS_LINES", "ADDRESS_LINE", "PEOPLE"}
"""Of what is known of people: see tests/unit/people."""
ELSEWHERE = {
    "IDENTITIES",
    "UNDONE_BY_REQUEST",
    "UNDONE",
    "SUBJECT",
    "ISSUER",
    "NAME",
    "FILTER",
    "BODY",
    "HEARD",
    "NAMED",
    "PAGE",
    "PARAMETER",
    "ROWS",
}
"""Limits of requests and of who sends them, not of a command."""


@pytest.fixture
def desk(database: str) -> Iterator[Harness]:
    with harness_on(database) as made:
        tags = e.AttributeDefined(code="tags", type="multiselect")
        made.do(MUG, c.DefineAttribute(attribute=tags))
        yield made


def refused(desk: Harness, command: Command, limit: Limit) -> InvalidValue:
    before = desk.reader.head()
    with pytest.raises(InvalidValue) as caught:
        desk.book.carry_out(command, context())
    assert desk.reader.head() == before
    error = caught.value
    assert error.details["limit"] == limit.most
    assert int(str(error.details["given"])) > limit.most
    assert f"{limit.most:,}" in error.message
    assert f"{error.details['given']:,}" in error.message
    assert limit.instead in error.message
    return error


@pytest.mark.parametrize("name", BEYOND)
def test_what_is_beyond_a_limit_is_refused_with_the_limit_what_was_given_and_what_to_do(
    desk: Harness, name: str
) -> None:
    desk.book._kinds = {"toy": Kind(lambda name: e.ChannelConfigured(name=name), ())}
    desk.do(user("ann"))
    refused(desk, BEYOND[name], getattr(limits, name))


@pytest.mark.parametrize("name", WITH_LESS)
def test_what_would_be_one_too_many_is_refused(desk: Harness, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    less, before, beyond = WITH_LESS[name]
    desk.do(*before)
    monkeypatch.setattr(limits, name, less)
    refused(desk, beyond, less)


ELSEWHERE |= {"FIND_WORDS", "FIND_TERMS", "FOUND_COUNTED"}
ELSEWHERE |= {"EDITED", "EDITED_BY_REQUEST", "EDIT_SETTINGS", "CELL"}
ELSEWHERE |= {"INBOX_MESSAGE"}
ELSEWHERE |= {"IDENTITIES", "UNDONE_BY_REQUEST", "UNDONE", "SUBJECT", "ISSUER"}


def test_every_limit_has_its_command() -> None:
    there = {name for name, one in vars(limits).items() if isinstance(one, Limit)}
    assert there == BEYOND.keys() | WITH_LESS.keys() | ELSEWHERE | PEOPLE


@pytest.mark.parametrize("field", ["actor", "source", "command_id", "correlation_id", "causation_id"])
def test_who_sends_a_command_has_a_name_within_the_limit(field: str) -> None:
    given = {"actor": "anna", "source": "cli"} | {field: "x" * 201}
    with pytest.raises(InvalidValue, match=f"^{field}: .* has 201 characters; at most 200 are taken"):
        Context.new(**given)
    with pytest.raises(InvalidValue, match=r"^reason: .* at most 1,000"):
        Context.new("anna", "cli", reason="x" * 1001)


def test_sixty_thousand_locations_are_refused_at_once(desk: Harness) -> None:
    began = time.perf_counter()
    many = c.DescribeProduct(sku="MUG", family="mugs", stock={f"store-{n}": n for n in range(60_000)})
    error = refused(desk, many, limits.LOCATIONS)
    assert error.message.startswith("stock: 60,000 stock locations of a product; at most 2,000 are taken")
    assert time.perf_counter() - began < 5


@pytest.mark.parametrize(
    "command",
    [
        c.CountStock(sku="MUG", quantity=1, location="new"),
        c.ReceiveStock(sku="MUG", quantity=1, location="new"),
        c.AdjustStock(sku="MUG", delta=1, location="new"),
        c.DescribeProduct(sku="MUG", family="mugs", stock={"new": 1}),
        c.ChangePrice(sku="MUG", amount="1", currency="USD"),
        c.AddMedia(sku="MUG", media=media(9)),
        c.SetAttributes(sku="MUG", changes=(value("Becher", "de-DE"),)),
    ],
    ids=lambda command: type(command).__name__,
)
def test_what_lies_above_a_limit_already_may_change_but_not_grow(
    desk: Harness, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = c.DescribeProduct(
        sku="MUG",
        family="mugs",
        stock={"a": 1, "b": 1},
        prices=prices(2),
        media=(MediaItem.of(media(1)), MediaItem.of(media(2))),
        attributes=(value("Mok"), value("Mug", "en-GB")),
    )
    desk.do(full)
    for name in ("LOCATIONS", "PRICES", "MEDIA", "VALUES"):
        monkeypatch.setattr(limits, name, Limit(name, 1, "No more"))
    with pytest.raises(InvalidValue, match=r"at most 1 are taken\. No more"):
        desk.do(command)
    desk.do(
        c.CountStock(sku="MUG", quantity=5, location="a"),
        c.ChangePrice(sku="MUG", amount="9", currency="EUR", price_list="list-0"),
        c.AddMedia(sku="MUG", media=media(1, "https://example.com/2.jpg")),
        c.SetAttributes(sku="MUG", changes=(value("Beker"),)),
        c.SetAttributes(sku="MUG", changes=(value(None),)),
    )


def test_values_too_long_for_one_event_are_kept_in_several(desk: Harness) -> None:
    texts = tuple(value("x" * 90_000, locale) for locale in LOCALES[:12])
    before = desk.reader.head()
    desk.do(c.SetAttributes(sku="MUG", changes=texts))
    events = desk.since(before)
    assert [len(one.changes) for one in events if isinstance(one, e.AttributesChanged)] == [4, 4, 4]
    assert desk.reader.last(1)[0].command_id == desk.reader.after(before)[0].command_id
