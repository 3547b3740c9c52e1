"""What may happen to a product: each decision, said once, said twice, and refused."""

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from daybook.errors import NotFound, Refused
from daybook.events import (
    AttributeChange,
    AttributesChanged,
    Event,
    GtinAssigned,
    Measure,
    MediaAdded,
    MediaRemoved,
    PriceChanged,
    PriceRemoved,
    ProductCategorised,
    ProductCreated,
    ProductDelisted,
    ProductDiscontinued,
    ProductListed,
    ProductReinstated,
    StockCounted,
)
from daybook.product import decisions
from daybook.product.state import Product, evolve, slot, slot_parts
from daybook.values import Money
from tests.fixtures.deciding import Given, given

MODEL = ProductCreated(sku="SHIRT", key="SHIRT", kind="model", axes=("size",))
VARIANT = ProductCreated(sku="SHIRT-L", key="SHIRT", kind="variant", parent="SHIRT")
MUG = ProductCreated(sku="MUG", key="MUG")
PICTURE = MediaAdded(media_id="front", url="https://cdn.example/front.jpg")


def product(*events: Event, created: ProductCreated = MUG) -> Given[Product | None]:
    """The product after its creation and these events."""
    return given(evolve, None, created, *events)


def on(decision: Callable[..., Sequence[Event]], *wish: object) -> Callable[[Product | None], Sequence[Event]]:
    """The decision with its wish filled in."""
    return lambda state: decision(state, *wish)


def change(attribute: str, value: object, locale: str | None = None, channel: str | None = None) -> AttributeChange:
    """One value for one slot."""
    return AttributeChange(attribute=attribute, value=value, locale=locale, channel=channel)  # type: ignore[arg-type]


class TestCreation:
    def test_a_product_that_is_not_there_is_created_as_wished(self) -> None:
        given(evolve, None).when(on(decisions.create, MUG, None)).then(MUG)

    def test_a_product_that_is_there_is_not_created_again(self) -> None:
        product().when(on(decisions.create, MUG, None)).refuses(Refused, "MUG exists already")

    def test_a_variant_is_created_below_a_model(self) -> None:
        model = product(created=MODEL).state

        given(evolve, None).when(on(decisions.create, VARIANT, model)).then(VARIANT)

    def test_a_variant_needs_a_parent_that_exists(self) -> None:
        given(evolve, None).when(on(decisions.create, VARIANT, None)).refuses(
            NotFound, "SHIRT of SHIRT-L does not exist"
        )

    @pytest.mark.parametrize("parent", [MUG, VARIANT])
    def test_only_a_model_has_variants(self, parent: ProductCreated) -> None:
        wish = ProductCreated(sku="X", key=parent.key, kind="variant", parent=parent.sku)

        given(evolve, None).when(on(decisions.create, wish, product(created=parent).state)).refuses(
            Refused, "is no model"
        )

    def test_a_product_that_is_not_there_is_named_in_the_refusal(self) -> None:
        with pytest.raises(NotFound, match="no product MUG: create it first") as caught:
            decisions.known(None, "MUG")
        assert caught.value.details == {"sku": "MUG"}


class TestAttributes:
    def test_a_new_value_is_set(self) -> None:
        wish = [change("name", "Mug", "nl-NL")]

        product().when(on(decisions.set_attributes, wish)).then(AttributesChanged(tuple(wish)))

    def test_only_what_differs_is_recorded(self) -> None:
        before = AttributesChanged((change("name", "Mug"), change("weight", Measure("300", "GRAM"))))
        wish = [change("name", "Mug"), change("weight", Measure("310", "GRAM")), change("gone", None)]

        product(before).when(on(decisions.set_attributes, wish)).then(
            AttributesChanged((change("weight", Measure("310", "GRAM")),))
        ).and_twice_changes_nothing()

    def test_the_same_attribute_in_another_locale_or_scope_is_another_value(self) -> None:
        before = AttributesChanged((change("name", "Mug"), change("name", "Mok", "nl-NL")))
        wish = [change("name", "Mok", "nl-NL"), change("name", "Mok", "nl-BE"), change("name", "Mok", "nl-NL", "print")]

        product(before).when(on(decisions.set_attributes, wish)).then(AttributesChanged(tuple(wish[1:])))

    def test_the_last_of_several_wishes_for_one_value_stands(self) -> None:
        wish = [change("name", "Mug"), change("name", "Cup")]

        product().when(on(decisions.set_attributes, wish)).then(
            AttributesChanged((change("name", "Cup"),))
        ).and_twice_changes_nothing()

    def test_none_removes_a_value_and_other_values_stay(self) -> None:
        before = AttributesChanged((change("name", "Mug"), change("colour", "red")))

        then = product(before, AttributesChanged((change("name", None),)))

        assert then.state is not None and then.state.attributes == {"colour": "red"}

    def test_replacing_removes_what_is_not_named(self) -> None:
        before = AttributesChanged((change("name", "Mug", "nl-NL", "print"), change("colour", "red")))
        wish = [change("colour", "blue")]

        product(before).when(on(decisions.replace_attributes, wish)).then(
            AttributesChanged((change("colour", "blue"), change("name", None, "nl-NL", "print")))
        ).and_twice_changes_nothing()

    def test_true_and_one_are_not_the_same_value(self) -> None:
        before = AttributesChanged((change("organic", 1),))

        product(before).when(on(decisions.set_attributes, [change("organic", True)])).then(
            AttributesChanged((change("organic", True),))
        )


class TestPrices:
    def test_a_price_changes_in_its_list_and_currency_only(self) -> None:
        state = product(
            PriceChanged("default", Money(1999, "EUR")),
            PriceChanged("default", Money(2199, "USD")),
            PriceChanged("retail", Money(1799, "EUR")),
            PriceChanged("default", Money(1899, "EUR")),
        ).state

        assert state is not None
        assert state.prices == {"default": {"EUR": 1899, "USD": 2199}, "retail": {"EUR": 1799}}

    def test_another_price_is_recorded_and_the_same_one_is_not(self) -> None:
        before = product(PriceChanged("default", Money(1999, "EUR")))

        before.when(on(decisions.change_price, "default", Money(1999, "EUR"))).then()
        before.when(on(decisions.change_price, "default", Money(1998, "EUR"))).then(
            PriceChanged("default", Money(1998, "EUR"))
        ).and_twice_changes_nothing()
        before.when(on(decisions.change_price, "retail", Money(1999, "EUR"))).then(
            PriceChanged("retail", Money(1999, "EUR"))
        )

    def test_a_price_of_zero_is_a_price(self) -> None:
        product().when(on(decisions.change_price, "default", Money(0, "EUR"))).then(
            PriceChanged("default", Money(0, "EUR"))
        ).and_twice_changes_nothing()

    def test_a_price_is_removed_once_and_its_empty_list_goes_with_it(self) -> None:
        before = product(PriceChanged("default", Money(1999, "EUR")))

        before.when(on(decisions.remove_price, "default", "EUR")).then(
            PriceRemoved("default", "EUR")
        ).and_twice_changes_nothing()
        before.when(on(decisions.remove_price, "default", "USD")).then()
        before.when(on(decisions.remove_price, "retail", "EUR")).then()
        after = product(PriceChanged("default", Money(1999, "EUR")), PriceRemoved("default", "EUR")).state
        assert after == product().state


class TestGtin:
    def test_a_valid_gtin_is_assigned_without_a_problem(self) -> None:
        product().when(on(decisions.assign_gtin, "4006381333931")).then(
            GtinAssigned("4006381333931")
        ).and_twice_changes_nothing()

    def test_a_wrong_gtin_is_kept_and_flagged(self) -> None:
        (event,) = decisions.assign_gtin(decisions.known(product().state, "MUG"), "4006381333932")

        assert isinstance(event, GtinAssigned)
        assert event.gtin == "4006381333932"
        assert event.problem is not None and "check digit" in event.problem

    def test_a_gtin_is_taken_away_once(self) -> None:
        product(GtinAssigned("n/a", "digits")).when(on(decisions.assign_gtin, None)).then(
            GtinAssigned(None)
        ).and_twice_changes_nothing()
        product().when(on(decisions.assign_gtin, None)).then()


class TestCategoriesAndMedia:
    def test_categories_are_replaced_and_named_once_each(self) -> None:
        product(ProductCategorised(("old",))).when(on(decisions.categorise, ["b", "a", "b"])).then(
            ProductCategorised(("b", "a"))
        ).and_twice_changes_nothing()

    def test_no_categories_for_a_product_without_any_changes_nothing(self) -> None:
        product().when(on(decisions.categorise, [])).then()

    def test_a_media_item_is_added_replaced_and_removed(self) -> None:
        other = MediaAdded(media_id="front", url="https://cdn.example/new.jpg")

        product().when(on(decisions.add_media, PICTURE)).then(PICTURE).and_twice_changes_nothing()
        product(PICTURE).when(on(decisions.add_media, other)).then(other).and_twice_changes_nothing()
        product(PICTURE).when(on(decisions.remove_media, "front")).then(
            MediaRemoved("front")
        ).and_twice_changes_nothing()
        product().when(on(decisions.remove_media, "front")).then()


class TestSelling:
    def test_a_product_is_listed_once_and_taken_off_once(self) -> None:
        product().when(on(decisions.list_on, "shop")).then(ProductListed("shop")).and_twice_changes_nothing()
        product(ProductListed("shop")).when(on(decisions.delist, "shop")).then(
            ProductDelisted("shop")
        ).and_twice_changes_nothing()
        product(ProductListed("shop"), ProductDelisted("shop")).when(on(decisions.list_on, "shop")).then(
            ProductListed("shop")
        )

    def test_a_plain_product_that_was_never_listed_can_not_be_taken_off(self) -> None:
        product().when(on(decisions.delist, "shop")).then()

    def test_a_variant_that_follows_its_model_can_be_taken_off_for_itself(self) -> None:
        product(created=VARIANT).when(on(decisions.delist, "shop")).then(
            ProductDelisted("shop")
        ).and_twice_changes_nothing()

    def test_a_discontinued_product_is_not_listed(self) -> None:
        product(ProductDiscontinued()).when(on(decisions.list_on, "shop")).refuses(Refused, "reinstate it before")

    def test_a_product_is_discontinued_and_reinstated_once(self) -> None:
        product().when(decisions.discontinue).then(ProductDiscontinued()).and_twice_changes_nothing()  # type: ignore[arg-type]
        product(ProductDiscontinued()).when(decisions.reinstate).then(  # type: ignore[arg-type]
            ProductReinstated()
        ).and_twice_changes_nothing()
        product().when(decisions.reinstate).then()  # type: ignore[arg-type]


class TestFolding:
    def test_an_event_before_the_creation_is_ignored(self) -> None:
        assert given(evolve, None, ProductListed("shop")).state is None

    def test_an_event_of_another_noun_changes_nothing(self) -> None:
        assert product(StockCounted("main", 3)).state is product().state or product().state == Product(
            sku="MUG", key="MUG"
        )
        state = product().state
        assert evolve(state, StockCounted("main", 3)) is state

    def test_a_state_that_was_handed_out_is_never_changed_by_a_later_event(self) -> None:
        events: list[Event] = [
            MUG,
            AttributesChanged((change("name", "Mug"),)),
            PriceChanged("default", Money(1, "EUR")),
            PICTURE,
            ProductListed("shop"),
        ]
        later: list[Event] = [
            AttributesChanged((change("name", None),)),
            PriceChanged("default", Money(2, "EUR")),
            PriceRemoved("default", "EUR"),
            MediaRemoved("front"),
            ProductDelisted("shop"),
        ]
        state = given(evolve, None, *events).state
        for event in later:
            evolve(state, event)

        assert state == given(evolve, None, *events).state

    @for_all(
        st.from_regex(r"[a-z0-9][a-z0-9_.-]{0,9}", fullmatch=True),
        st.sampled_from([None, "nl", "nl-NL", "zh-Hans-CN"]),
        st.one_of(st.none(), st.from_regex(r"[a-z0-9][a-z0-9_.-]{0,9}", fullmatch=True)),
    )
    def test_a_slot_gives_its_parts_back(self, attribute: str, locale: str | None, channel: str | None) -> None:
        assert slot_parts(slot(attribute, locale, channel)) == (attribute, locale, channel)
