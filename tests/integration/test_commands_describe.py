"""Describing a whole product: whatever it was, it is exactly that afterwards, and saying it again changes nothing."""

import itertools
from collections.abc import Iterator

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from daybook import commands as c
from daybook import events as e
from daybook.commands.book import Book, Done
from daybook.commands.describe import Price
from daybook.errors import DaybookError, InvalidValue, NotFound, Refused
from daybook.log.application import Log
from daybook.log.reader import Reader
from daybook.product.state import Product, slot
from daybook.product.state import evolve as evolve_product
from daybook.stock.state import Stock
from daybook.stock.state import evolve as evolve_stock
from daybook.values import gtin_problem, parse_money
from tests.fixtures.logs import context, opened

CHANNELS = frozenset({"shop", "east"})
DEFINED = [
    e.AttributeDefined(code="name", type="text", localizable=True),
    e.AttributeDefined(code="teaser", type="text", scopable=True),
    e.AttributeDefined(code="pieces", type="number"),
    e.AttributeDefined(code="organic", type="boolean"),
    e.AttributeDefined(code="tags", type="multiselect"),
]


class Desk:
    """A book with its log and reader, and new SKUs."""

    def __init__(self, log: Log, reader: Reader) -> None:
        self.log = log
        self.reader = reader
        self.book = Book(log, reader, CHANNELS)
        self.numbers = itertools.count()
        for one in DEFINED:
            self.book.carry_out(c.DefineAttribute(attribute=one), context())
        for code in ("a", "b", "c"):
            self.book.carry_out(c.DefineCategory(category=e.CategoryDefined(code=code)), context())

    def describe(self, wish: c.DescribeProduct) -> Done:
        """Carries the description out."""
        return self.book.carry_out(wish, context())

    def product(self, sku: str) -> Product:
        """The product now, folded from the log, not from a cache."""
        state: Product | None = None
        for one in self.reader.of_stream(f"product/{sku}"):
            state = evolve_product(state, one.event)
        assert state is not None
        return state

    def stock(self, sku: str) -> Stock:
        """The stock now."""
        state: Stock | None = None
        for one in self.reader.of_stream(f"stock/{sku}"):
            state = evolve_stock(state, one.event)
        return state or Stock()


@pytest.fixture
def desk(database: str) -> Iterator[Desk]:
    """A book with a few attributes, categories and channels."""
    with opened(database) as (log, reader):
        yield Desk(log, reader)


def values() -> st.SearchStrategy[tuple[e.AttributeChange, ...]]:
    """Values for some of the slots, each at most once."""
    words = st.text("abc é", min_size=1, max_size=4)
    slots: list[tuple[str, str | None, str | None, st.SearchStrategy[e.Value]]] = [
        ("name", "nl-NL", None, words),
        ("name", "en-GB", None, words),
        ("teaser", None, "print", words),
        ("pieces", None, None, st.one_of(st.integers(0, 2), st.sampled_from([0.5, 1.5]))),
        ("organic", None, None, st.booleans()),
        ("tags", None, None, st.lists(st.sampled_from(["new", "sale"]), unique=True)),
    ]

    def in_slot(attribute: str, locale: str | None, scope: str | None, value: e.Value) -> e.AttributeChange:
        return e.AttributeChange(attribute=attribute, value=value, locale=locale, channel=scope)

    each = [
        st.one_of(st.none(), st.builds(in_slot, st.just(name), st.just(locale), st.just(scope), found))
        for name, locale, scope, found in slots
    ]
    return st.tuples(*each).map(lambda found: tuple(one for one in found if one is not None))


PRICES = st.lists(
    st.builds(
        Price,
        amount=st.sampled_from(["0", "5", "19.99"]),
        currency=st.sampled_from(["EUR", "KWD"]),
        price_list=st.sampled_from(["default", "retail"]),
    ),
    max_size=4,
).map(tuple)
MEDIA = st.lists(
    st.builds(e.MediaAdded, media_id=st.sampled_from("wxyz"), url=st.sampled_from(["u1", "u2"])), max_size=5
).map(tuple)
WISHES = st.builds(
    c.DescribeProduct,
    sku=st.just("X"),
    gtin=st.sampled_from([None, "4006381333931", "n/a"]),
    attributes=values(),
    prices=PRICES,
    categories=st.lists(st.sampled_from("abc"), max_size=4).map(tuple),
    media=MEDIA,
    channels=st.fixed_dictionaries({"shop": st.booleans(), "east": st.booleans()}),
    stock=st.fixed_dictionaries({"main": st.integers(0, 3), "store": st.integers(0, 3)}),
    discontinued=st.booleans(),
)


def is_exactly(product: Product, wish: c.DescribeProduct) -> None:
    """The product is what the description says, no more, no less; of two wishes for one thing the last stands."""
    gtin = None if wish.gtin is msgspec.UNSET else wish.gtin
    assert (product.gtin, product.gtin_problem) == (gtin, gtin and gtin_problem(gtin))
    assert product.attributes == {slot(v.attribute, v.locale, v.channel): v.value for v in wish.attributes or ()}
    prices: dict[str, dict[str, int]] = {}
    for price in wish.prices or ():
        prices.setdefault(price.price_list, {})[price.currency] = parse_money(price.amount, price.currency).amount
    assert product.prices == prices
    assert product.categories == tuple(dict.fromkeys(wish.categories or ()))
    media = {item.media_id: item for item in wish.media or ()}
    assert product.media == media
    assert list(product.media) == list(media), "the first picture is the main one, so their order counts"
    assert product.channels == wish.channels
    assert product.discontinued == wish.discontinued


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(one=WISHES, other=WISHES)
def test_describing_b_over_a_gives_exactly_b_and_again_nothing(
    desk: Desk, one: c.DescribeProduct, other: c.DescribeProduct
) -> None:
    sku = f"SKU-{next(desk.numbers)}"
    for wish in (one, other):
        wish = msgspec.structs.replace(wish, sku=sku)
        desk.describe(wish)
        is_exactly(desk.product(sku), wish)
        assert desk.stock(sku).quantities == wish.stock

        again = desk.describe(wish)

        assert not again.changed
        assert again.version == len(desk.reader.of_stream(f"product/{sku}"))


WHOLE = c.DescribeProduct(
    sku="MUG",
    gtin="4006381333931",
    attributes=(e.AttributeChange(attribute="pieces", value=6),),
    prices=(Price(amount="5", currency="EUR"),),
    categories=("a",),
    media=(e.MediaAdded(media_id="w", url="u"),),
    channels={"shop": True},
    stock={"main": 3},
)


def test_what_a_description_leaves_out_stays_as_it_is(desk: Desk) -> None:
    desk.describe(WHOLE)
    before = (desk.product("MUG"), desk.stock("MUG"))

    done = desk.describe(c.DescribeProduct(sku="MUG"))

    assert not done.changed
    assert (desk.product("MUG"), desk.stock("MUG")) == before


@pytest.mark.parametrize("field", ["attributes", "prices", "categories", "media"])
def test_an_empty_list_empties_its_field_and_no_other(desk: Desk, field: str) -> None:
    desk.describe(WHOLE)
    before = desk.product("MUG")

    desk.describe(msgspec.structs.replace(c.DescribeProduct(sku="MUG"), **{field: ()}))

    after = desk.product("MUG")
    assert not getattr(after, field)
    rest = [name for name in Product.__struct_fields__ if name != field]
    assert [getattr(after, name) for name in rest] == [getattr(before, name) for name in rest]


def test_a_new_product_and_its_stock_are_one_command_whole_or_absent(desk: Desk) -> None:
    head = desk.reader.head()
    done = desk.describe(WHOLE)

    recorded = desk.reader.after(head)
    assert (done.first, done.last) == (head + 1, head + len(recorded))
    assert {one.command_id for one in recorded} == {done.command_id}
    assert isinstance(recorded[0].event, e.ProductCreated)
    assert recorded[-1].event == e.StockCounted("main", 3)
    assert done.version == len(recorded) - 1


@pytest.mark.parametrize(
    ("change", "error", "match"),
    [
        ({"attributes": (e.AttributeChange(attribute="colour", value="red"),)}, NotFound, "colour"),
        ({"prices": (Price(amount="x", currency="EUR"),)}, InvalidValue, "prices.default.EUR"),
        ({"prices": (Price(amount="1", currency="EUR", price_list="a b"),)}, InvalidValue, "price_list"),
        ({"categories": ("z",)}, NotFound, "category 'z'"),
        ({"media": (e.MediaAdded(media_id="w", url=""),)}, InvalidValue, "media.url"),
        ({"channels": {"west": True}}, NotFound, "channel 'west'"),
        ({"stock": {"main": -1}}, InvalidValue, "quantity"),
        ({"stock": {"a b": 1}}, InvalidValue, "stock"),
        ({"gtin": "x" * 51}, InvalidValue, "gtin"),
        ({"family": "cars"}, NotFound, "family 'cars'"),
        ({"parent": "M", "kind": "variant"}, NotFound, "parent M"),
        ({"kind": "variant"}, InvalidValue, "needs a parent"),
        ({"sku": "a/b"}, InvalidValue, "sku"),
    ],
)
def test_one_thing_that_is_wrong_refuses_the_whole_description(
    desk: Desk, change: dict[str, object], error: type[DaybookError], match: str
) -> None:
    head = desk.reader.head()

    with pytest.raises(error, match=match):
        desk.describe(msgspec.structs.replace(WHOLE, **change))

    assert desk.reader.head() == head


@pytest.mark.parametrize("change", [{"kind": "model"}, {"parent": "M", "kind": "variant"}])
def test_what_was_fixed_at_creation_is_not_described_away(desk: Desk, change: dict[str, object]) -> None:
    desk.describe(c.DescribeProduct(sku="M", kind="model"))
    desk.describe(WHOLE)

    with pytest.raises(Refused, match="since it was created"):
        desk.describe(msgspec.structs.replace(WHOLE, **change))


def test_a_variant_is_described_into_its_models_group(desk: Desk) -> None:
    desk.describe(c.DescribeProduct(sku="M", kind="model", axes=("tags",)))
    desk.describe(c.DescribeProduct(sku="V", kind="variant", parent="M", stock={"main": 1}))

    assert [one.stream for one in desk.reader.of_key("M")] == ["product/M", "product/V", "stock/V"]
