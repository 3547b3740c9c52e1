"""Commands through the book on a real log: what each records, and what it refuses."""

from collections.abc import Iterator, Sequence

import pytest

from daybook import commands as c
from daybook import events as e
from daybook.commands.book import Command
from daybook.errors import DaybookError, InvalidValue, NotFound, Refused
from daybook.log.pending import Context
from daybook.stock.state import Stock, evolve
from daybook.values import Money
from tests.fixtures.harness import MUG, Harness, harness_on, value

PICTURE = e.MediaAdded(media_id="front", url="https://cdn.example/front.jpg")


@pytest.fixture
def desk(database: str) -> Iterator[Harness]:
    """A book on a fresh database."""
    with harness_on(database) as made:
        yield made


CASES: list[tuple[Sequence[Command], Command, Sequence[e.Event], str]] = [
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
    desk: Harness, before: Sequence[Command], command: Command, after: Sequence[e.Event], stream: str
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


def test_stock_that_arrives_or_changes_adds_up_each_time(desk: Harness) -> None:
    desk.do(MUG)
    head = desk.reader.head()
    desk.do(
        c.ReceiveStock(sku="MUG", quantity=5), c.ReceiveStock(sku="MUG", quantity=5), c.AdjustStock(sku="MUG", delta=-3)
    )

    assert desk.since(head) == [e.StockReceived("main", 5), e.StockReceived("main", 5), e.StockAdjusted("main", -3)]
    assert desk.log.load("stock/MUG", evolve) == (Stock({"main": 7}), 3)


def test_the_columns_say_who_why_where_from_and_whose(desk: Harness) -> None:
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


REFUSED: list[tuple[Command, type[DaybookError], str]] = [
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


def test_what_is_refused_names_its_reason_and_records_nothing(desk: Harness) -> None:
    # One database for all of them: a refusal leaves nothing behind that could disturb the next.
    desk.do(MUG, c.CreateProduct(sku="GONE"), c.DiscontinueProduct(sku="GONE"))
    head, news = desk.reader.head(), desk.news
    for command, error, match in REFUSED:
        with pytest.raises(error, match=match):
            desk.do(command)
        assert (desk.reader.head(), desk.news) == (head, news), command
