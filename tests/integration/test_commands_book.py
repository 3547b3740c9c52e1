"""Commands through the book on a real log: what each records, what it refuses, and what a retry or a rival changes."""

from collections.abc import Iterator, Sequence

import msgspec
import pytest

from daybook import commands as c
from daybook import events as e
from daybook.commands.book import Book, Decides, Done, intent_of
from daybook.errors import CommandIdReused, DaybookError, InvalidValue, NotFound, Refused, VersionConflict
from daybook.log.application import Log
from daybook.log.pending import Context
from daybook.log.reader import Reader
from daybook.stock.state import Stock, evolve
from daybook.values import Money
from tests.fixtures.logs import at_once, context, opened
from tests.fixtures.waiting import until

CHANNELS = frozenset({"shop"})
PICTURE = e.MediaAdded(media_id="front", url="https://cdn.example/front.jpg")
NAME = e.AttributeDefined(code="name", type="text", localizable=True)
VOCABULARY: list[Decides] = [
    c.DefineAttribute(attribute=NAME),
    c.DefineFamily(family=e.FamilyDefined(code="mugs", attributes=("name",))),
    c.DefineCategory(category=e.CategoryDefined(code="kitchen")),
    c.DefineCategory(category=e.CategoryDefined(code="cups", parent="kitchen")),
]
MUG = c.CreateProduct(sku="MUG", family="mugs")


class Desk:
    """A book with its log and reader."""

    def __init__(self, log: Log, reader: Reader) -> None:
        self.log = log
        self.reader = reader
        self.news = 0
        self.book = Book(log, reader, CHANNELS, self._appended)

    def _appended(self) -> None:
        self.news += 1

    def do(self, *commands: Decides) -> list[Done]:
        """Carries the commands out, one after the other."""
        return [self.book.carry_out(command, context()) for command in commands]

    def since(self, position: int) -> list[e.Event]:
        """The events after a position."""
        return [one.event for one in self.reader.after(position)]


@pytest.fixture
def desk(database: str) -> Iterator[Desk]:
    """A book that knows a few words: attribute name, family mugs, categories kitchen and cups, channel shop."""
    with opened(database, 16) as (log, reader):
        made = Desk(log, reader)
        made.do(*VOCABULARY)
        made.news = 0
        yield made


def value(text: str | None, locale: str = "nl-NL") -> e.AttributeChange:
    """The name in a language."""
    return e.AttributeChange(attribute="name", value=text, locale=locale)


CASES: list[tuple[Sequence[Decides], Decides, Sequence[e.Event], str]] = [
    ([], MUG, [e.ProductCreated(sku="MUG", key="MUG", family="mugs")], "product/MUG"),
    (
        [c.CreateProduct(sku="M", kind="model", axes=("size",))],
        c.CreateProduct(sku="V", parent="M"),
        [e.ProductCreated(sku="V", key="M", kind="variant", parent="M")],
        "product/V",
    ),
    (
        [MUG],
        c.SetAttributes(sku="MUG", changes=(value("Mok", "nl_nl"),)),
        [e.AttributesChanged((value("Mok"),))],
        "product/MUG",
    ),
    ([MUG], c.AssignGtin(sku="MUG", gtin="4006381333931"), [e.GtinAssigned("4006381333931")], "product/MUG"),
    (
        [MUG],
        c.ChangePrice(sku="MUG", amount="19.9", currency="EUR"),
        [e.PriceChanged("default", Money(1990, "EUR"))],
        "product/MUG",
    ),
    (
        [MUG, c.ChangePrice(sku="MUG", amount="5", currency="EUR")],
        c.RemovePrice(sku="MUG", currency="EUR"),
        [e.PriceRemoved("default", "EUR")],
        "product/MUG",
    ),
    ([MUG], c.CategoriseProduct(sku="MUG", categories=("cups",)), [e.ProductCategorised(("cups",))], "product/MUG"),
    ([MUG], c.AddMedia(sku="MUG", media=PICTURE), [PICTURE], "product/MUG"),
    (
        [MUG, c.AddMedia(sku="MUG", media=PICTURE)],
        c.RemoveMedia(sku="MUG", media_id="front"),
        [e.MediaRemoved("front")],
        "product/MUG",
    ),
    ([MUG], c.ListProduct(sku="MUG", channel="shop"), [e.ProductListed("shop")], "product/MUG"),
    (
        [MUG, c.ListProduct(sku="MUG", channel="shop")],
        c.DelistProduct(sku="MUG", channel="shop"),
        [e.ProductDelisted("shop")],
        "product/MUG",
    ),
    ([MUG], c.DiscontinueProduct(sku="MUG"), [e.ProductDiscontinued()], "product/MUG"),
    ([MUG, c.DiscontinueProduct(sku="MUG")], c.ReinstateProduct(sku="MUG"), [e.ProductReinstated()], "product/MUG"),
    ([MUG], c.CountStock(sku="MUG", quantity=3), [e.StockCounted("main", 3)], "stock/MUG"),
    (
        [],
        c.DefineAttribute(attribute=e.AttributeDefined(code="colour", type="select", labels={"nl_nl": "kleur"})),
        [e.AttributeDefined(code="colour", type="select", labels={"nl-NL": "kleur"})],
        "attribute/colour",
    ),
    (
        [],
        c.DefineFamily(family=e.FamilyDefined(code="cups", attributes=("name",), required={"web": ("name",)})),
        [e.FamilyDefined(code="cups", attributes=("name",), required={"web": ("name",)})],
        "family/cups",
    ),
    (
        [],
        c.DefineCategory(category=e.CategoryDefined(code="large", parent="cups")),
        [e.CategoryDefined(code="large", parent="cups")],
        "category/large",
    ),
    (
        [],
        c.ConfigureChannel(channel=e.ChannelConfigured(name="east", locales=("nl_BE", "en-gb"), currency="USD")),
        [e.ChannelConfigured(name="east", locales=("nl-BE", "en-GB"), currency="USD")],
        "channel/east",
    ),
]


@pytest.mark.parametrize(("before", "command", "after", "stream"), CASES, ids=lambda case: type(case).__name__)
def test_a_command_records_its_events_once_and_says_where(
    desk: Desk, before: Sequence[Decides], command: Decides, after: Sequence[e.Event], stream: str
) -> None:
    desk.do(*before)
    head, news = desk.reader.head(), desk.news

    (done,) = desk.do(command)

    assert desk.since(head) == list(after)
    assert (done.first, done.last, done.changed, done.repeated) == (head + 1, head + len(after), True, False)
    last = desk.reader.after(head)[-1]
    assert (last.stream, last.version, last.recorded_at) == (stream, done.version, done.recorded_at)
    assert desk.news == news + 1
    if not isinstance(command, c.CreateProduct):
        (again,) = desk.do(command)
        assert (again.first, again.last, again.changed, again.version) == (None, None, False, done.version)


def test_stock_that_arrives_or_changes_adds_up_each_time(desk: Desk) -> None:
    desk.do(MUG)
    head = desk.reader.head()
    desk.do(
        c.ReceiveStock(sku="MUG", quantity=5), c.ReceiveStock(sku="MUG", quantity=5), c.AdjustStock(sku="MUG", delta=-3)
    )

    assert desk.since(head) == [e.StockReceived("main", 5), e.StockReceived("main", 5), e.StockAdjusted("main", -3)]
    assert desk.log.load("stock/MUG", evolve) == (Stock({"main": 7}), 3)


def test_the_columns_say_who_why_where_from_and_whose(desk: Desk) -> None:
    desk.do(c.CreateProduct(sku="M", kind="model"), c.CreateProduct(sku="V", parent="M"))
    command = c.CountStock(sku="V", quantity=3, location="store")
    asked = Context.new("ada", "http", reason="delivery", command_id="c-1", correlation_id="po-7", causation_id="asn-9")

    done = desk.book.carry_out(command, asked, repeatable=True)

    (one,) = desk.reader.after((done.first or 0) - 1)
    assert (one.actor, one.source, one.reason) == ("ada", "http", "delivery")
    assert (one.correlation_id, one.causation_id, one.command_id) == ("po-7", "asn-9", "c-1")
    assert (one.stream, one.sku, one.key, one.type) == ("stock/V", "V", "M", "stock.counted.v1")
    assert done.command_id == "c-1"
    (definition,) = [one for one in desk.reader.after(0) if one.stream == "attribute/name"]
    assert (definition.sku, definition.key) == (None, "@reference")


REFUSED: list[tuple[Decides, type[DaybookError], str]] = [
    (c.CreateProduct(sku="CUP", family="cars"), NotFound, "no family 'cars'"),
    (c.CreateProduct(sku="V", parent="M"), NotFound, "parent M of V does not exist"),
    (c.CreateProduct(sku="V", kind="variant"), InvalidValue, "needs a parent"),
    (c.CreateProduct(sku="V", parent="MUG"), Refused, "is no model"),
    (MUG, Refused, "MUG exists already"),
    (c.CreateProduct(sku="a/b"), InvalidValue, "^sku: "),
    (c.CreateProduct(sku="V", parent="a/b"), InvalidValue, "^parent: "),
    (c.ChangePrice(sku="CUP", amount="1", currency="EUR"), NotFound, "no product CUP"),
    (c.ChangePrice(sku="MUG", amount="1.999", currency="EUR"), InvalidValue, "more decimals"),
    (c.ChangePrice(sku="MUG", amount="1", currency="eur"), InvalidValue, "currency"),
    (c.ChangePrice(sku="MUG", amount="1", currency="EUR", price_list="a b"), InvalidValue, "^price_list"),
    (c.RemovePrice(sku="MUG", currency="euro"), InvalidValue, "currency"),
    (
        c.SetAttributes(sku="MUG", changes=(e.AttributeChange(attribute="colour", value="red"),)),
        NotFound,
        "no attribute 'colour'",
    ),
    (c.SetAttributes(sku="MUG", changes=(value("Mok"), value("Mug", "xx"))), InvalidValue, "locale"),
    (c.CategoriseProduct(sku="MUG", categories=("cups", "cars")), NotFound, "no category 'cars'"),
    (c.ListProduct(sku="MUG", channel="east"), NotFound, "no channel 'east'; the channels are: shop"),
    (c.DelistProduct(sku="MUG", channel="east"), NotFound, "no channel 'east'"),
    (c.ListProduct(sku="GONE", channel="shop"), Refused, "reinstate it"),
    (c.AssignGtin(sku="MUG", gtin=""), InvalidValue, "^gtin: "),
    (c.AssignGtin(sku="MUG", gtin="x" * 51), InvalidValue, "^gtin: "),
    (c.AddMedia(sku="MUG", media=e.MediaAdded(media_id="", url="u")), InvalidValue, "media_id"),
    (c.AddMedia(sku="MUG", media=e.MediaAdded(media_id="a", url="u" * 2001)), InvalidValue, "media.url"),
    (c.AddMedia(sku="MUG", media=e.MediaAdded(media_id="a", url="u", role="a b")), InvalidValue, "media.role"),
    (c.AddMedia(sku="MUG", media=e.MediaAdded(media_id="a", url="u", channel="#")), InvalidValue, "channel"),
    (c.CountStock(sku="MUG", quantity=-1), InvalidValue, "^quantity: "),
    (c.CountStock(sku="MUG", quantity=1, location="a b"), InvalidValue, "^location: "),
    (c.ReceiveStock(sku="MUG", quantity=0), InvalidValue, "^quantity: "),
    (c.CountStock(sku="CUP", quantity=1), NotFound, "no product CUP"),
    (c.AdjustStock(sku="CUP", delta=1), NotFound, "no product CUP"),
    (c.CountStock(sku="nul\x00", quantity=1), InvalidValue, "^sku: "),
    (c.ReceiveStock(sku="a/b", quantity=1), InvalidValue, "^sku: "),
    (c.DefineAttribute(attribute=e.AttributeDefined(code="a b", type="text")), InvalidValue, "^attribute.code"),
    (
        c.DefineAttribute(attribute=e.AttributeDefined(code="a", type="text", pattern="(")),
        InvalidValue,
        "no regular expression",
    ),
    (
        c.DefineAttribute(attribute=e.AttributeDefined(code="a", type="number", minimum="low")),
        InvalidValue,
        "attribute.minimum: must be a decimal number",
    ),
    (
        c.DefineAttribute(attribute=e.AttributeDefined(code="a", type="text", labels={"xx": "a"})),
        InvalidValue,
        "^labels: ",
    ),
    (c.DefineFamily(family=e.FamilyDefined(code="f", attributes=("colour",))), NotFound, "no attribute 'colour'"),
    (c.DefineFamily(family=e.FamilyDefined(code="f", required={"w": ("x",)})), NotFound, "no attribute 'x'"),
    (c.DefineCategory(category=e.CategoryDefined(code="a", parent="b")), NotFound, "no category 'b'"),
    (
        c.DefineCategory(category=e.CategoryDefined(code="kitchen", parent="cups")),
        InvalidValue,
        "cups lies below kitchen",
    ),
    (c.DefineCategory(category=e.CategoryDefined(code="x", parent="x")), NotFound, "no category 'x'"),
    (c.ConfigureChannel(channel=e.ChannelConfigured(name="a b")), InvalidValue, "^channel.code"),
    (c.ConfigureChannel(channel=e.ChannelConfigured(name="a", currency="euro")), InvalidValue, "currency"),
    (c.ConfigureChannel(channel=e.ChannelConfigured(name="a", locales=("xx",))), InvalidValue, "channel.locales"),
]


def test_what_is_refused_names_its_reason_and_records_nothing(desk: Desk) -> None:
    # One database for all of them: a refusal leaves nothing behind that could disturb the next.
    desk.do(MUG, c.CreateProduct(sku="GONE"), c.DiscontinueProduct(sku="GONE"))
    head, news = desk.reader.head(), desk.news
    for command, error, match in REFUSED:
        with pytest.raises(error, match=match):
            desk.do(command)
        assert (desk.reader.head(), desk.news) == (head, news), command


def test_an_expected_version_that_holds_is_carried_out_and_another_is_a_conflict(desk: Desk) -> None:
    desk.do(MUG)
    price = c.ChangePrice(sku="MUG", amount="5", currency="EUR")

    done = desk.book.carry_out(price, context(), expected_version=1)
    assert done.version == 2
    for version in (0, 1, 3):
        with pytest.raises(VersionConflict, match=f"product/MUG is at version 2, not {version}") as caught:
            desk.book.carry_out(
                c.ChangePrice(sku="MUG", amount="6", currency="EUR"), context(), expected_version=version
            )
        assert caught.value.details == {"expected": version, "actual": 2}


def test_of_eight_rivals_with_the_same_expected_version_one_wins(desk: Desk) -> None:
    desk.do(MUG)

    def attempt(number: int) -> bool:
        command = c.ChangePrice(sku="MUG", amount=str(number + 1), currency="EUR")
        try:
            desk.book.carry_out(command, context(), expected_version=1)
        except VersionConflict:
            return False
        return True

    assert sum(at_once(8, attempt)) == 1
    assert desk.reader.of_stream("product/MUG")[-1].version == 2


def test_eight_threads_of_two_processes_adjusting_one_stock_add_up(desk: Desk, database: str) -> None:
    desk.do(MUG, c.CountStock(sku="MUG", quantity=100))
    with opened(database) as (log, reader):
        books = [desk.book, Book(log, reader, CHANNELS)]

        def sell(number: int) -> None:
            for _ in range(10):
                books[number % 2].carry_out(c.AdjustStock(sku="MUG", delta=-1), context())

        at_once(8, sell)

        assert log.load("stock/MUG", evolve) == (Stock({"main": 20}), 81)


def test_definitions_of_another_process_are_seen_by_the_next_command(desk: Desk, database: str) -> None:
    desk.do(MUG)
    with opened(database) as (log, reader):
        other = Book(log, reader, CHANNELS)
        assert set(other.reference().attributes) == {"name"}
        change = c.SetAttributes(sku="MUG", changes=(e.AttributeChange(attribute="colour", value="red"),))
        with pytest.raises(NotFound, match="colour"):
            other.carry_out(change, context())

        desk.do(c.DefineAttribute(attribute=e.AttributeDefined(code="colour", type="text")))
        assert other.carry_out(change, context()).changed


def test_a_rule_that_another_process_tightens_holds_here_within_seconds(desk: Desk, database: str) -> None:
    with opened(database) as (log, reader):
        other = Book(log, reader, CHANNELS)
        other.carry_out(MUG, context())
        desk.do(c.DefineAttribute(attribute=msgspec.structs.replace(NAME, length_max=3)))

        def is_refused() -> bool:
            try:
                other.carry_out(c.SetAttributes(sku="MUG", changes=(value("Bokaal"),)), context())
            except InvalidValue:
                return True
            return False

        until(is_refused, "the longer name is refused")


def test_a_rule_that_was_tightened_here_holds_for_the_next_command(desk: Desk) -> None:
    desk.do(MUG, c.SetAttributes(sku="MUG", changes=(value("Mok"),)))
    desk.do(c.DefineAttribute(attribute=msgspec.structs.replace(NAME, length_max=3)))

    with pytest.raises(InvalidValue, match="at most 3"):
        desk.do(c.SetAttributes(sku="MUG", changes=(value("Bokaal"),)))


def test_a_definition_is_always_compared_with_the_newest_one(desk: Desk, database: str) -> None:
    longer = c.DefineAttribute(attribute=msgspec.structs.replace(NAME, length_max=50))
    plain = c.DefineAttribute(attribute=NAME)
    with opened(database) as (log, reader):
        other = Book(log, reader, CHANNELS)
        assert not other.carry_out(plain, context()).changed
        desk.do(longer)

        assert other.carry_out(plain, context()).changed
        assert not other.carry_out(plain, context()).changed
        assert desk.book.reference().attributes["name"] == NAME


def test_a_configured_channel_can_be_sold_on_also_when_no_code_for_it_is_installed(desk: Desk) -> None:
    desk.do(MUG, c.ConfigureChannel(channel=e.ChannelConfigured(name="east")))

    assert desk.do(c.ListProduct(sku="MUG", channel="east"))[0].changed


@pytest.mark.parametrize(
    "command",
    [
        MUG,
        c.DefineAttribute(attribute=e.AttributeDefined(code="colour", type="text")),
        c.DescribeProduct(sku="MUG", family="mugs", stock={"main": 3}),
    ],
    ids=lambda command: type(command).__name__,
)
def test_a_repeated_command_returns_the_first_result_and_appends_nothing(desk: Desk, command: Decides) -> None:
    first = desk.book.carry_out(command, context("c-1"), repeatable=True)
    head, news = desk.reader.head(), desk.news
    again = desk.book.carry_out(command, context("c-1"), repeatable=True)

    assert (again.first, again.last, again.recorded_at) == (first.first, first.last, first.recorded_at)
    assert (first.repeated, again.repeated, again.changed) == (False, True, True)
    assert (desk.reader.head(), desk.news) == (head, news)


def test_a_command_id_with_another_intent_is_refused(desk: Desk) -> None:
    desk.book.carry_out(MUG, context("c-1"), repeatable=True)

    with pytest.raises(CommandIdReused, match="c-1"):
        desk.book.carry_out(c.CreateProduct(sku="CUP"), context("c-1"), repeatable=True)
    assert desk.reader.key_of("CUP") is None


@pytest.mark.parametrize("expected_version", [None, 0])
@pytest.mark.parametrize(
    "command",
    [MUG, c.DescribeProduct(sku="MUG", family="mugs"), c.DescribeProduct(sku="MUG", stock={"main": 3})],
    ids=["create", "describe", "describe with stock"],
)
def test_a_retry_while_the_first_try_is_under_way_gets_the_first_trys_result(
    desk: Desk, command: Decides, expected_version: int | None
) -> None:
    for attempt in range(5):
        name = f"SKU-{attempt}"
        one = msgspec.structs.replace(command, sku=name)  # type: ignore[type-var]
        head = desk.reader.head()

        results = at_once(
            8,
            lambda _, one=one, name=name: desk.book.carry_out(  # type: ignore[misc]
                one, context(f"c-{name}"), repeatable=True, expected_version=expected_version
            ),
        )

        assert {(done.first, done.last) for done in results} == {(head + 1, desk.reader.head())}
        assert sorted(done.repeated for done in results) == [False] + [True] * 7


def test_the_same_intent_is_the_same_number_in_every_process_and_another_is_another() -> None:
    one = intent_of(c.AdjustStock(sku="MUG", delta=1))

    assert one == -8925982035836033814
    assert one == intent_of(c.AdjustStock(sku="MUG", delta=1, location="main"))
    assert len({one, intent_of(c.AdjustStock(sku="MUG", delta=2)), intent_of(c.CountStock(sku="MUG", quantity=1))}) == 3
    assert -(2**63) <= one < 2**63
