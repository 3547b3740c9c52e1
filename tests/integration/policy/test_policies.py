"""A policy on a real log: what follows is said once, whatever is replayed, retried, changed or killed."""

import os
import random
import signal
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from daybook import commands as c
from daybook import events as e
from daybook.events import CategoryDefined, Recorded, SafetyStockSet
from daybook.log.pending import NewEvent
from daybook.policy.control import stream_of
from daybook.policy.plan import plan
from daybook.policy.status import PolicyStatus, parked_groups, statuses
from daybook.values import Money
from tests.fixtures.child_programs import python
from tests.fixtures.examples import examples
from tests.fixtures.harness import Harness, harness_on
from tests.fixtures.logs import context, pool_of
from tests.fixtures.policies import GUARD, POISON, WITHOUT_POISON, another_version, run, runner_of
from tests.fixtures.waiting import until

RUNS_GUARD = """
import sys, time
from daybook.log.application import Log
from daybook.log.reader import Reader
from daybook.policy.runner import PolicyRunner
from daybook.postgres.pool import pool
from tests.fixtures.policies import GUARD
with pool(sys.argv[1], "test", 4) as connections:
    runner = PolicyRunner(connections, Log(connections), Reader(connections), GUARD)
    while True:
        time.sleep(runner.tick())
"""


@pytest.fixture
def desk(database: str) -> Iterator[Harness]:
    """A book with three products, and no policy yet."""
    with harness_on(database) as made:
        made.do(*(c.CreateProduct(sku=sku) for sku in ("A", "B", "C")))
        yield made


def price(sku: str, amount: int) -> c.ChangePrice:
    return c.ChangePrice(sku=sku, amount=f"{amount // 100}.{amount % 100:02}", currency="EUR")


def factor(number: int) -> c.DefineCategory:
    return c.DefineCategory(category=CategoryDefined(code=f"factor-{number}"))


def said(desk: Harness) -> list[Recorded]:
    """All that the policy said, in order."""
    return [one for one in desk.reader.after(0, 100_000) if isinstance(one.event, SafetyStockSet)]


def pieces(desk: Harness) -> dict[str | None, int]:
    """What was said last of each SKU."""
    return {one.sku: one.event.quantity for one in said(desk) if isinstance(one.event, SafetyStockSet)}


def tell(desk: Harness, event: e.PolicyEvent) -> None:
    desk.log.record([(context(), [NewEvent(stream_of(event.name), 0, event, None, f"@policy/{event.name}")])])


def forget(database: str) -> None:
    """Drops all that policies keep."""
    with psycopg.connect(database) as conn:
        conn.execute("DELETE FROM policies; DELETE FROM policy_groups; DELETE FROM policy_parked")


def start_over(desk: Harness, database: str) -> None:
    """The book with its three products, as it was in the beginning."""
    with psycopg.connect(database) as conn:
        conn.execute("ALTER TABLE events DISABLE TRIGGER events_append_only")
        conn.execute("TRUNCATE events, snapshots")
        conn.execute("ALTER TABLE events ENABLE ALWAYS TRIGGER events_append_only")
        conn.execute("UPDATE head SET position = 0")
    forget(database)
    desk.do(*(c.CreateProduct(sku=sku) for sku in ("A", "B", "C")))


def status(desk: Harness) -> PolicyStatus:
    return statuses(pool_of(desk.log), desk.reader, [GUARD])[0]


def test_what_follows_of_a_change_is_said_once_caused_by_it(desk: Harness) -> None:
    runner = runner_of(desk.log, desk.reader)
    run(runner)
    (done,) = desk.do(price("A", 500))
    run(runner)
    run(runner_of(desk.log, desk.reader))  # waits for the lease of the other
    (one,) = said(desk)
    (cause,) = desk.reader.after((done.last or 0) - 1, 1)
    assert (one.sku, one.event) == ("A", SafetyStockSet("main", 5))
    assert (one.causation_id, one.correlation_id) == (cause.event_id, cause.correlation_id)
    assert (one.actor, one.source, one.stream, one.key) == ("policy:guard", "policy", "guard/A", "A")


def test_a_policy_that_is_new_to_a_book_says_what_follows_of_all_that_came_before(desk: Harness) -> None:
    desk.do(price("A", 500), price("B", 700), factor(2))
    planned = plan(pool_of(desk.log), desk.reader, GUARD, 10)
    assert said(desk) == []
    run(runner_of(desk.log, desk.reader))
    assert pieces(desk) == {"A": 10, "B": 14}
    assert [(one.sku, one.stream, one.version) for one in planned.first] == [
        (one.sku, one.stream, one.version) for one in said(desk)
    ]


def test_what_is_about_all_groups_has_each_decided_anew(desk: Harness) -> None:
    runner = runner_of(desk.log, desk.reader)
    desk.do(price("A", 500), price("B", 700))
    run(runner)
    desk.do(factor(3))
    run(runner)
    assert pieces(desk) == {"A": 15, "B": 21}
    (defined,) = [
        one for one in desk.reader.after(0) if isinstance(one.event, CategoryDefined) and one.event.code == "factor-3"
    ]
    assert {one.causation_id for one in said(desk)[2:]} == {defined.event_id}


def test_a_replay_appends_nothing(desk: Harness, database: str) -> None:
    first = runner_of(desk.log, desk.reader)
    desk.do(price("A", 500), factor(2), price("B", 700), price("A", 900))
    run(first)
    first.stop()
    before = said(desk)
    forget(database)
    again = runner_of(desk.log, desk.reader)
    run(again)
    assert said(desk) == before
    desk.do(price("A", 100))
    run(again)
    assert pieces(desk)["A"] == 2


def test_a_group_that_the_code_can_t_stand_stands_aside_and_comes_back(desk: Harness) -> None:
    runner = runner_of(desk.log, desk.reader)
    run(runner)
    desk.do(price("A", POISON), price("B", 500), price("A", 300))
    run(runner)
    assert pieces(desk) == {"B": 5}
    (parked,) = parked_groups(pool_of(desk.log), "guard", None, 10).parked
    assert (parked.key, parked.reason) == ("A", "ValueError: this price is poison")
    assert status(desk).parked == 1

    tell(desk, e.PolicyRetried(name="guard", groups=1))  # it still can't
    run(runner)
    assert status(desk).parked == 1 and pieces(desk) == {"B": 5}

    runner.stop()
    healed = runner_of(desk.log, desk.reader, WITHOUT_POISON)
    tell(desk, e.PolicyRetried(name="guard", keys=("A",), groups=1))
    run(healed)
    assert status(desk).parked == 0 and pieces(desk) == {"A": 3, "B": 5}


def test_a_paused_policy_says_nothing_and_then_the_newest(desk: Harness) -> None:
    runner = runner_of(desk.log, desk.reader)
    run(runner)
    tell(desk, e.PolicyPaused(name="guard"))
    desk.do(price("A", 500), price("A", 900))
    run(runner)
    assert said(desk) == [] and status(desk).state == "paused"
    tell(desk, e.PolicyResumed(name="guard", version=1))
    run(runner)
    assert [one.event for one in said(desk)] == [SafetyStockSet("main", 9)]
    assert (status(desk).state, status(desk).behind) == ("running", 0)


def test_changed_code_waits_until_its_plan_was_let_go_on(desk: Harness) -> None:
    first = runner_of(desk.log, desk.reader)
    desk.do(price("A", 500), price("B", 700))
    run(first)
    first.stop()
    changed = another_version()
    second = runner_of(desk.log, desk.reader, changed)
    run(second)
    assert pieces(desk) == {"A": 5, "B": 7}
    assert statuses(pool_of(desk.log), desk.reader, [changed])[0].state == "other version"
    planned = plan(pool_of(desk.log), desk.reader, changed, 10)
    tell(desk, e.PolicyResumed(name="guard", version=2))
    run(second)
    assert pieces(desk) == {"A": 50, "B": 70}
    assert planned.events == len(said(desk)) - 2
    assert plan(pool_of(desk.log), desk.reader, changed, 10).events == 0


def test_of_two_processes_one_speaks_and_the_one_that_was_overtaken_appends_nothing(
    desk: Harness, database: str
) -> None:
    slept, awake = runner_of(desk.log, desk.reader), runner_of(desk.log, desk.reader)
    run(slept)
    with psycopg.connect(database) as conn:
        conn.execute("UPDATE leases SET held_until = '-infinity' WHERE name = '@policy/guard'")
    desk.do(price("A", 500))
    run(awake)
    desk.do(price("A", 700))
    slept.tick()  # believes that it holds the lease
    run(awake)
    assert [one.event for one in said(desk)] == [SafetyStockSet("main", 5), SafetyStockSet("main", 7)]


HISTORY = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["A", "B", "C"]), st.integers(1, 9).map(lambda hundreds: hundreds * 100)),
        st.integers(1, 4),
        st.sampled_from(["run", "replay", "retry", "poison", "restart"]),
    ),
    min_size=1,
    max_size=14,
)


@examples(few=15, many=300)
@given(history=HISTORY)
def test_whatever_happened_the_plan_of_changed_code_is_what_it_appends_and_then_nothing_is_left(
    desk: Harness, database: str, history: list[tuple[str, int] | int | str]
) -> None:
    start_over(desk, database)
    runner = runner_of(desk.log, desk.reader)
    prices, by, poisoned = dict.fromkeys("ABC", 0), 1, False
    for step in history:
        match step:
            case (str() as sku, int() as amount):
                desk.do(price(sku, amount))
                prices[sku] = amount
            case int():
                (done,) = desk.do(factor(step))
                by = step if done.changed else by
            case "run":
                run(runner)
            case "poison":
                desk.do(price("C", POISON))
                poisoned = True
            case "retry":
                tell(desk, e.PolicyRetried(name="guard", groups=1))
            case _:
                runner.stop()
                if step == "replay":
                    forget(database)
                runner = runner_of(desk.log, desk.reader)
    run(runner)
    runner.stop()
    level = {sku: amount // 100 * by for sku, amount in prices.items()}
    assert {sku: pieces(desk).get(sku, 0) for sku in "AB"} == {sku: level[sku] for sku in "AB"}
    assert [one.key for one in parked_groups(pool_of(desk.log), "guard", None, 10).parked] == ["C"] * poisoned
    assert poisoned or pieces(desk).get("C", 0) == level["C"]
    assert plan(pool_of(desk.log), desk.reader, GUARD, 100).events == 0

    changed, before = another_version(), len(said(desk))
    planned = plan(pool_of(desk.log), desk.reader, changed, 100)
    tell(desk, e.PolicyResumed(name="guard", version=2))
    runner = runner_of(desk.log, desk.reader, changed)
    run(runner)
    runner.stop()
    appended = [
        (one.stream, one.version, one.event.quantity)
        for one in said(desk)[before:]
        if isinstance(one.event, SafetyStockSet)
    ]
    assert appended == [(one.stream, one.version, one.data["quantity"]) for one in planned.first]
    assert plan(pool_of(desk.log), desk.reader, changed, 100).events == 0


def test_killed_at_any_moment_each_thing_is_said_once(desk: Harness, database: str, tmp_path: Path) -> None:
    skus = [f"P-{number:03}" for number in range(300)]
    desk.do(*(c.CreateProduct(sku=sku) for sku in skus))
    priced = e.PriceChanged("default", Money(500, "EUR"))
    desk.log.record([(context(), [NewEvent(f"product/{sku}", 0, priced, sku, sku)]) for sku in skus])
    for number in range(2, 5):
        desk.do(factor(number))
        goal = min(len(said(desk)) + random.randint(1, 250), 300 * number)
        with python(RUNS_GUARD, database, tmp_path) as child:
            until(lambda goal=goal: len(said(desk)) >= goal, "the policy goes on")  # type: ignore[misc]
            os.kill(child.pid, signal.SIGKILL)
    runner = runner_of(desk.log, desk.reader)
    until(lambda: runner.tick() < 0.5, "the lease is free")
    run(runner)
    assert pieces(desk) == dict.fromkeys(skus, 20)
    for sku in skus:
        own = [one for one in said(desk) if one.sku == sku]
        values = [one.event.quantity for one in own if isinstance(one.event, SafetyStockSet)]
        assert values == sorted(set(values)), "nothing is said twice, and nothing older after something newer"
