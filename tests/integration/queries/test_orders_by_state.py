"""How far an order is, its fold says and the statement that lists orders of a state: the same."""

from collections.abc import Iterator
from contextlib import suppress

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from daybook import commands as c
from daybook.errors import Refused
from daybook.queries.orders import page
from tests.fixtures.examples import examples
from tests.fixtures.harness import Harness, harness_on
from tests.fixtures.logs import pool_of
from tests.fixtures.ordering import placing, stocked

STATES = ("open", "partly_shipped", "shipped", "cancelled", "returned")
STEPS = st.lists(st.tuples(st.sampled_from(["ship", "cancel", "return"]), st.sampled_from("12"), st.integers(1, 2)))


@pytest.fixture
def desk(database: str) -> Iterator[Harness]:
    with harness_on(database) as made:
        made.do(*stocked(0, "MUG", "CUP"))
        yield made


def carry_out(desk: Harness, order: str, number: int, step: tuple[str, str, int]) -> None:
    verb, line, pieces = step
    lines = {line: pieces}
    with suppress(Refused):  # more than there are: nothing happens
        match verb:
            case "ship":
                desk.do(c.ShipOrder(order=order, parcel=f"P{number}", lines=lines))
            case "cancel":
                desk.do(c.CancelOrder(order=order, lines=lines))
            case _:
                desk.do(c.ReturnOrder(order=order, lines=lines))


@examples(few=6, many=60)
@for_all(histories=st.lists(STEPS, min_size=1, max_size=3))
def test_each_order_is_listed_under_the_state_that_its_fold_has(
    desk: Harness, histories: list[list[tuple[str, str, int]]]
) -> None:
    pool = pool_of(desk.log)
    for steps in histories:
        number = str(desk.reader.head())
        desk.do(placing(number, ("MUG", 2), ("CUP", 1), already_sold=True))
        for at, step in enumerate(steps):
            carry_out(desk, f"shop:{number}", at, step)

    orders = page(pool, limit=200).orders
    for state in STATES:
        expected = [one.order for one in orders if one.status == state]
        assert [one.order for one in page(pool, limit=200, state=state).orders] == expected  # type: ignore[arg-type]
