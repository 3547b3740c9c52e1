"""Each way in which something can wait is made to happen, and then seen with its age, its reason and the next step."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import pytest

from daybook.app import App
from daybook.channel.orders import HeardOrder
from daybook.channel.registry import Registry
from daybook.clock.clock import Clock
from daybook.commands import (
    CancelOrder,
    ChangePrice,
    CountStock,
    CreateProduct,
    DefineCategory,
    DiscontinueProduct,
    ListProduct,
    PlaceOrder,
    ShipOrder,
)
from daybook.commands.orders import OrderedLine
from daybook.commands.schedules import plan
from daybook.config import Settings
from daybook.events import CategoryDefined, PolicyPaused, Recorded
from daybook.log.pending import Context, NewEvent
from daybook.people.person import Person
from daybook.policy.contract import Policy
from daybook.postgres.pool import Pool
from daybook.projection.starts import note_failures
from daybook.queries import connections, stream_state, waiting
from daybook.queries.waiting import WAYS, WaitingItem, WaitingReport, report
from tests.fixtures.channels import POISON, ToySandbox, toy
from tests.fixtures.clocks import movable_clock, set_clock
from tests.fixtures.commandline import Daybook
from tests.fixtures.owner import client_of
from tests.fixtures.pipeline import Pipeline, product, until
from tests.fixtures.policies import GUARD, another_version, runner_of
from tests.fixtures.policies import POISON as POISONED
from tests.fixtures.rebuilding import rebuilt


class Scene(Pipeline):
    """A channel with its pretended marketplace."""

    sandbox: ToySandbox

    def report(self) -> WaitingReport:
        return report(self.app.pool, self.app.registry)

    def waits(self, kind: str) -> WaitingItem | None:
        """What waits in this way."""
        return next((one for one in self.report().waiting if one.kind == kind), None)

    async def seen(self, kind: str, reason: str, next_step: str, count: int = 1) -> WaitingItem:
        """Returns what waits in this way once the list says all of it: reasons and counts come one after another."""
        item = None

        def told() -> bool:
            nonlocal item
            item = self.waits(kind)
            return item is not None and reason in item.reason and (item.next_step, item.count) == (next_step, count)

        try:
            await until(told, f"{kind}, {reason!r}, {next_step!r}, {count}")
        except AssertionError as error:
            raise AssertionError(f"{error}; the list says {item}") from None
        assert item is not None and item.level == WAYS[kind].level
        return item

    def execute(self, *statements: str) -> None:
        with psycopg.connect(self.dsn) as conn:
            for one in statements:
                conn.execute(one)


def _over_http(database: str) -> Any:
    with App(Settings(data=Path("unused"), postgres=database)) as app, client_of(app) as client:
        return client.get("/api/v1/status").json()


@asynccontextmanager
async def scene(
    database: str, nats_url: str, roles: Sequence[str] = ("relay", "runner", "delivery")
) -> AsyncIterator[Scene]:
    """A channel of which these roles run."""
    made = Scene(database, nats_url, toy())
    async with made:
        made.sandbox = ToySandbox()
        await made.sandbox.start()
        try:
            for role in roles:
                made.delivery(made.sandbox.settings()) if role == "delivery" else getattr(made, role)()
            await made.define_attributes()
            yield made
        finally:
            await made.sandbox.stop()


async def test_nothing_waits_when_every_channel_is_level(database: str, nats_url: str) -> None:
    async with scene(database, nats_url) as book:
        await book.carry_out(product("A"))
        await book.caught_up()
        await book.level()
        await until(lambda: book.report().waiting == [], "nothing waits")
        assert book.report().well and book.report().ready


async def test_a_channel_that_does_not_answer_is_told_after_its_bound_and_ready_stays_green(
    database: str, nats_url: str
) -> None:
    async with scene(database, nats_url) as book:
        book.sandbox.faults.outage = True
        await book.carry_out(*(product(f"S{number}") for number in range(4)))
        await until(lambda: book.waits("channel_down"), "the channel is down")
        item = await book.seen("channel_down", "was not answered", "daybook channel show toy", 12)
        assert item.seconds is not None and not item.overdue
        book.execute("UPDATE attempts SET at = at - interval '10 minutes'")
        assert (late := book.waits("channel_down")) is not None and late.overdue and (late.seconds or 0) > 600
        assert not book.report().well and book.report().ready


async def test_a_projection_that_nobody_runs_and_one_that_never_ran_are_named(database: str, nats_url: str) -> None:
    async with scene(database, nats_url, ["relay"]) as book:
        step = "daybook run project --only toy"
        await book.seen("projection_without_runner", "toy has never run here", step, 2)
        runner = book.runner()
        await book.caught_up()
        await book.end(runner)
        await book.carry_out(product("A"))
        item = await book.seen("projection_without_runner", "nobody runs toy", step, book.head() - book.position())
        assert item.since is not None


async def test_what_is_due_without_a_worker_paused_or_asked_to_stop_is_told(database: str, nats_url: str) -> None:
    async with scene(database, nats_url, ["relay", "runner"]) as book:
        await book.carry_out(product("A"))
        await book.caught_up()
        await book.seen("delivery_without_worker", "nobody delivers", "daybook run deliver --only toy", 3)
        book.channels.pause("toy", True)
        await book.seen("paused", "by a person", "daybook channel resume toy", 3)
        assert book.waits("delivery_without_worker") is None
        book.execute("UPDATE projections SET paused_because = 'HTTP 410: gone'")
        item = await book.seen("channel_stopped", "HTTP 410: gone", "daybook channel resume toy", 3)
        assert item.overdue, "it was the channel: a person has to look"


async def test_a_submission_without_end_what_was_refused_held_or_parked_is_told(database: str, nats_url: str) -> None:
    async with scene(database, nats_url) as book:
        await book.carry_out(product("BAD", "bad"), product("HELD", attributes=()), product("POISON", POISON))
        await book.caught_up()
        await until(lambda: book.status().rejected, "it is refused")
        book.sandbox.asynchronous = book.sandbox.pending = True
        await book.carry_out(product("SLOW"))
        listing = "daybook channel listing SLOW --channel toy --attempts"
        item = await book.seen("submission", "not confirmed yet", listing, 3)
        assert item.bound_seconds == toy().submission_seconds_max and not item.overdue
        await book.seen("rejected", "BAD", "daybook channel rejected toy")
        await book.seen("blocked", "BAD", "daybook channel rejected toy", 2)
        await book.seen("held", "it has no name", "daybook channel show toy")
        parked = await book.seen("parked", "POISON: RuntimeError", "daybook channel parked toy")
        assert parked.overdue
        book.execute("UPDATE deliveries SET submitted_at = submitted_at - interval '2 hours' WHERE state = 'accepted'")
        assert (late := book.waits("submission")) is not None and late.overdue


async def test_what_is_never_there_is_told_by_its_age_however_often_it_is_tried(database: str, nats_url: str) -> None:
    async with scene(database, nats_url) as book:
        await book.carry_out(product("Z", "bad", kind="model"), product("Z-1", parent="Z", kind="variant"))
        await until(lambda: book.sandbox.count("Z-1"), "one variant is there, and the refused root never is")
        await book.carry_out(product("Z-2", parent="Z", kind="variant"))
        listing = "daybook channel listing Z-2 --channel toy --attempts"
        item = await book.seen("not_there_yet", "Z comes first", listing, 3)
        assert not item.overdue
        tries = len(book.channels.attempts("toy", "Z-2"))
        book.execute("UPDATE attempts SET at = at - interval '2 hours' WHERE sku = 'Z-2'")
        await until(lambda: len(book.channels.attempts("toy", "Z-2")) > tries, "it is tried again")
        assert (late := book.waits("not_there_yet")) is not None and late.overdue


@pytest.mark.parametrize(
    ("kind", "reason", "lane"),
    [
        ("lane_without_time", "no time is set", "next_try = NULL"),
        ("stranded", "days away", "next_try = clock_timestamp() + interval '1 year'"),
        ("stranded", "days away", "leased_until = clock_timestamp() + interval '3 days'"),
        ("failing", "HTTP 500", "last_error = 'HTTP 500', attempts = 2"),
        ("not_there_yet", "A-MODEL comes first", "last_error = 'A-MODEL comes first', attempts = 1"),
        ("due", "in the queue", "next_try = clock_timestamp() + interval '1 day'"),
    ],
)
async def test_what_is_due_and_stands_is_told_by_the_reason_for_which_it_stands(
    database: str, nats_url: str, kind: str, reason: str, lane: str
) -> None:
    async with scene(database, nats_url, ["relay", "runner"]) as book:
        await book.carry_out(product("A"))
        await book.caught_up()
        outcome = "waiting" if kind == "not_there_yet" else "unavailable"
        book.execute(
            "INSERT INTO delivery_workers (channel, owner, alive_until) "
            "VALUES ('toy', 'w', clock_timestamp() + interval '1 hour')",
            f"UPDATE lanes SET {lane}",
            "INSERT INTO attempts (at, channel, sku, facet, position, outcome) "
            f"VALUES (clock_timestamp() - interval '2 hours', 'toy', 'A', 'offer', 1, '{outcome}')",
        )
        item = await book.seen(kind, reason, "daybook channel listing A --channel toy --attempts", 3)
        # What failed waits since the first try that failed, not since the last.
        assert item.overdue is (kind in ("failing", "not_there_yet", "stranded"))


async def test_a_listing_of_which_delivery_knows_nothing_is_found_and_a_rebuild_mends_it(
    database: str, nats_url: str
) -> None:
    async with scene(database, nats_url) as book:
        await book.carry_out(product("A"), product("B"))
        await book.caught_up()
        await book.level()
        book.execute(
            "DELETE FROM deliveries WHERE sku = 'A' AND facet = 'offer'",
            "UPDATE deliveries SET desired = '\\x00', state = 'confirmed' WHERE sku = 'B' AND facet = 'stock'",
        )
        await book.seen("unaccounted", "A first", "daybook channel rebuild toy --apply", 2)
        assert not book.report().well
        await rebuilt(database, toy(), apply=True, fresh=True)
        await book.level()
        assert book.waits("unaccounted") is None


async def test_a_doubt_a_checkpoint_beyond_and_a_rebuild_that_stands_or_is_ready_are_told(
    database: str, nats_url: str
) -> None:
    async with scene(database, nats_url, ["relay", "runner"]) as book:
        await book.caught_up()
        generation = (
            "INSERT INTO generations (projection, generation, code_version, state, created_at, moved_at) VALUES"
        )
        ago = "clock_timestamp() - interval '1 hour'"
        book.execute(
            "INSERT INTO doubts (channel, lane, owner, pid, session_began, since) "
            f"VALUES ('toy', 'A', 'w', 1, {ago}, {ago})",
            f"{generation} ('toy', 2, 1, 'building', {ago}, {ago}), ('toy', 3, 1, 'ready', {ago}, {ago})",
        )
        assert (await book.seen("doubted", "has not ended", "daybook channel show toy")).overdue
        assert (await book.seen("rebuild", "generation 2", "daybook channel rebuild toy")).overdue
        await book.seen("rebuild_ready", "generation 3", "daybook channel plan toy 3")
        book.execute("UPDATE generations SET beyond = 1 WHERE generation = 1")
        item = await book.seen("checkpoint_beyond", "the log does not have", "daybook channel rebuild toy --apply")
        assert item.overdue and not book.report().well


async def test_a_channel_that_can_not_be_started_is_told_since_it_was_said_first(database: str, nats_url: str) -> None:
    async with scene(database, nats_url, ["relay", "runner"]) as book:
        await book.caught_up()
        said = {"toy": "toy is not connected: set DAYBOOK_CHANNEL_TOY_URL"}
        await asyncio.to_thread(note_failures, book.app.pool, "deliver", said)
        book.execute("UPDATE start_failures SET since = since - interval '1 minute'")
        await asyncio.to_thread(note_failures, book.app.pool, "deliver", said)
        item = await book.seen("not_started", "DAYBOOK_CHANNEL_TOY_URL", "daybook channel show toy")
        assert item.overdue, "said anew, it is not young"


async def test_a_stream_that_is_not_there_makes_it_not_ready(database: str, nats_url: str) -> None:
    async with scene(database, nats_url, []) as book:
        book.execute(
            "UPDATE stream_state SET said_at = clock_timestamp(), trouble = 'missing', reason = 'no room on the disk', "
            "since = clock_timestamp() - interval '2 minutes', message_bytes = 1000"
        )
        item = await book.seen("stream_missing", "no room on the disk", "daybook log verify", 2)
        assert item.overdue and not book.report().ready and not book.report().well
        await book.seen("stream_limit", "set max_payload", "daybook config")


async def test_hardly_a_connection_left_is_told_with_the_numbers(
    database: str, nats_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with scene(database, nats_url, []) as book:
        assert book.waits("connections") is None
        budget = connections.read(book.app.pool)
        assert 0 < budget.ours <= budget.used < budget.limit
        monkeypatch.setattr(connections, "FREE_MIN", budget.limit)
        await until(lambda: book.waits("connections"), "it is in the list")
        item = book.waits("connections")
        assert item is not None and f"gives {budget.limit} connections" in item.reason
        assert not book.report().well and book.report().ready


async def test_a_stream_that_is_being_filled_and_projections_that_fail_or_read_on_are_told(
    database: str, nats_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream_state, "BEHIND_SECONDS", 0.0)
    async with scene(database, nats_url, ["relay", "runner"]) as book:
        await book.caught_up()
    async with scene(database, nats_url, []) as book:
        await book.carry_out(product("A"))
        book.execute(
            f"UPDATE stream_state SET said_at = clock_timestamp(), trouble = NULL, published = {book.position()}",
            "INSERT INTO leases (name, owner, token, held_until) VALUES "
            "('project:toy', 'w', 99, clock_timestamp() + interval '1 hour') "
            "ON CONFLICT (name) DO UPDATE SET held_until = excluded.held_until",
        )
        behind = book.head() - book.position()
        await book.seen("stream_behind", "publishes", "daybook log verify", behind)
        item = await book.seen("projection_behind", "reads on", "daybook channel show toy", behind)
        assert not item.overdue and book.report().well
        failed = """failure = '{"error": "ValueError: no"}', moved_at = moved_at - interval '1 hour'"""
        book.execute(f"UPDATE generations SET {failed}")
        item = await book.seen("projection_failing", "ValueError: no", "daybook channel show toy", behind)
        assert item.overdue and not book.report().well


async def test_a_channel_that_refuses_connections_is_told_with_that_reason(database: str, nats_url: str) -> None:
    async with scene(database, nats_url) as book:
        await book.sandbox.stop()
        await book.carry_out(*(product(f"S{number}") for number in range(4)))
        await book.seen("channel_down", "Cannot connect to host", "daybook channel show toy", 12)


async def test_an_erasure_and_a_write_of_peoples_data_that_were_cut_off_are_told(database: str, nats_url: str) -> None:
    async with scene(database, nats_url, []) as book:
        add = book.app.people.add
        person = (await asyncio.to_thread(add, Person(name="Ada"), Context.new("clerk", "test"))).person
        assert book.waits("erasure") is None and book.waits("abandoned_people") is None
        book.execute(
            f"INSERT INTO erasures (person, begun_at) VALUES ('{person}', clock_timestamp() - interval '1 hour')",
            "UPDATE sealed_people SET settled = false, sealed_at = sealed_at - interval '1 day'",
        )
        item = await book.seen("erasure", person, f"daybook privacy erase {person}")
        assert item.overdue and not book.report().well
        await book.seen("abandoned_people", "were cut off", "daybook privacy replay")


async def test_orders_that_nobody_takes_or_can_take_and_a_channel_that_is_not_asked_are_told(
    database: str, nats_url: str
) -> None:
    async with scene(database, nats_url, []) as book:
        heard = HeardOrder(number="1", stamp=None, body=b"{}")
        assert await asyncio.to_thread(book.app.heard.hear, "toy", heard, "message")
        item = await book.seen("orders_waiting", "no intake takes them", "daybook run intake")
        assert not item.overdue
        (opened,) = book.app.heard.waiting(["toy"])
        book.app.heard.refuse(opened.waiting, None, "not_found", "lines[0].sku", "there is no product X")
        item = await book.seen("orders_refused", "toy:1 first: there is no product X", "daybook order refused")
        assert item.overdue and not book.report().well
        book.app.heard.dismiss(["toy:1"])
        assert book.waits("orders_refused") is None and book.waits("orders_unasked") is None
        long_ago = "clock_timestamp() - interval '1 hour'"
        book.execute(f"INSERT INTO order_cursors (channel, since, asked_at) VALUES ('toy', {long_ago}, {long_ago})")
        await book.seen("orders_unasked", "nobody asks it", "daybook run intake --only toy")
        book.execute(f"UPDATE order_cursors SET error = 'HTTP 503', failing = {long_ago}")
        item = await book.seen("orders_unasked", "HTTP 503", "daybook channel show toy")
        assert item.overdue


async def test_messages_that_nobody_takes_or_that_were_refused_are_told(database: str, nats_url: str) -> None:
    async with scene(database, nats_url, []) as book:
        assert book.waits("inbox_unread") is None, "nobody has ever read it, so nobody sends"
        book.execute(
            "UPDATE inbox_position SET stream = clock_timestamp(), noted_at = clock_timestamp() - interval '5 minutes'",
            "INSERT INTO inbox_refused (command_id, sender, subject, body, sequence, code, reason)"
            " VALUES (gen_random_uuid(), 'erp', 'daybook-in.erp.x', '', 1, 'not_found', 'there is no product X')",
        )
        item = await book.seen("inbox_unread", "nobody takes what other systems send", "daybook run intake")
        assert item.overdue
        item = await book.seen("inbox_refused", "first: there is no product X", "daybook inbox list", 1)
        assert item.overdue and not book.report().well


async def test_orders_that_are_not_sent_are_told_with_their_age_and_those_that_sold_too_much(
    database: str, nats_url: str
) -> None:
    movable_clock(database)
    set_clock(database, 0)
    async with scene(database, nats_url, []) as book:
        await book.carry_out(CreateProduct(sku="B"))
        line = OrderedLine(sku="B", quantity=2, price="10.00")
        for number in "123":
            sold = PlaceOrder(channel="toy", number=number, currency="EUR", lines=(line,), already_sold=True)
            await book.carry_out(sold)
        await book.carry_out(CountStock(sku="B", quantity=10))
        await book.carry_out(ShipOrder(order="toy:1", parcel="P1", lines={"1": 1}), CancelOrder(order="toy:3"))
        step = "daybook order list --channel toy"
        reason = "2 to be sent, 1 of them in part; toy:1 first"
        item = await book.seen("orders_unshipped", reason, f"{step} --state open", 2)
        assert not item.overdue
        item = await book.seen("orders_oversold", "toy:1 first: count, buy or cancel", f"{step} --oversold", 2)
        assert item.level == "note"
        set_clock(database, 4 * 86400)
        assert (await book.seen("orders_unshipped", reason, f"{step} --state open", 2)).overdue
        await book.carry_out(ShipOrder(order="toy:1", parcel="P2"), ShipOrder(order="toy:2", parcel="P3"))
        assert book.waits("orders_unshipped") is None and book.waits("orders_oversold") is None


async def test_changes_that_nobody_makes_in_time_and_those_that_the_book_refused_are_told(
    database: str, nats_url: str
) -> None:
    movable_clock(database)
    set_clock(database, 0)
    async with scene(database, nats_url, []) as book:
        await book.carry_out(product("A"))
        listed = ListProduct(sku="A", channel="toy")
        await book.carry_out(plan(listed, book.app.log.now() + timedelta(hours=1), "c1"))
        await book.carry_out(DiscontinueProduct(sku="A"))
        set_clock(database, 3700)
        item = await book.seen("clock_behind", "for a moment that has come", "daybook run clock")
        assert item.overdue
        clock = Clock(book.app.pool, book.app.book)
        while await asyncio.to_thread(clock.tick) == 0.0:
            pass
        clock.stop()
        assert book.waits("clock_behind") is None
        await book.seen("schedule_refused", "discontinued", "daybook schedule list --refused")


def of_policy(book: Scene, policy: Policy = GUARD) -> dict[str, WaitingItem]:
    """What waits of the policy, by kind."""
    found = report(book.app.pool, book.app.registry, installed=[policy])
    return {one.kind: one for one in found.waiting if one.kind.startswith("policy_")}


def run_policy(book: Scene, policy: Policy) -> None:
    """Until there is nothing to do; then nobody runs it."""
    runner = runner_of(book.app.log, book.app.reader, policy)
    while runner.tick() == 0.0:
        pass
    runner.stop()


async def test_policies_that_fail_park_wait_or_are_paused_are_told(database: str, nats_url: str) -> None:
    async with scene(database, nats_url, []) as book:
        await book.carry_out(product("A"))
        await asyncio.to_thread(run_policy, book, GUARD)
        assert of_policy(book) == {}

        await book.carry_out(ChangePrice(sku="A", amount=f"{POISONED // 100}.00", currency="EUR"))
        behind = of_policy(book)["policy_behind"]
        assert (behind.channel, behind.count, behind.next_step) == ("guard", 1, "daybook policy show guard")
        assert "nobody runs it" in behind.reason

        await asyncio.to_thread(run_policy, book, GUARD)
        parked = of_policy(book)["policy_parked"]
        assert (parked.count, parked.next_step) == (1, "daybook policy parked guard") and parked.overdue

        version = of_policy(book, another_version())["policy_version"]
        assert version.next_step == "daybook policy plan guard" and "version 2 waits" in version.reason

        def broken(shared: Any, one: Recorded) -> Any:
            raise ValueError("no such code")

        await book.carry_out(DefineCategory(category=CategoryDefined(code="factor-2")))
        await asyncio.to_thread(run_policy, book, msgspec.structs.replace(GUARD, fold_shared=broken))
        failing = of_policy(book)["policy_failing"]
        assert failing.reason == "ValueError: no such code"

        paused = NewEvent("policy/guard", 0, PolicyPaused(name="guard"), None, "@policy/guard")
        book.app.log.record([(Context.new("ann", "test", reason="prices are checked"), [paused])])
        told = of_policy(book)["policy_paused"]
        assert (told.reason, told.next_step) == ("ann: prices are checked", "daybook policy resume guard")


def test_each_way_of_waiting_is_made_to_happen_here() -> None:
    here = Path(__file__).read_text(encoding="utf-8")
    assert [kind for kind in WAYS if f'"{kind}"' not in here] == []


async def test_many_probes_make_one_report_and_a_slow_one_is_remembered_for_longer(
    database: str, nats_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[bool] = []

    def counted(pool: Pool, registry: Registry, thorough: bool = True) -> WaitingReport:
        made.append(thorough)
        return report(pool, registry, thorough)

    monkeypatch.setattr(waiting, "report", counted)
    async with scene(database, nats_url, []) as book:
        for _ in range(3):
            assert waiting.remembered(book.app.pool, book.app.registry).position == book.head()
        assert made == [False]
    monkeypatch.setattr(waiting, "REMEMBERED_SECONDS", 0.0)
    for times, reports in ((0.0, 3), (1e6, 1)):
        made.clear()
        monkeypatch.setattr(waiting, "REMEMBERED_TIMES", times)
        async with scene(database, nats_url, []) as book:
            for _ in range(3):
                waiting.remembered(book.app.pool, book.app.registry)
            assert len(made) == reports


async def test_a_clock_that_was_set_back_is_told(database: str, nats_url: str) -> None:
    movable_clock(database)
    async with scene(database, nats_url, []) as book:
        set_clock(database, -3600)
        await book.seen("clock", "behind the log's last event", "date --utc")
        assert not book.report().well


async def test_the_command_tells_all_of_it_and_its_exit_code_tells_well_from_not(database: str, nats_url: str) -> None:
    async with scene(database, nats_url, []) as book:
        daybook = Daybook({"DAYBOOK_POSTGRES": database})
        book.execute("UPDATE stream_state SET said_at = clock_timestamp(), published = 2")
        as_json = await asyncio.to_thread(daybook, "status", "--json")
        assert set(as_json.json) == set(WaitingReport.__struct_fields__)
        assert set(as_json.json["waiting"][0]) == set(WaitingItem.__struct_fields__)
        assert [one | {"seconds": 0} for one in as_json.json["waiting"]] == [
            one | {"seconds": 0} for one in _over_http(database)["waiting"]
        ]
        assert (as_json.code, as_json.json["well"]) == (0, True), "nothing ran yet, for a moment only"
        book.execute("UPDATE stream_state SET said_at = clock_timestamp() - interval '1 hour'")
        plain = await asyncio.to_thread(daybook, "status")
        await book.seen("stream_stuck", "no relay has been heard of", "daybook run relay", 0)
        assert plain.code == 8 and "stream stuck" in plain.stdout
        assert "$ daybook run relay" in plain.stdout and "not well" in plain.stdout
