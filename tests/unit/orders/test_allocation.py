"""Where an order's pieces come from."""

from typing import Any

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from daybook.errors import OutOfStock
from daybook.events import Allocation
from daybook.orders.allocation import allocate
from daybook.stock.state import Stock


def found(wanted: dict[str, int], stocks: dict[str, Stock], *locations: str, **more: Any) -> list[tuple[str, str, int]]:
    return [(one.sku, one.location, one.quantity) for one in allocate(wanted, stocks, locations, "main", **more)]


def test_locations_are_asked_in_the_order_of_the_channel() -> None:
    stocks = {"MUG": Stock({"main": 2, "store": 5})}

    assert found({"MUG": 3}, stocks, "store", "main") == [("MUG", "store", 3)]
    assert found({"MUG": 6}, stocks, "main", "store") == [("MUG", "main", 2), ("MUG", "store", 4)]
    assert found({"MUG": 6}, stocks) == [("MUG", "main", 2), ("MUG", "store", 4)]


def test_the_location_with_the_most_pieces_is_asked_first_where_that_is_the_rule() -> None:
    stocks = {"MUG": Stock({"a": 2, "b": 9, "c": 5})}

    assert found({"MUG": 11}, stocks, rule="most_stock") == [("MUG", "b", 9), ("MUG", "c", 2)]


def test_one_location_that_has_all_beats_two_that_have_more() -> None:
    stocks = {"MUG": Stock({"a": 9, "b": 0, "c": 1}), "PAN": Stock({"a": 0, "b": 9, "c": 1})}

    assert found({"MUG": 1, "PAN": 1}, stocks, rule="fewest_parcels") == [("MUG", "c", 1), ("PAN", "c", 1)]
    assert found({"MUG": 2, "PAN": 2}, stocks, rule="fewest_parcels") == [("MUG", "a", 2), ("PAN", "b", 2)]


def test_of_too_many_locations_no_smallest_set_is_sought() -> None:
    names = [f"l{number:03}" for number in range(200)]
    stocks = {"MUG": Stock(dict.fromkeys(names, 1))}

    assert len(found({"MUG": 190}, stocks, rule="fewest_parcels")) == 190


@pytest.mark.parametrize("rule", ["priority", "most_stock", "fewest_parcels"])
def test_too_little_is_refused_and_the_refusal_says_how_much_there_is(rule: str) -> None:
    stocks = {"MUG": Stock({"main": 2, "store": 5}, {"main": 1})}

    with pytest.raises(OutOfStock, match="7 of MUG were ordered, and 6 can be sold") as caught:
        found({"MUG": 7}, stocks, rule=rule)
    assert caught.value.details == {"sku": "MUG", "available": 6}


def test_what_other_orders_have_and_what_is_held_back_is_not_given_out() -> None:
    stocks = {"MUG": Stock({"main": 5}, {"main": 2}, {"main": 1})}

    assert found({"MUG": 2}, stocks) == [("MUG", "main", 2)]
    with pytest.raises(OutOfStock):
        found({"MUG": 3}, stocks)
    with pytest.raises(OutOfStock, match="none can be sold"):
        found({"MUG": 1}, stocks, held_back=2)


def test_what_was_sold_already_takes_what_is_held_back_before_it_is_oversold() -> None:
    stocks = {"MUG": Stock({"main": 5}, {"main": 2}, {"main": 1})}

    assert allocate({"MUG": 3}, stocks, (), "main", held_back=2, already_sold=True) == (
        Allocation(sku="MUG", location="main", quantity=3),
    )
    assert allocate({"MUG": 5}, stocks, (), "main", already_sold=True) == (
        Allocation(sku="MUG", location="main", quantity=5, oversold=2),
    )


def test_what_nobody_ever_had_is_oversold_at_the_first_location() -> None:
    nothing = {"MUG": Stock()}

    assert allocate({"MUG": 1}, nothing, (), "main", already_sold=True) == (
        Allocation(sku="MUG", location="main", quantity=1, oversold=1),
    )
    assert allocate({"MUG": 1}, nothing, ("store", "main"), "main", already_sold=True)[0].location == "store"


NUMBERS = st.integers(0, 6)
STOCKS = st.dictionaries(st.sampled_from("abc"), NUMBERS, max_size=3)


@for_all(
    wanted=st.dictionaries(st.sampled_from(["MUG", "PAN"]), st.integers(1, 8), min_size=1),
    there=st.tuples(STOCKS, STOCKS),
    taken=st.tuples(STOCKS, STOCKS),
    rule=st.sampled_from(["priority", "most_stock", "fewest_parcels"]),
    already_sold=st.booleans(),
)
def test_whatever_the_rule_all_is_given_out_or_nothing_and_never_what_is_not_there(
    wanted: dict[str, int], there: Any, taken: Any, rule: Any, already_sold: bool
) -> None:
    stocks = {sku: Stock(there[at], taken[at]) for at, sku in enumerate(["MUG", "PAN"])}
    enough = all(stocks[sku].available() >= quantity for sku, quantity in wanted.items())
    try:
        given_out = allocate(wanted, stocks, (), "main", rule, already_sold=already_sold)
    except OutOfStock:
        assert not enough and not already_sold
        return
    assert enough or already_sold
    for sku, quantity in wanted.items():
        mine = [one for one in given_out if one.sku == sku]
        assert sum(one.quantity for one in mine) == quantity
        for one in mine:
            assert one.quantity - one.oversold <= max(0, stocks[sku].free(one.location))
        assert already_sold or not any(one.oversold for one in mine)
