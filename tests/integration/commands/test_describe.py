"""Describing a product: left out stays, null removes, an update never creates, and saying it again changes nothing."""

import itertools
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from daybook import commands as c
from daybook import events as e
from daybook.commands.book import Book, CommandResult
from daybook.commands.describe import MediaItem, Price
from daybook.errors import DaybookError, InvalidValue, NotFound, Refused
from daybook.log.application import Log
from daybook.log.reader import Reader
from daybook.product.state import Product, slot
from daybook.product.state import evolve as evolve_product
from daybook.stock.state import Stock
from daybook.stock.state import evolve as evolve_stock
from daybook.values import gtin_problem, parse_money
from tests.fixtures.examples import examples
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

    def describe(self, wish: c.DescribeProduct) -> CommandResult:
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
    unique_by=lambda price: (price.price_list, price.currency),
).map(tuple)
MEDIA = st.lists(
    st.builds(MediaItem, media_id=st.sampled_from("wxyz"), url=st.sampled_from(["u1", "u2"])),
    max_size=4,
    unique_by=lambda item: item.media_id,
).map(tuple)
WISHES = st.builds(
    c.DescribeProduct,
    sku=st.just("X"),
    kind=st.just("product"),
    exact=st.just(True),
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
    """The product is what the description says, no more, no less."""
    gtin = None if wish.gtin is msgspec.UNSET else wish.gtin
    assert (product.gtin, product.gtin_problem) == (gtin, gtin and gtin_problem(gtin))
    assert product.attributes == {slot(v.attribute, v.locale, v.channel): v.value for v in wish.attributes or ()}
    prices: dict[str, dict[str, int]] = {}
    for price in wish.prices or ():
        prices.setdefault(price.price_list, {})[price.currency] = parse_money(price.amount, price.currency).amount
    assert product.prices == prices
    assert product.categories == tuple(dict.fromkeys(wish.categories or ()))
    media = {item.media_id: item.url for item in wish.media or ()}
    assert {name: item.url for name, item in product.media.items()} == media
    assert list(product.media) == list(media), "the first picture is the main one, so their order counts"
    assert product.channels == wish.channels
    assert product.discontinued == wish.discontinued


@examples(few=15, many=2000)
@given(one=WISHES, other=WISHES)
def test_describing_exactly_b_over_a_gives_b_and_again_nothing(
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
    kind="product",
    gtin="4006381333931",
    attributes=(e.AttributeChange(attribute="pieces", value=6),),
    prices=(Price(amount="5", currency="EUR"),),
    categories=("a",),
    media=(MediaItem(media_id="w", url="u"),),
    channels={"shop": True},
    stock={"main": 3},
)


def only(**fields: Any) -> c.DescribeProduct:
    """An update of these fields."""
    return c.DescribeProduct(sku="MUG", **fields)


def said(attribute: str, value: e.Value, locale: str | None = None) -> e.AttributeChange:
    return e.AttributeChange(attribute=attribute, value=value, locale=locale)


def test_what_a_description_leaves_out_stays_as_it_is(desk: Desk) -> None:
    desk.describe(WHOLE)
    before = (desk.product("MUG"), desk.stock("MUG"))

    done = desk.describe(c.DescribeProduct(sku="MUG"))

    assert not done.changed
    assert (desk.product("MUG"), desk.stock("MUG")) == before


FIELDS = ["gtin", "attributes", "prices", "categories", "media"]


@pytest.mark.parametrize("field", FIELDS)
def test_null_removes_its_field_and_no_other(desk: Desk, field: str) -> None:
    desk.describe(WHOLE)
    before = desk.product("MUG")

    desk.describe(only(**{field: None}))

    after = desk.product("MUG")
    assert not getattr(after, field)
    rest = [name for name in Product.__struct_fields__ if name != field]
    assert [getattr(after, name) for name in rest] == [getattr(before, name) for name in rest]


def test_null_takes_it_off_every_channel_empties_every_location_and_brings_it_back_on_sale(desk: Desk) -> None:
    desk.describe(msgspec.structs.replace(WHOLE, discontinued=True))

    desk.describe(only(channels=None, stock=None, discontinued=None))

    after = desk.product("MUG")
    assert after.channels == {"shop": False}
    assert desk.stock("MUG").quantities == {"main": 0}
    assert not after.discontinued


def test_nulls_for_what_is_not_there_change_nothing(desk: Desk) -> None:
    desk.describe(c.DescribeProduct(sku="MUG", kind="product"))
    nothing = dict.fromkeys([*FIELDS, "channels", "stock", "discontinued", "parent", "family", "axes"])

    assert not desk.describe(only(**nothing)).changed
    single = only(
        attributes=(e.AttributeChange(attribute="pieces", value=None),),
        prices=(Price(amount=None, currency="EUR"),),
        media=(MediaItem(media_id="w", url=None),),
        channels={"shop": None},
        stock={"main": None},
    )
    assert not desk.describe(single).changed


TWO_OF_EACH = c.DescribeProduct(
    sku="MUG",
    kind="product",
    attributes=(
        e.AttributeChange(attribute="name", value="Mok", locale="nl-NL"),
        e.AttributeChange(attribute="name", value="Mug", locale="en-GB"),
        e.AttributeChange(attribute="teaser", value="Neu", channel="print"),
        e.AttributeChange(attribute="teaser", value="New", channel="web"),
    ),
    prices=(
        Price(amount="5", currency="EUR"),
        Price(amount="6", currency="GBP"),
        Price(amount="4", currency="EUR", price_list="retail"),
    ),
    media=(MediaItem(media_id="w", url="u1"), MediaItem(media_id="x", url="u2")),
    channels={"shop": True, "east": True},
    stock={"main": 3, "store": 4},
)


def test_what_a_list_or_an_object_does_not_name_stays(desk: Desk) -> None:
    desk.describe(TWO_OF_EACH)

    desk.describe(
        only(
            attributes=(
                e.AttributeChange(attribute="name", value="Beker", locale="nl-NL"),
                e.AttributeChange(attribute="teaser", value="Newer", channel="web"),
            ),
            prices=(Price(amount="7", currency="EUR"),),
            media=(MediaItem(media_id="x", url="u3"),),
            channels={"east": False},
            stock={"store": 1},
        )
    )

    after = desk.product("MUG")
    assert after.attributes == {
        "name@nl-NL": "Beker",
        "name@en-GB": "Mug",
        "teaser#print": "Neu",
        "teaser#web": "Newer",
    }
    assert after.prices == {"default": {"EUR": 700, "GBP": 600}, "retail": {"EUR": 400}}
    assert {name: item.url for name, item in after.media.items()} == {"w": "u1", "x": "u3"}
    assert after.channels == {"shop": True, "east": False}
    assert desk.stock("MUG").quantities == {"main": 3, "store": 1}


def test_null_for_one_thing_that_is_named_removes_that_one(desk: Desk) -> None:
    desk.describe(TWO_OF_EACH)

    desk.describe(
        only(
            attributes=(e.AttributeChange(attribute="name", value=None, locale="nl-NL"),),
            prices=(Price(amount=None, currency="GBP"),),
            media=(MediaItem(media_id="w", url=None),),
            channels={"east": None},
            stock={"store": None},
        )
    )

    after = desk.product("MUG")
    assert "name@nl-NL" not in after.attributes and len(after.attributes) == 3
    assert after.prices == {"default": {"EUR": 500}, "retail": {"EUR": 400}}
    assert list(after.media) == ["x"]
    assert after.channels == {"shop": True, "east": False}
    assert desk.stock("MUG").quantities == {"main": 3, "store": 0}


def test_a_picture_with_another_address_keeps_its_role_and_language_unless_they_are_said(desk: Desk) -> None:
    desk.describe(only(kind="product", media=(MediaItem(media_id="w", url="u1", role="back", locale="nl-NL"),)))

    desk.describe(only(media=(MediaItem(media_id="w", url="u2"),)))
    assert desk.product("MUG").media["w"] == e.MediaAdded(media_id="w", url="u2", role="back", locale="nl-NL")

    desk.describe(only(media=(MediaItem(media_id="w", url="u2", locale=None),)))
    assert desk.product("MUG").media["w"] == e.MediaAdded(media_id="w", url="u2", role="back")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"prices": (Price(amount="5", currency="EUR"), Price(amount="6", currency="EUR"))}, "prices"),
        ({"prices": (Price(amount=None, currency="EUR"), Price(amount="6", currency="EUR"))}, "prices"),
        ({"attributes": (said("pieces", 1), said("pieces", 2))}, "attributes"),
        ({"media": (MediaItem(media_id="w", url="u1"), MediaItem(media_id="w", url="u2"))}, "media"),
    ],
)
def test_a_description_that_says_two_things_about_one_is_refused(
    desk: Desk, change: dict[str, object], field: str
) -> None:
    desk.describe(WHOLE)

    with pytest.raises(InvalidValue, match="two things") as refusal:
        desk.describe(only(**change))

    assert refusal.value.details["field"] == field
    assert not desk.describe(only(prices=(Price(amount="5", currency="EUR"),) * 2)).repeated


def test_two_values_of_one_attribute_are_refused_also_without_a_description(desk: Desk) -> None:
    desk.describe(WHOLE)

    with pytest.raises(InvalidValue, match="two things about pieces"):
        desk.book.carry_out(c.SetAttributes(sku="MUG", changes=(said("pieces", 1), said("pieces", 2))), context())


def test_lists_and_objects_that_name_nothing_change_nothing(desk: Desk) -> None:
    desk.describe(TWO_OF_EACH)

    assert not desk.describe(only(attributes=(), prices=(), media=(), channels={}, stock={})).changed


def test_pictures_that_are_named_stand_in_the_order_in_which_they_are_named(desk: Desk) -> None:
    desk.describe(TWO_OF_EACH)
    swapped = only(media=(MediaItem(media_id="x", url="u2"), MediaItem(media_id="w", url="u1")))

    desk.describe(swapped)

    assert list(desk.product("MUG").media) == ["x", "w"]
    assert not desk.describe(swapped).changed


@pytest.mark.parametrize(
    "update",
    [
        {},
        {"prices": (Price(amount="5", currency="EUR"),)},
        {"stock": {"main": 1}},
        {"gtin": "4006381333931"},
        {"attributes": (e.AttributeChange(attribute="pieces", value=6),)},
        {"attributes": (e.AttributeChange(attribute="pieces", value=6),), "channels": {"shop": False}},
        {"channels": {"shop": True}},
        {"categories": ("a",)},
        {"media": (MediaItem(media_id="w", url="u"),)},
        {"family": None, "parent": None, "gtin": None, "prices": None},
    ],
)
def test_an_update_of_a_sku_that_nobody_knows_is_refused_and_creates_nothing(
    desk: Desk, update: dict[str, Any]
) -> None:
    head = desk.reader.head()

    with pytest.raises(NotFound, match="an update creates none"):
        desk.describe(c.DescribeProduct(sku="TYPO", **update))

    assert desk.reader.head() == head


def test_a_description_creates_when_it_says_the_kind_or_both_describes_and_lists(desk: Desk) -> None:
    value = (e.AttributeChange(attribute="pieces", value=6),)

    assert desk.describe(c.DescribeProduct(sku="A", kind="product")).created
    assert desk.describe(c.DescribeProduct(sku="B", attributes=value, channels={"shop": True})).created


def test_what_is_fixed_and_left_out_is_no_change(desk: Desk) -> None:
    desk.describe(c.DescribeProduct(sku="M", kind="model", axes=("tags",)))
    desk.describe(c.DescribeProduct(sku="V", kind="variant", parent="M"))

    desk.describe(c.DescribeProduct(sku="M", prices=(Price(amount="5", currency="EUR"),)))
    desk.describe(c.DescribeProduct(sku="V", prices=(Price(amount="6", currency="EUR"),)))

    assert desk.product("M").axes == ("tags",)
    assert desk.product("V").prices == {"default": {"EUR": 600}}


def test_a_value_that_a_tightened_rule_would_refuse_stands_in_the_way_of_nothing_else(desk: Desk) -> None:
    desk.describe(TWO_OF_EACH)
    shorter = e.AttributeDefined(code="name", type="text", localizable=True, length_max=1)
    desk.book.carry_out(c.DefineAttribute(attribute=shorter), context())

    dearer = msgspec.structs.replace(TWO_OF_EACH, prices=(Price(amount="9", currency="EUR"),))

    assert desk.describe(dearer).changed
    assert desk.product("MUG").attributes["name@nl-NL"] == "Mok"


def test_a_value_gives_way_when_its_attribute_has_languages_from_now_on(desk: Desk) -> None:
    desk.describe(c.DescribeProduct(sku="MUG", kind="product", attributes=(said("pieces", 6), said("organic", True))))
    by_language = e.AttributeDefined(code="pieces", type="number", localizable=True)
    desk.book.carry_out(c.DefineAttribute(attribute=by_language), context())

    desk.describe(only(attributes=(said("pieces", 7, "nl-NL"),)))

    assert desk.product("MUG").attributes == {"organic": True, "pieces@nl-NL": 7}


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
        ({"media": (MediaItem(media_id="w", url=""),)}, InvalidValue, "media.url"),
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


PARTS = st.builds(
    c.DescribeProduct,
    sku=st.just("X"),
    gtin=st.sampled_from([msgspec.UNSET, None, "4006381333931"]),
    attributes=st.one_of(st.just(msgspec.UNSET), st.none(), values()),
    prices=st.one_of(st.just(msgspec.UNSET), st.none(), PRICES),
    categories=st.one_of(st.just(msgspec.UNSET), st.none(), st.just(("b",))),
    media=st.one_of(st.just(msgspec.UNSET), st.none(), MEDIA),
    channels=st.one_of(
        st.just(msgspec.UNSET), st.none(), st.dictionaries(st.sampled_from(["shop", "east"]), st.booleans())
    ),
    stock=st.one_of(
        st.just(msgspec.UNSET), st.none(), st.dictionaries(st.sampled_from(["main", "store"]), st.integers(0, 3))
    ),
    discontinued=st.sampled_from([msgspec.UNSET, None, True, False]),
)


@examples(few=10, many=1000)
@given(whole=WISHES, part=PARTS)
def test_a_part_changes_what_it_names_and_nothing_else_and_again_nothing(
    desk: Desk, whole: c.DescribeProduct, part: c.DescribeProduct
) -> None:
    sku = f"PART-{next(desk.numbers)}"
    desk.describe(msgspec.structs.replace(whole, sku=sku))
    before, pieces = desk.product(sku), desk.stock(sku).quantities

    part = msgspec.structs.replace(part, sku=sku)
    desk.describe(part)

    after = desk.product(sku)
    for field in ("gtin", "attributes", "prices", "categories", "media", "discontinued"):
        wish = getattr(part, field)
        if wish is msgspec.UNSET:
            assert getattr(after, field) == getattr(before, field)
        elif wish is None:
            assert not getattr(after, field)
    if isinstance(part.attributes, tuple):
        named = {slot(one.attribute, one.locale, one.channel): one.value for one in part.attributes}
        assert after.attributes == {**before.attributes, **named}
    if isinstance(part.stock, dict):
        assert desk.stock(sku).quantities == {**pieces, **part.stock}
    if isinstance(part.channels, dict):
        assert after.channels == {**before.channels, **part.channels}
    assert not desk.describe(part).changed
