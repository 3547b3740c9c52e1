"""A product group: what a product inherits, in which language, where it is sold, for how much and how many."""

from datetime import UTC, datetime

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from daybook.catalogue.group import Group, fold_group
from daybook.events import (
    AttributeChange,
    AttributesChanged,
    CategoryDefined,
    ChannelConfigured,
    Event,
    GtinAssigned,
    ListingConfirmed,
    Measure,
    MediaAdded,
    PriceChanged,
    PriceRemoved,
    ProductCategorised,
    ProductCreated,
    ProductDelisted,
    ProductDiscontinued,
    ProductListed,
    ProductReinstated,
    Recorded,
    StockAdjusted,
    StockCounted,
    Value,
    codec,
)
from daybook.events.envelope import REFERENCE_KEY
from daybook.stock.state import Stock
from daybook.values import Money

MODEL, SUB, LARGE, SMALL = "SHIRT", "SHIRT-RED", "SHIRT-RED-L", "SHIRT-S"
CREATED: list[tuple[str, Event]] = [
    (MODEL, ProductCreated(sku=MODEL, key=MODEL, kind="model", family="shirts", axes=("colour",))),
    (SUB, ProductCreated(sku=SUB, key=MODEL, kind="model", parent=MODEL, axes=("size",))),
    (LARGE, ProductCreated(sku=LARGE, key=MODEL, kind="variant", parent=SUB)),
    (SMALL, ProductCreated(sku=SMALL, key=MODEL, kind="variant", parent=MODEL)),
]


def recorded(position: int, sku: str | None, event: Event, key: str = MODEL) -> Recorded:
    """The event as the log would hold it."""
    return Recorded(
        position=position,
        event_id=f"id-{position}",
        stream=f"product/{sku}",
        version=position,
        type=codec.NAMES[type(event)],
        sku=sku,
        key=key,
        recorded_at=datetime(2026, 3, 1, tzinfo=UTC),
        actor="ada",
        reason=None,
        source="test",
        correlation_id="c",
        causation_id=None,
        command_id="c",
        event=event,
    )


def folded(*happened: tuple[str, Event], created: bool = True) -> Group:
    """The group after its creation and these events."""
    group: Group | None = None
    for position, (sku, event) in enumerate([*(CREATED if created else []), *happened], 1):
        group = fold_group(group, recorded(position, sku, event))
    assert group is not None
    return group


def value(
    sku: str, attribute: str, to: Value | None, locale: str | None = None, scope: str | None = None
) -> tuple[str, Event]:
    """One value of one product was set."""
    return sku, AttributesChanged((AttributeChange(attribute=attribute, value=to, locale=locale, channel=scope),))


class TestInheritance:
    def test_a_chain_goes_from_the_product_to_its_root(self) -> None:
        group = folded()

        assert [one.sku for one in group.chain(LARGE)] == [LARGE, SUB, MODEL]
        assert [one.sku for one in group.chain(SMALL)] == [SMALL, MODEL]
        assert list(group.chain("UNKNOWN")) == []

    def test_the_nearest_value_in_the_chain_holds(self) -> None:
        group = folded(value(MODEL, "brand", "Acme"), value(SUB, "brand", "Acme Red"), value(LARGE, "size", "L"))

        assert group.value(LARGE, "brand") == "Acme Red"
        assert group.value(SMALL, "brand") == "Acme"
        assert group.value(LARGE, "size") == "L"
        assert group.value(SMALL, "size") is None
        assert group.value(MODEL, "size") is None

    def test_a_removed_value_lets_the_parents_show_again(self) -> None:
        group = folded(value(MODEL, "brand", "Acme"), value(SUB, "brand", "Other"), value(SUB, "brand", None))

        assert group.value(LARGE, "brand") == "Acme"

    @pytest.mark.parametrize("falsy", [False, 0, 0.0, "", []])
    def test_an_own_value_that_is_false_or_empty_is_still_a_value(self, falsy: Value) -> None:
        group = folded(value(MODEL, "x", "parent's"), value(LARGE, "x", falsy))

        assert group.value(LARGE, "x") == falsy

    def test_a_change_to_the_model_shows_in_variants_that_were_there_before(self) -> None:
        group = folded(value(LARGE, "size", "L"), value(MODEL, "brand", "Acme"))

        assert group.value(LARGE, "brand") == "Acme"

    def test_the_family_is_inherited_the_gtin_never(self) -> None:
        group = folded((MODEL, GtinAssigned("4006381333931")))

        assert group.family(LARGE) == "shirts"
        assert group.gtin(MODEL) == "4006381333931"
        assert group.gtin(LARGE) is None

    def test_categories_are_the_products_own_first_then_its_parents_each_once(self) -> None:
        group = folded(
            (MODEL, ProductCategorised(("shirts", "summer"))),
            (SUB, ProductCategorised(())),
            (LARGE, ProductCategorised(("sale", "summer"))),
        )

        assert group.categories(LARGE) == ("sale", "summer", "shirts")

    def test_media_are_the_products_own_first_and_only_those_of_the_scope(self) -> None:
        own = MediaAdded(media_id="own", url="u")
        scoped = MediaAdded(media_id="print", url="u", channel="print")
        parents = MediaAdded(media_id="front", url="u")
        group = folded((MODEL, parents), (LARGE, own), (LARGE, scoped))

        assert group.media(LARGE) == (own, parents)
        assert group.media(LARGE, "print") == (own, scoped, parents)
        assert group.media(LARGE, "web") == (own, parents)


class TestLanguagesAndScopes:
    @pytest.mark.parametrize(
        ("locales", "scope", "wins"),
        [
            (("nl-BE", "nl-NL"), "print", "BE print"),
            (("nl-BE", "nl-NL"), None, "BE"),
            (("nl-NL", "nl-BE"), "web", "NL"),
            (("de-DE",), None, "plain"),
            (("de-DE",), "print", "scoped"),
            ((), None, "plain"),
            ((), "print", "scoped"),
        ],
    )
    def test_the_first_locale_that_has_a_value_wins_and_in_it_the_scope(
        self, locales: tuple[str, ...], scope: str | None, wins: str
    ) -> None:
        group = folded(
            value(MODEL, "name", "plain"),
            value(MODEL, "name", "scoped", None, "print"),
            value(MODEL, "name", "NL", "nl-NL"),
            value(MODEL, "name", "BE", "nl-BE"),
            value(MODEL, "name", "BE print", "nl-BE", "print"),
        )

        assert group.value(LARGE, "name", locales, scope) == wins

    def test_a_fallback_locale_of_the_product_beats_the_main_locale_of_its_parent(self) -> None:
        group = folded(value(MODEL, "name", "parent BE", "nl-BE"), value(LARGE, "name", "own NL", "nl-NL"))

        assert group.value(LARGE, "name", ("nl-BE", "nl-NL")) == "own NL"

    def test_a_value_in_a_language_that_was_not_asked_for_is_not_shown(self) -> None:
        group = folded(value(MODEL, "name", "NL", "nl-NL"))

        assert group.value(LARGE, "name", ("fr-BE",)) is None
        assert group.value(LARGE, "name") is None

    @pytest.mark.parametrize(
        ("given", "text"),
        [
            ("  Mug ", "Mug"),
            ("   ", None),
            (Measure("0.50", "KILOGRAM"), "0.50 KILOGRAM"),
            (["red", "blue"], "red, blue"),
            ([], None),
            (True, "true"),
            (False, "false"),
            (12, "12"),
            (0, "0"),
        ],
    )
    def test_every_value_has_a_text(self, given: Value, text: str | None) -> None:
        assert folded(value(MODEL, "x", given)).text(LARGE, "x") == text

    def test_no_value_has_no_text(self) -> None:
        assert folded().text(LARGE, "x") is None


class TestPriceAndStock:
    def test_the_products_own_price_beats_its_parents(self) -> None:
        group = folded(
            (MODEL, PriceChanged("default", Money(1999, "EUR"))),
            (LARGE, PriceChanged("default", Money(2499, "EUR"))),
            (LARGE, PriceChanged("default", Money(2799, "USD"))),
        )

        assert group.price(LARGE, "default", "EUR") == 2499
        assert group.price(SMALL, "default", "EUR") == 1999
        assert group.price(SMALL, "default", "USD") is None
        assert group.price(SMALL, "retail", "EUR") is None

    def test_a_price_of_zero_is_not_no_price(self) -> None:
        group = folded(
            (MODEL, PriceChanged("default", Money(1999, "EUR"))), (LARGE, PriceChanged("default", Money(0, "EUR")))
        )

        assert group.price(LARGE, "default", "EUR") == 0

    def test_a_removed_price_lets_the_parents_show_again(self) -> None:
        group = folded(
            (MODEL, PriceChanged("default", Money(1999, "EUR"))),
            (LARGE, PriceChanged("default", Money(2499, "EUR"))),
            (LARGE, PriceRemoved("default", "EUR")),
        )

        assert group.price(LARGE, "default", "EUR") == 1999

    def test_stock_is_each_skus_own_and_never_inherited(self) -> None:
        group = folded(
            (MODEL, StockCounted("main", 9)), (LARGE, StockCounted("main", 3)), (LARGE, StockAdjusted("main", -1))
        )

        assert group.available(LARGE) == 2
        assert group.available(SMALL) == 0
        assert group.available(LARGE, ("store",)) == 0


class TestListing:
    def test_a_variant_follows_its_model_unless_something_nearer_says_otherwise(self) -> None:
        group = folded((MODEL, ProductListed("shop")), (SUB, ProductDelisted("shop")))

        assert group.listed(SMALL, "shop")
        assert not group.listed(LARGE, "shop")
        assert not group.listed(SMALL, "other")
        assert folded((SUB, ProductListed("shop"))).listed(LARGE, "shop")

    def test_a_variant_can_be_listed_while_its_model_is_not(self) -> None:
        group = folded((MODEL, ProductDelisted("shop")), (LARGE, ProductListed("shop")))

        assert group.listed(LARGE, "shop") and not group.listed(SMALL, "shop")

    def test_a_discontinued_model_takes_every_variant_with_it_until_it_is_reinstated(self) -> None:
        gone = folded((MODEL, ProductListed("shop")), (MODEL, ProductDiscontinued()))
        back = folded((MODEL, ProductListed("shop")), (MODEL, ProductDiscontinued()), (MODEL, ProductReinstated()))

        assert not gone.listed(LARGE, "shop") and gone.sellable("shop") == ()
        assert back.listed(LARGE, "shop")

    def test_a_discontinued_variant_leaves_its_siblings_alone(self) -> None:
        group = folded((MODEL, ProductListed("shop")), (LARGE, ProductDiscontinued()))

        assert [one.sku for one in group.sellable("shop")] == [SMALL]

    def test_models_are_never_sold_themselves(self) -> None:
        assert [one.sku for one in folded((MODEL, ProductListed("shop"))).sellable("shop")] == [LARGE, SMALL]

    def test_an_unknown_sku_is_not_listed(self) -> None:
        assert not folded((MODEL, ProductListed("shop"))).listed("UNKNOWN", "shop")


class TestFold:
    def test_products_stand_in_the_order_of_their_creation_whatever_changes_later(self) -> None:
        group = folded(value(LARGE, "size", "L"), value(MODEL, "brand", "Acme"), value(SUB, "colour", "red"))

        assert list(group.products) == [MODEL, SUB, LARGE, SMALL]

    def test_the_order_of_events_decides_and_the_last_one_stands(self) -> None:
        one, other = (MODEL, ProductListed("shop")), (MODEL, ProductDelisted("shop"))

        assert folded(one, other).listed(SMALL, "shop") is False
        assert folded(other, one).listed(SMALL, "shop") is True

    def test_receipts_and_the_catalogues_model_leave_the_group_as_it_was(self) -> None:
        group = folded()
        receipt = ListingConfirmed(channel="shop", sku=LARGE, facets=())

        assert fold_group(group, recorded(9, LARGE, receipt)) is group
        assert fold_group(group, recorded(9, None, CategoryDefined(code="x"), REFERENCE_KEY)) is group
        assert fold_group(None, recorded(9, LARGE, receipt)) is None

    def test_an_event_that_changes_nothing_gives_the_very_same_group(self) -> None:
        group = folded()

        assert fold_group(group, recorded(9, "UNKNOWN", ProductListed("shop"))) is group

    def test_a_group_that_was_handed_out_is_never_changed_by_a_later_event(self) -> None:
        group = folded((LARGE, StockCounted("main", 3)), value(MODEL, "brand", "Acme"))
        before = repr(group)
        later = [
            (LARGE, StockAdjusted("main", -1)),
            value(MODEL, "brand", None),
            (SMALL, ProductListed("shop")),
            ("SHIRT-XL", ProductCreated(sku="SHIRT-XL", key=MODEL, kind="variant", parent=MODEL)),
        ]
        for sku, event in later:
            fold_group(group, recorded(9, sku, event))

        assert repr(group) == before

    @for_all(
        st.lists(
            st.tuples(
                st.sampled_from([MODEL, SUB, LARGE, SMALL]),
                st.one_of(
                    st.integers(-5, 5).map(lambda n: StockAdjusted("main", n)),
                    st.sampled_from([ProductListed("shop"), ProductDelisted("shop"), ProductDiscontinued()]),
                    st.integers(0, 3).map(lambda n: PriceChanged("default", Money(n, "EUR"))),
                ),
            ),
            max_size=12,
        )
    )
    def test_products_of_a_group_do_not_disturb_each_other(self, happened: list[tuple[str, Event]]) -> None:
        whole = folded(*happened)
        for sku in (MODEL, SUB, LARGE, SMALL):
            alone = folded(*[one for one in happened if one[0] == sku])
            assert whole.products[sku] == alone.products[sku]
            assert whole.stock.get(sku) == alone.stock.get(sku)


def test_a_channel_is_offered_what_its_locations_have_without_what_it_leaves_to_others() -> None:
    group = Group("A", stock={"A": Stock({"main": 5, "store": 3}, {"main": 1})})

    assert group.offered("A", ChannelConfigured(name="shop")) == 7
    assert group.offered("A", ChannelConfigured(name="shop", locations=("main",), safety_stock=3)) == 1
    assert group.offered("A", ChannelConfigured(name="shop", safety_stock=9)) == 0
    assert group.offered("B", ChannelConfigured(name="shop")) == 0
