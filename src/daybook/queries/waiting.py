"""Everything that waits: what, how much, since when, why, and the next step. The one place that knows every way.

Read from Postgres alone, so it is true also when every worker is dead. A new way in which something can wait is a line
in `ways.WAYS`, a question that finds it, and a test that makes it happen.
"""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any
from weakref import WeakKeyDictionary

import msgspec

from daybook.channel.registry import Registry
from daybook.delivery.breaker import FAILURES_TO_OPEN
from daybook.policy.contract import Policy
from daybook.policy.installed import POLICIES
from daybook.postgres.pool import Connection, Pool, reachable
from daybook.postgres.sql import beside
from daybook.projection import beyond
from daybook.projection.generations import Generation
from daybook.projection.starts import SHOWN_SECONDS
from daybook.queries import clock, connections, policies, stream_state
from daybook.queries.ways import WAYS as WAYS
from daybook.queries.ways import Level as Level
from daybook.queries.ways import Way as Way

QUERIES = beside(__file__)

STRANDED_SECONDS = 2 * 86400.0
"""No rule lets a lane wait for so long; what must not be sold any more is put a day back, to be first."""
LOOKED_UP_FACETS = 1000
"""Of each channel, for how many facets it is looked up since when they fail: the oldest ones."""


class WaitingItem(msgspec.Struct, frozen=True, kw_only=True):
    """Something that waits."""

    kind: str
    """One of those above."""
    level: Level
    """What is to be thought of it."""
    channel: str | None
    """The channel or read model; None for what concerns all of them."""
    count: int
    """Of what the kind counts, as above; 1 where it counts nothing."""
    since: datetime | None
    """The oldest of them; None where nobody knows."""
    seconds: float | None
    """For so long."""
    bound_seconds: float
    """After so long a person is told."""
    overdue: bool
    """It has passed its bound."""
    reason: str
    """Why it waits, in words."""
    next_step: str
    """A command that can be typed."""


class WaitingReport(msgspec.Struct, frozen=True, kw_only=True):
    """All that waits, the worst first."""

    well: bool
    """Nothing waits longer than it should; what is only a note does not count."""
    ready: bool
    """No failure has passed its bound."""
    position: int
    """The log's head."""
    waiting: list[WaitingItem]


class _Look:
    """One look at everything, in one transaction."""

    def __init__(self, conn: Connection, registry: Registry, now: datetime, thorough: bool) -> None:
        self._thorough = thorough
        self._conn = conn
        self._manifests = {one.name: one for one in registry.all()}
        self._installed = registry.installed
        self._now = now

    def item(
        self,
        kind: str,
        channel: str | None,
        count: int,
        since: datetime | None,
        reason: str,
        next_step: str,
        bound: float | None = None,
    ) -> WaitingItem:
        way = WAYS[kind]
        # A time that lies ahead counts like one as far back: a clock was set, and nothing may look well because of it.
        seconds = None if since is None else round(abs((self._now - since).total_seconds()), 3)
        bound = way.bound_seconds if bound is None else bound
        return WaitingItem(
            kind=kind,
            level=way.level,
            channel=channel,
            count=count,
            since=since,
            seconds=seconds,
            bound_seconds=bound,
            overdue=seconds is None or seconds >= bound,
            reason=reason,
            next_step=next_step,
        )

    def everything(self) -> Iterator[WaitingItem]:
        yield from self._stream()
        yield from self._connections()
        yield from self._people()
        yield from self._orders()
        yield from self._planned()
        rows = [row for row in self._conn.execute(QUERIES["waiting_projections"]) if row[0] in self._manifests]
        waits: dict[str, list[Any]] = {}
        bounds = {"stranded": STRANDED_SECONDS, "looked_up": LOOKED_UP_FACETS}
        for channel, *rest in self._conn.execute(QUERIES["waiting_deliveries"], bounds):
            waits.setdefault(channel, []).append(rest)
        for row in rows:
            yield from self._projection(row)
            yield from self._channel(row, waits.get(row[0], []))
            yield from self._held(row[0], row[-1])
            if self._thorough and self._manifests[row[0]].connector is not None:
                yield from self._unaccounted(row[0], row[-1])
        yield from self._never_run({row[0] for row in rows})
        yield from self._others()

    def _never_run(self, known: set[str]) -> Iterator[WaitingItem]:
        """What was added and never ran, and all that is installed when nothing has ever run."""
        query = "SELECT position, (SELECT recorded_at FROM events WHERE position = 1) FROM head WHERE position > 0"
        for head, since in self._conn.execute(query):
            for name in self._manifests:
                if name not in known and not (known and name in self._installed):
                    reason, step = f"{name} has never run here", f"daybook run project --only {name}"
                    yield self.item("projection_without_runner", name, head, since, reason, step)

    def _stream(self) -> Iterator[WaitingItem]:
        state = stream_state.read_with(self._conn)
        if state.state != "level":
            reason = state.reason or "the relay publishes what the log has"
            step = "daybook log verify"
            if "daybook failover" in reason:
                step = "daybook failover"
            elif "run relay" in reason:
                step = "daybook run relay"
            yield self.item(f"stream_{state.state}", None, state.behind, state.since, reason, step)
        if state.warning is not None:
            yield self.item("stream_limit", None, 1, None, state.warning, "daybook config")

    def _people(self) -> Iterator[WaitingItem]:
        for count, person, since in self._conn.execute(QUERIES["waiting_erasures"]):
            reason = f"the erasure of {person} was cut off: the same again goes on where it was"
            yield self.item("erasure", None, count, since, reason, f"daybook privacy erase {person}")
        for count, since in self._conn.execute(QUERIES["waiting_people"]):
            reason = "sealed values that no event names: their writers were cut off"
            yield self.item("abandoned_people", None, count, since, reason, "daybook privacy replay")

    def _orders(self) -> Iterator[WaitingItem]:
        for channel, count, since in self._conn.execute(QUERIES["waiting_heard"]):
            yield self.item("orders_waiting", channel, count, since, "no intake takes them", "daybook run intake")
        for channel, count, order, why, since in self._conn.execute(QUERIES["waiting_refused"]):
            yield self.item("orders_refused", channel, count, since, f"{order} first: {why}", "daybook order refused")
        yield from self._inbox()
        yield from self._unshipped()
        for channel, since, why in self._conn.execute(QUERIES["waiting_unasked"]):
            if channel in self._manifests:
                step = f"daybook run intake --only {channel}" if why is None else f"daybook channel show {channel}"
                reason = "nobody asks it" if why is None else f"it does not tell its orders: {why}"
                yield self.item("orders_unasked", channel, 1, since, reason, step)

    def _inbox(self) -> Iterator[WaitingItem]:
        for noted, count, since, why in self._conn.execute(QUERIES["waiting_inbox"]):
            if noted is not None:
                yield self.item(
                    "inbox_unread", None, 1, noted, "nobody takes what other systems send", "daybook run intake"
                )
            if count:
                yield self.item("inbox_refused", None, count, since, f"first: {why}", "daybook inbox list")

    def _unshipped(self) -> Iterator[WaitingItem]:
        rows = self._conn.execute(QUERIES["waiting_unshipped"]) if self._thorough else ()
        for channel, count, partly, since, first, oversold, oversold_since, first_oversold in rows:
            reason = f"{count} to be sent, {partly} of them in part; {first} first"
            step = f"daybook order list --channel {channel}"
            state = "partly_shipped" if partly == count else "open"
            yield self.item("orders_unshipped", channel, count, since, reason, f"{step} --state {state}")
            if oversold:
                reason = f"{first_oversold} first: count, buy or cancel what is not there"
                yield self.item("orders_oversold", channel, oversold, oversold_since, reason, f"{step} --oversold")

    def _planned(self) -> Iterator[WaitingItem]:
        for count, since in self._conn.execute(QUERIES["waiting_clock"]):
            reason = "changes that were planned for a moment that has come are not made"
            yield self.item("clock_behind", None, count, since, reason, "daybook run clock")
        for count, why, since in self._conn.execute(QUERIES["waiting_refused_changes"]):
            yield self.item("schedule_refused", None, count, since, f"last: {why}", "daybook schedule list --refused")

    def _connections(self) -> Iterator[WaitingItem]:
        budget = connections.read_with(self._conn)
        if budget.warning is not None:
            step = "psql -c 'TABLE pg_stat_activity'"
            yield self.item("connections", None, budget.used, None, budget.warning, step)

    def _projection(self, row: Any) -> Iterator[WaitingItem]:
        name, _, _, lag, is_beyond, ended, position, failure, moved, unread, run = row[:11]
        if is_beyond:
            step = f"daybook channel rebuild {name} --apply"
            yield self.item("checkpoint_beyond", name, 1, None, beyond.words(name, position, ended), step)
        elif failure:
            said = msgspec.json.decode(failure)
            step = f"daybook channel show {name}"
            yield self.item("projection_failing", name, max(0, lag), moved, str(said.get("error", said)), step)
        elif lag > 0 and not run:
            reason = f"nobody runs {name}; its listings stand at position {position}"
            step = f"daybook run project --only {name}"
            yield self.item("projection_without_runner", name, lag, unread, reason, step)
        elif lag > 0:
            reason = f"the runner is at position {position} and reads on"
            yield self.item("projection_behind", name, lag, unread, reason, f"daybook channel show {name}")

    def _channel(self, row: Any, waits: list[Any]) -> Iterator[WaitingItem]:
        name, paused, because = row[:3]
        workers, failures, why, by = row[11:15]
        manifest = self._manifests[name]
        kinds = {kind: (count, sku, error, since) for kind, count, sku, error, since in waits}
        due = [kinds[kind] for kind in _DUE if kind in kinds]
        count, since = sum(one[0] for one in due), min((one[3] for one in due if one[3]), default=None)
        if paused:
            kind = "paused" if because is None else "channel_stopped"
            reason = because or f"paused by {by or 'a person'}"
            yield self.item(kind, name, count, since, reason, f"daybook channel resume {name}")
        elif failures >= FAILURES_TO_OPEN:
            reason = f"{failures} failures in a row: {why or 'no reason was given'}"
            yield self.item("channel_down", name, count, since, reason, f"daybook channel show {name}")
        elif due and not workers and manifest.connector is not None:
            step = f"daybook run deliver --only {name}"
            yield self.item("delivery_without_worker", name, count, since, f"nobody delivers to {name}", step)
        else:
            for kind, reason in _DUE.items():
                if kind in kinds:
                    count, sku, error, since = kinds[kind]
                    step = f"daybook channel listing {sku} --channel {name} --attempts"
                    yield self.item(kind, name, count, since, error or reason, step)
        if "submission" in kinds:
            count, sku, _, since = kinds["submission"]
            step = f"daybook channel listing {sku} --channel {name} --attempts"
            reason = f"accepted, and not confirmed yet; {sku} first"
            yield self.item("submission", name, count, since, reason, step, manifest.submission_seconds_max)
        if "rejected" in kinds:
            count, sku, _, since = kinds["rejected"]
            yield self.item("rejected", name, count, since, f"refused; {sku} first", f"daybook channel rejected {name}")
        if "blocked" in kinds:
            count, sku, _, since = kinds["blocked"]
            reason = f"the channel refused the listing that they belong to; {sku} first"
            yield self.item("blocked", name, count, since, reason, f"daybook channel rejected {name}")

    def _held(self, name: str, live: int) -> Iterator[WaitingItem]:
        query = Generation(name, live).composed(QUERIES["waiting_held"])
        for count, reason, since in self._conn.execute(query):
            if count:
                step = f"daybook channel show {name}"
                yield self.item("held", name, count, since, f"most often: {reason}", step)

    def _unaccounted(self, name: str, live: int) -> Iterator[WaitingItem]:
        query = Generation(name, live).composed(QUERIES["waiting_unaccounted"])
        for count, sku, since in self._conn.execute(query, (name,)):
            if count:
                reason = f"the listing and the delivery differ, {sku} first: please report it; a rebuild mends it"
                yield self.item("unaccounted", name, count, since, reason, f"daybook channel rebuild {name} --apply")

    def _others(self) -> Iterator[WaitingItem]:
        for name, count, since, error in self._conn.execute(QUERIES["waiting_parked"]):
            if name in self._manifests:
                yield self.item("parked", name, count, since, error, f"daybook channel parked {name}")
        for name, count, since, alive in self._conn.execute(QUERIES["waiting_doubts"]):
            if name in self._manifests:
                reason = "their worker has told what it did: they are brought anew next"
                if alive:
                    reason = "their worker fell silent and has not ended: end that process, and they are brought anew"
                yield self.item("doubted", name, count, since, reason, f"daybook channel show {name}")
        for name, role, error, since in self._conn.execute(QUERIES["waiting_starts"], (SHOWN_SECONDS,)):
            step = f"daybook channel show {name}"
            yield self.item("not_started", name, 1, since, f"{role}: {error}", step)
        for name, number, state, since, ranges, done in self._conn.execute(QUERIES["waiting_rebuilds"]):
            if state == "ready":
                reason = f"generation {number} is ready"
                yield self.item("rebuild_ready", name, 1, since, reason, f"daybook channel plan {name} {number}")
            else:
                reason = f"generation {number}: {done} of {ranges} parts are filled"
                yield self.item("rebuild", name, 1, since, reason, f"daybook channel rebuild {name}")


_DUE = {
    "lane_without_time": "due, and no time is set for it",
    "stranded": "due, and its lane has a time or a lease days away",
    "failing": "the last try failed",
    "not_there_yet": "it needs something that the channel does not have yet",
    "due": "in the queue",
}


REMEMBERED_SECONDS = 5.0
REMEMBERED_TIMES = 20.0
"""One that took long is remembered for so many times as long: probes keep Postgres busy for a twentieth of the time."""
_remembered: "WeakKeyDictionary[Pool, tuple[float, WaitingReport]]" = WeakKeyDictionary()
_being_made = threading.Lock()


def remembered(pool: Pool, registry: Registry) -> WaitingReport:
    """The report, not thorough and some seconds old at most: many probes ask. Raises Unavailable."""
    until, found = _remembered.get(pool, (0.0, None))
    if found is not None and (time.monotonic() < until or _being_made.locked()):
        return found
    with _being_made:
        began = time.monotonic()
        found = report(pool, registry, thorough=False)
        ended = time.monotonic()
        _remembered[pool] = ended + max(REMEMBERED_SECONDS, (ended - began) * REMEMBERED_TIMES), found
    return found


def report(
    pool: Pool, registry: Registry, thorough: bool = True, installed: Sequence[Policy] = POLICIES
) -> WaitingReport:
    """All that waits now; channels that were removed are left out. Raises Unavailable.

    `thorough` also compares every listing with what its delivery was told, which reads them all.
    """
    registry.all()  # looks into the log by itself, before this transaction takes a connection
    with reachable(), pool.connection() as conn, conn.transaction():
        conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        head, now = conn.execute("SELECT position, clock_timestamp() FROM head").fetchone() or (0, None)
        assert now is not None
        look = _Look(conn, registry, now, thorough)
        items = list(look.everything())
    if (jump := clock.set_back(pool)) is not None:
        items.append(look.item("clock", None, 1, None, jump, "date --utc"))
    items += [look.item(*one) for one in policies.waiting(pool, installed)]
    order = list(WAYS)
    items.sort(key=lambda one: (not one.overdue or one.level == "note", order.index(one.kind), one.channel or ""))
    return _report(head, items)


def of_channels(report: WaitingReport, within: Callable[[str], bool]) -> WaitingReport:
    """What of it is about these channels, as if there were nothing else."""
    return _report(report.position, [one for one in report.waiting if one.channel is not None and within(one.channel)])


def _report(head: int, items: list[WaitingItem]) -> WaitingReport:
    late = [one for one in items if one.overdue and one.level != "note"]
    return WaitingReport(
        well=not late,
        ready=all(one.level != "failure" for one in late),
        position=head,
        waiting=items,
    )
