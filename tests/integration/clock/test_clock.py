"""The clock on a real log: what was planned falls due once, in order, whatever happened to it and to the time."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import psycopg
import pytest

from daybook import commands as c
from daybook import events as e
from daybook.channel.registry import Registry
from daybook.clock.clock import Clock
from daybook.clock.schedules import page, show
from daybook.commands.schedules import MoveSchedule, PlannableChange, WithdrawSchedule, plan
from daybook.errors import CommandIdReused, InvalidValue, NotFound, Refused
from daybook.events import Recorded
from daybook.events.envelope import of_group
from daybook.log.pending import Context
from daybook.queries import waiting
from daybook.values import Money
from tests.fixtures.clocks import movable_clock, set_clock
from tests.fixtures.harness import MUG, Harness, harness_on
from tests.fixtures.logs import context, pool_of

HOUR = 3600.0


@pytest.fixture
def desk(database: str) -> Iterator[Harness]:
    """A book with a mug and a cup, on a Postgres whose clock the test sets."""
    movable_clock(database)
    with harness_on(database) as made:
        made.do(MUG, c.CreateProduct(sku="CUP", family="mugs"))
        yield made


def price(amount: str, sku: str = "MUG") -> c.ChangePrice:
    return c.ChangePrice(sku=sku, amount=amount, currency="EUR")


def planned(desk: Harness, change: PlannableChange, seconds: float, command_id: str | None = None) -> str:
    """Plans the change for so many seconds from now; the schedule's id."""
    sender = context(command_id)
    wish = plan(change, desk.log.now() + timedelta(seconds=seconds), sender.command_id)
    desk.book.carry_out(wish, sender, repeatable=command_id is not None)
    return wish.schedule


def clock_of(desk: Harness) -> Clock:
    return Clock(pool_of(desk.log), desk.book)


def run(clock: Clock) -> None:
    """Until nothing is due."""
    while clock.tick() == 0.0:
        pass


def fallen(desk: Harness) -> list[tuple[str, datetime]]:
    """What fell due or was refused, in the order of the log."""
    return [
        (one.event.schedule, one.event.due_at)
        for one in desk.reader.after(0)
        if isinstance(one.event, e.ScheduleFellDue | e.ScheduleRefused)
    ]


def product_events(desk: Harness, sku: str = "MUG") -> list[Recorded]:
    return [one for one in desk.reader.of_stream(f"product/{sku}") if not isinstance(one.event, e.ProductCreated)]


def test_a_planned_price_holds_from_its_moment_on_and_not_before(desk: Harness, database: str) -> None:
    clock, schedule = clock_of(desk), planned(desk, price("17.99"), HOUR)
    run(clock)
    assert product_events(desk) == []
    assert [one.schedule for one in page(pool_of(desk.log)).schedules] == [schedule]

    set_clock(database, HOUR + 1)
    run(clock)

    (changed,) = product_events(desk)
    assert changed.event == e.PriceChanged("default", Money(1799, "EUR"))
    assert page(pool_of(desk.log)).schedules == []
    assert show(desk.reader, schedule).state == "done"


def test_what_falls_due_and_what_that_changed_is_one_append_caused_by_its_plan(desk: Harness, database: str) -> None:
    sender = Context.new("ann", "cli", reason="spring sale", correlation_id="spring")
    wish = plan(price("17.99"), desk.log.now() + timedelta(hours=1), sender.command_id)
    desk.book.carry_out(wish, sender)
    (plans,) = desk.reader.of_stream(f"schedule/{wish.schedule}")
    set_clock(database, HOUR + 1)
    run(clock_of(desk))

    due, changed = desk.reader.after(plans.position)
    assert isinstance(due.event, e.ScheduleFellDue) and isinstance(changed.event, e.PriceChanged)
    assert due.command_id == changed.command_id
    for one in (due, changed):
        assert (one.actor, one.reason, one.source) == ("ann", "spring sale", "clock")
        assert (one.correlation_id, one.causation_id) == ("spring", plans.event_id)
    assert (changed.sku, changed.key) == ("MUG", "MUG")
    assert (due.sku, of_group(due.key)) == ("MUG", False)


def test_after_a_while_down_all_falls_due_in_the_order_of_moment_and_position(desk: Harness, database: str) -> None:
    at = desk.log.now()
    expected = []
    for number, hours in enumerate((3, 1, 2, 1, 3, 2)):
        sender = context()
        wish = plan(
            price(f"{number + 1}.00", ("MUG", "CUP")[number % 2]), at + timedelta(hours=hours), sender.command_id
        )
        desk.book.carry_out(wish, sender)
        expected.append((hours, number, wish.schedule))

    set_clock(database, 5 * HOUR)
    run(clock_of(desk))

    assert [schedule for schedule, _ in fallen(desk)] == [schedule for *_, schedule in sorted(expected)]


def test_two_changes_of_one_product_at_one_moment_both_happen_and_the_later_one_stays(
    desk: Harness, database: str
) -> None:
    desk.do(price("12.00"))
    at = desk.log.now() + timedelta(hours=1)
    for amount in ("10.00", "12.00"):  # the second one is as it is now, and would change nothing if looked at too early
        sender = context()
        desk.book.carry_out(plan(price(amount), at, sender.command_id), sender)
    set_clock(database, HOUR + 1)
    run(clock_of(desk))

    found = [one.event.price.amount for one in product_events(desk) if isinstance(one.event, e.PriceChanged)]
    assert found == [1200, 1000, 1200]


def test_a_clock_that_is_set_back_an_hour_brings_nothing_twice_and_nothing_out_of_order(
    desk: Harness, database: str
) -> None:
    first, second = planned(desk, price("1.00"), 1800), planned(desk, price("2.00"), 2 * HOUR)
    clock = clock_of(desk)
    set_clock(database, HOUR)
    run(clock)
    set_clock(database, 0)
    third = planned(desk, price("3.00"), 600)  # ten minutes after the book's time, which did not go back
    run(clock)
    assert [schedule for schedule, _ in fallen(desk)] == [first]

    set_clock(database, 3 * HOUR)
    run(clock)

    found = fallen(desk)
    assert [schedule for schedule, _ in found] == [first, third, second]
    assert [due for _, due in found] == sorted(due for _, due in found)


def test_a_clock_that_jumps_ahead_makes_due_what_lies_between_once_and_in_order(desk: Harness, database: str) -> None:
    schedules = [planned(desk, price(f"{n}.00"), n * 600) for n in range(1, 5)]
    clock = clock_of(desk)
    set_clock(database, HOUR)
    run(clock)
    set_clock(database, 60)
    run(clock)
    set_clock(database, 2 * HOUR)
    run(clock)

    assert [schedule for schedule, _ in fallen(desk)] == schedules


def test_what_the_book_refuses_then_is_kept_with_its_reason_until_a_person_moves_or_withdraws_it(
    desk: Harness, database: str
) -> None:
    listed = c.ListProduct(sku="MUG", channel="shop")
    schedule, other = planned(desk, listed, HOUR), planned(desk, price("9.00"), HOUR + 1)
    desk.do(c.DiscontinueProduct(sku="MUG"))
    set_clock(database, HOUR + 5)
    clock = clock_of(desk)
    run(clock)

    pool = pool_of(desk.log)
    (row,) = page(pool, state="refused").schedules
    assert (row.schedule, row.state) == (schedule, "refused")
    assert row.refused is not None and "discontinued" in row.refused
    assert [name for name, _ in fallen(desk)] == [schedule, other]
    (item,) = [one for one in waiting.report(pool, Registry([])).waiting if one.kind == "schedule_refused"]
    assert item.count == 1 and row.refused in item.reason and item.next_step == "daybook schedule list --refused"

    desk.do(c.ReinstateProduct(sku="MUG"))
    desk.do(MoveSchedule(schedule=schedule, due_at=desk.log.now() + timedelta(hours=1), change=listed))
    assert [one.schedule for one in page(pool).schedules] == [schedule]
    set_clock(database, 3 * HOUR)
    run(clock)
    assert show(desk.reader, schedule).state == "done"
    assert page(pool, state="refused").schedules == []


def test_what_was_withdrawn_or_moved_does_not_happen_then(desk: Harness, database: str) -> None:
    gone, moved = planned(desk, price("1.00"), HOUR), planned(desk, price("2.00"), HOUR)
    desk.do(WithdrawSchedule(schedule=gone, change=price("1.00")))
    desk.do(WithdrawSchedule(schedule=gone, change=price("1.00")))
    desk.do(MoveSchedule(schedule=moved, due_at=desk.log.now() + timedelta(hours=3), change=price("2.00")))
    clock = clock_of(desk)
    set_clock(database, 2 * HOUR)
    run(clock)
    assert product_events(desk) == []

    set_clock(database, 4 * HOUR)
    run(clock)
    assert [schedule for schedule, _ in fallen(desk)] == [moved]
    with pytest.raises(Refused, match="was carried out"):
        desk.do(WithdrawSchedule(schedule=moved, change=price("2.00")))
    with pytest.raises(Refused, match="is withdrawn"):
        desk.do(MoveSchedule(schedule=gone, due_at=desk.log.now() + timedelta(hours=3), change=price("1.00")))


def test_one_that_says_something_else_is_neither_moved_nor_withdrawn(desk: Harness) -> None:
    schedule = planned(desk, price("1.00"), HOUR)
    with pytest.raises(Refused, match="says something else"):
        desk.do(WithdrawSchedule(schedule=schedule, change=price("1.01")))
    with pytest.raises(NotFound, match="there is no schedule sch-0"):
        desk.do(WithdrawSchedule(schedule="sch-0", change=price("1.00")))


def test_a_moment_that_has_just_passed_is_now_and_one_long_past_or_far_ahead_is_refused(desk: Harness) -> None:
    with pytest.raises(InvalidValue, match=r"effective_at: has passed .* leave it out to have the change at once"):
        planned(desk, price("1.00"), -301)
    with pytest.raises(InvalidValue, match="effective_at: is more than five years ahead"):
        planned(desk, price("1.00"), 6 * 366 * 86400)
    with pytest.raises(InvalidValue, match="effective_at: needs a time zone"):
        desk.do(plan(price("1.00"), desk.log.now().replace(tzinfo=None), "no zone"))

    schedule = planned(desk, price("1.00"), -60)
    (row,) = page(pool_of(desk.log)).schedules
    assert row.due_at >= row.planned_at - timedelta(seconds=30)
    run(clock_of(desk))
    assert [name for name, _ in fallen(desk)] == [schedule]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (price("1.999"), "amount"),
        (c.ChangePrice(sku="MUG", amount="1", currency="XXQ"), "currency"),
        (c.ListProduct(sku="MUG", channel="nowhere"), "channel"),
        (c.SetAttributes(sku="MUG", changes=(e.AttributeChange(attribute="nope", value="x"),)), "nope"),
        (price("1.00", "NOSUCH"), "NOSUCH"),
    ],
)
def test_what_is_malformed_or_unknown_is_refused_when_it_is_planned(
    desk: Harness, change: PlannableChange, field: str
) -> None:
    head = desk.reader.head()
    with pytest.raises((InvalidValue, NotFound), match=field):
        planned(desk, change, HOUR)
    assert desk.reader.head() == head


def test_a_plan_that_is_sent_again_with_its_command_id_is_planned_once(desk: Harness) -> None:
    at = desk.log.now() + timedelta(hours=1)
    for _ in range(2):
        sender = context("erp-4711")
        desk.book.carry_out(plan(price("1.00"), at, sender.command_id), sender, repeatable=True)
    assert len(page(pool_of(desk.log)).schedules) == 1
    with pytest.raises(CommandIdReused):
        sender = context("erp-4711")
        desk.book.carry_out(plan(price("2.00"), at, sender.command_id), sender, repeatable=True)


def test_the_rows_may_be_dropped_and_are_folded_from_the_log_again(desk: Harness, database: str) -> None:
    pool = pool_of(desk.log)
    planned(desk, price("1.00"), HOUR)
    planned(desk, price("2.00"), 2 * HOUR)
    gone = planned(desk, price("3.00"), 3 * HOUR)
    desk.do(WithdrawSchedule(schedule=gone, change=price("3.00")))
    before = page(pool)
    with psycopg.connect(database) as conn:
        conn.execute("TRUNCATE schedules")
        conn.execute("UPDATE schedules_read SET position = 0")

    assert page(pool) == before
    assert len(before.schedules) == 2


def test_a_list_comes_in_pages_and_is_narrowed_down_to_a_product(desk: Harness) -> None:
    pool = pool_of(desk.log)
    wanted = [planned(desk, price(f"{n}.00", ("MUG", "CUP")[n % 2]), HOUR + n) for n in range(1, 6)]
    first = page(pool, limit=3)
    rest = page(pool, limit=3, after=first.next)
    assert [one.schedule for one in (*first.schedules, *rest.schedules)] == wanted
    assert rest.next is None
    assert {one.sku for one in page(pool, sku="CUP").schedules} == {"CUP"}
    with pytest.raises(InvalidValue, match="must be the `next` of a page"):
        page(pool, after="yesterday")


def test_one_clock_works_and_another_takes_over_when_it_lets_go(desk: Harness) -> None:
    first, second = clock_of(desk), clock_of(desk)
    run(first)
    planned(desk, price("1.00"), -1)
    assert second.tick() > 0.0
    assert fallen(desk) == []

    first.stop()
    run(second)
    assert len(fallen(desk)) == 1


def test_a_clock_that_was_overtaken_appends_nothing(desk: Harness, database: str) -> None:
    clock, schedule = clock_of(desk), planned(desk, price("1.00"), HOUR)
    run(clock)
    with psycopg.connect(database) as conn:  # it slept, and another took the lease
        conn.execute("UPDATE leases SET owner = 'another', token = token + 1 WHERE name = '@clock'")
    set_clock(database, HOUR + 0.5)
    assert clock.tick() > 0.0
    assert fallen(desk) == []

    with psycopg.connect(database) as conn:
        conn.execute("UPDATE leases SET held_until = '-infinity' WHERE name = '@clock'")
    run(clock)
    assert [name for name, _ in fallen(desk)] == [schedule]


def test_a_status_tells_of_what_is_due_while_no_clock_runs(desk: Harness, database: str) -> None:
    pool = pool_of(desk.log)
    assert [one for one in waiting.report(pool, Registry([])).waiting if one.kind == "clock_behind"] == []
    planned(desk, price("1.00"), HOUR)
    set_clock(database, HOUR + 60)

    (item,) = [one for one in waiting.report(pool, Registry([])).waiting if one.kind == "clock_behind"]
    assert (item.count, item.overdue, item.next_step) == (1, True, "daybook run clock")
    run(clock_of(desk))
    assert [one for one in waiting.report(pool, Registry([])).waiting if one.kind == "clock_behind"] == []


def test_a_rival_for_the_product_holds_up_nothing_and_no_order_is_lost(desk: Harness, database: str) -> None:
    schedules = [planned(desk, price(f"{n}.00", ("MUG", "CUP")[n % 2]), n) for n in range(1, 21)]
    set_clock(database, HOUR)
    clock, amount = clock_of(desk), 0
    while clock.tick() == 0.0:
        amount += 1
        desk.do(price(f"{100 + amount}.00", ("MUG", "CUP")[amount % 2]))

    assert [name for name, _ in fallen(desk)] == schedules
