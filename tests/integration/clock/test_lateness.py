"""Many changes, due within a second: on time while the clock runs; each once, in order, when it is killed."""

import os
import random
import signal
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import msgspec
import psycopg
import pytest

from daybook import commands as c
from daybook import events as e
from daybook.events.schedule import SCHEDULE_KEY
from daybook.log.pending import NewEvent
from tests.fixtures.child_programs import python
from tests.fixtures.harness import Harness, harness_on
from tests.fixtures.logs import context
from tests.fixtures.waiting import until

PRODUCTS = 100
P99_SECONDS_MAX = 1.0
"""On a machine that runs other tests meanwhile; `bench_promotion` measures."""
CLOCK = """
import sys
from pathlib import Path
from daybook.config import Settings
from daybook.roles import processes
processes.run(processes.clock, Settings(data=Path(sys.argv[2]), postgres=sys.argv[1]))
"""


def planned(desk: Harness, amount: int, within: float, ahead: float) -> list[str]:
    """So many prices of a hundred products, due within so many seconds; their schedules in order of time."""
    at = desk.log.now() + timedelta(seconds=ahead)
    commands = []
    for number in random.sample(range(amount), amount):
        sku, schedule = f"P-{number % PRODUCTS}", f"sch-{number}"
        change = msgspec.to_builtins(c.ChangePrice(sku=sku, amount=f"{number + 1}.00", currency="EUR"))
        moment = at + timedelta(seconds=within * number / amount)
        event = e.SchedulePlanned(schedule=schedule, due_at=moment, change=change)
        commands.append((context(), [NewEvent(f"schedule/{schedule}", 0, event, sku, SCHEDULE_KEY)]))
    desk.log.record(commands)
    assert desk.log.now() < at
    return [f"sch-{number}" for number in range(amount)]


@pytest.fixture
def desk(database: str) -> Iterator[Harness]:
    """A book with a hundred products."""
    with harness_on(database) as made:
        made.do(*(c.CreateProduct(sku=f"P-{number}") for number in range(PRODUCTS)))
        yield made


def runs(database: str) -> bool:
    with psycopg.connect(database) as conn:
        return conn.execute("SELECT 1 FROM leases WHERE name = '@clock'").fetchone() is not None


def fallen(desk: Harness) -> list[tuple[str, float]]:
    """What fell due, in the order of the log, and how many seconds late."""
    found = desk.reader.of_types(["schedule.fell_due.v1", "schedule.refused.v1"])
    return [
        (one.event.schedule, (one.recorded_at - one.event.due_at).total_seconds())
        for one in found
        if isinstance(one.event, e.ScheduleFellDue)
    ]


def percentile(seconds: list[float], part: float) -> float:
    return sorted(seconds)[int(len(seconds) * part)]


@pytest.mark.long
def test_changes_that_are_due_within_a_second_are_made_on_time_and_in_order(
    desk: Harness, database: str, tmp_path: Path
) -> None:
    with python(CLOCK, database, tmp_path) as clock:
        until(lambda: runs(database), "the clock runs")
        schedules = planned(desk, 200, 1.0, 2.0)
        until(lambda: len(fallen(desk)) == len(schedules), "all fell due")
        clock.send_signal(signal.SIGTERM)
        assert clock.wait(30) == 0

    found = fallen(desk)
    assert [schedule for schedule, _ in found] == schedules
    late = [seconds for _, seconds in found]
    assert min(late) >= 0
    assert percentile(late, 0.99) < P99_SECONDS_MAX, sorted(late)[-5:]


@pytest.mark.long
def test_a_thousand_due_at_once_while_the_clock_is_killed_fall_due_once_and_in_order(
    desk: Harness, database: str, tmp_path: Path
) -> None:
    schedules = planned(desk, 1000, 1.0, 3.0)
    kills = 0
    while (before := len(fallen(desk))) < len(schedules):
        goal = min(before + random.randint(1, 300), len(schedules))
        with python(CLOCK, database, tmp_path) as clock:
            until(lambda goal=goal: len(fallen(desk)) >= goal, "the clock goes on")  # type: ignore[misc]
            os.kill(clock.pid, signal.SIGKILL)
            kills += 1

    assert [schedule for schedule, _ in fallen(desk)] == schedules
    assert kills >= 3
    for number in range(PRODUCTS):
        product, _ = desk.book.product(f"P-{number}")
        assert product is not None and product.prices["default"]["EUR"] == (900 + number + 1) * 100
