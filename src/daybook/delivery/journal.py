"""Recording what a channel answered: the receipts into the log, then rows and lanes in one transaction."""

import hashlib
import random
from collections.abc import Sequence
from datetime import UTC, datetime

from daybook import limits
from daybook.channel.contract import (
    Accepted,
    ChannelUnavailable,
    Confirmed,
    Lost,
    Manifest,
    Outcome,
    Rejected,
    Stopped,
    Throttled,
    Waiting,
)
from daybook.delivery import findings, lane_rows, personal
from daybook.delivery.lane_results import LaneResult, Result, problems
from daybook.delivery.receipts import ReceiptQueue
from daybook.delivery.retry import wait_seconds, waiting_seconds
from daybook.events import ChannelPaused, FacetReceipt, ListingAccepted, ListingConfirmed, ListingEvent, ListingRejected
from daybook.events.envelope import CHANNEL_KEY, of_group
from daybook.ids import new_id
from daybook.log.pending import Context, NewEvent
from daybook.postgres.connections import Connections
from daybook.postgres.pool import AsyncConnection, pipeline
from daybook.postgres.sql import beside
from daybook.postgres.text import storable
from daybook.projection.due import settle
from daybook.projection.receipts import Settlement

QUERIES = beside(__file__, "lane_rows")

CHECK_SECONDS_MAX = 60.0
BLOCKED_SECONDS = 3600.0
"""A lane that waits for a newer state or a person; either wakes it at once."""
OUTCOMES: dict[type[Outcome], str] = {
    Confirmed: "confirmed",
    Accepted: "accepted",
    Rejected: "rejected",
    Throttled: "throttled",
    ChannelUnavailable: "unavailable",
    Waiting: "waiting",
    Stopped: "stopped",
    Lost: "lost",
}
"""What the journal calls an outcome: people read it, so it does not change with the name of a class."""


class Journal:
    """Writes down the end of lanes. Safe to repeat: receipts carry their command ids."""

    def __init__(self, manifest: Manifest, receipts: ReceiptQueue) -> None:
        self._manifest = manifest
        self._into_the_log = receipts

    async def write(self, connections: Connections, ended: Sequence[LaneResult], owner: str) -> None:
        """Records lanes and lets go of those that `owner` still holds.

        What was submitted is kept first: it is confirmed by what was sent, also when this worker dies in between.
        While the log takes the receipts no connection is held.

        Hazard: these connections don't wait for the disk, and the log tries an append again after a restart of
        Postgres. So a receipt could outlive the body that it rests on, which was written before the crash.
        """
        results = [result for done in ended for result in done.results]
        submitted = {mark: body for one in results if isinstance(one.outcome, Accepted) for mark, body in one.bodies}
        bodies = {mark: body for one in results for mark, body in one.bodies if mark not in submitted}
        bodies |= {mark: raw.decode() for mark, raw in _requests(results).items()}
        if submitted:
            async with connections.one() as conn, pipeline(conn):
                await conn.execute(QUERIES["wait_for_the_disk"])
                await conn.execute(QUERIES["keep_bodies"], (list(submitted), list(submitted.values())))
        settlements = await self._receipts(results)
        name = self._manifest.name
        async with connections.one() as conn, pipeline(conn):  # one trip, one transaction: see `pipeline`
            await conn.execute(lane_rows.QUERIES["lock_lanes"], (name, sorted(done.lane for done in ended)))
            await self._attempts(conn, results)
            if bodies:
                await conn.execute(QUERIES["put_bodies"], (list(bodies), list(bodies.values())))
            untried = sorted(where for done in ended for where in done.not_attempted)
            if untried:
                skus, facets = [sku for sku, _ in untried], [facet for _, facet in untried]
                await conn.execute(QUERIES["take_attempts_back"], (skus, facets, name))
            await settle(conn, self._manifest, settlements)
            sent = sorted({done.lane for done in ended if _reached_the_channel(done)})
            if sent:
                await conn.execute(QUERIES["doubt"], {"channel": name, "lanes": sent, "owner": owner})
            await self._release(conn, ended, owner)
        roots = sorted(
            {one.row.key for one in results if isinstance(one.outcome, Confirmed) and one.row.sku == one.row.key}
        )
        if roots and self._manifest.lane == "sku":
            # By itself: these are other lanes, and the order of locks must hold for all that one transaction takes.
            async with connections.one() as conn:
                await conn.execute(QUERIES["wake_groups"], (name, roots))

    async def stop(self, connections: Connections, reason: str) -> None:
        """Pauses a channel that wants no more calls. That it said so is recorded first, unless it is paused already."""
        name, why = self._manifest.name, storable(reason, limits.REASON.most)
        async with connections.one() as conn:
            row = await (await conn.execute(QUERIES["is_paused"], (name,))).fetchone()
        if row is not None and not row[0]:
            context = Context(actor=f"channel:{name}", source="delivery", reason=why, command_id=new_id())
            event = NewEvent(f"projection/{name}", 0, ChannelPaused(name=name), None, f"{CHANNEL_KEY}{name}")
            await self._into_the_log.record([(context, [event])])
        async with connections.one() as conn:
            await conn.execute(QUERIES["stop"], (why, name))

    async def _receipts(self, results: Sequence[Result]) -> list[Settlement]:
        commands: list[tuple[Context, Sequence[NewEvent]]] = []
        receipts: list[tuple[str, ListingEvent]] = []
        for result in results:
            receipt = self._receipt(result)
            if receipt is None or not isinstance(result.outcome, Confirmed | Accepted | Rejected):
                continue
            stream = f"listing/{receipt.channel}/{receipt.sku}"
            context = Context(
                actor=f"channel:{receipt.channel}",
                source="delivery",
                command_id=result.id,
                correlation_id=result.row.correlation,
                causation_id=result.row.cause,
            )
            about = receipt.sku if of_group(result.row.key) else None
            found = findings.events(receipt.channel, receipt.sku, result.row.key, result.outcome.findings)
            commands.append((context, [NewEvent(stream, 0, receipt, about, result.row.key), *found]))
            receipts.append((result.row.key, receipt))
        if not commands:
            return []
        appended = await self._into_the_log.record(commands)
        return [
            Settlement(where.first, where.recorded_at, key, receipt)
            for where, (key, receipt) in zip(appended, receipts, strict=True)
        ]

    def _receipt(self, result: Result) -> ListingEvent | None:
        facets = tuple(
            FacetReceipt(facet, mark.hex() if mark is not None else None, position)
            for facet, mark, position in result.facets
        )
        channel, sku = self._manifest.name, result.row.sku
        match result.outcome:
            case Confirmed(remote_id=remote_id):
                return ListingConfirmed(channel=channel, sku=sku, facets=facets, remote_id=remote_id)
            case Rejected(reasons=reasons):
                return ListingRejected(channel=channel, sku=sku, facets=facets, reasons=reasons)
            case Accepted(submission=submission, remote_id=remote_id) if submission != result.row.submission:
                return ListingAccepted(
                    channel=channel, sku=sku, facets=facets, remote_id=remote_id, submission=submission
                )
            case _:
                return None

    async def _release(self, conn: AsyncConnection, ended: Sequence[LaneResult], owner: str) -> None:
        rows: list[tuple[str, int, float | None, str | None]] = []
        for done in sorted(ended, key=lambda one: one.lane):
            attempts, wait, error, failures = 0, None, None, done.failures
            if done.blocked:
                wait = BLOCKED_SECONDS
            for one in done.results:
                if isinstance(one.outcome, Accepted) and not one.overdue:
                    # A submission that is still under way is asked after less and less often.
                    attempts = failures + 1 if one.outcome.submission == one.row.submission else 0
                    first = one.outcome.check_after_seconds
                    wait = max(first, min(CHECK_SECONDS_MAX, first * 2 ** min(attempts, 10)))
            for problem in problems(done):
                if isinstance(problem, Throttled):
                    # An operation that is held back: its lanes come back one after the other, not all at once.
                    spread = random.uniform(1.0, 2.0) if problem.operation else 1.0
                    attempts, wait = failures, (problem.retry_after_seconds or 0.0) * spread
                    continue
                attempts = failures + 1
                error = storable(problem.reason, 1000)
                if isinstance(problem, Waiting):
                    wait = waiting_seconds(attempts)
                else:
                    wait = wait_seconds(attempts, problem.retry_after_seconds)
            rows.append((done.lane, attempts, None if wait is None else float(wait), error))
        if rows:
            columns = tuple(list(column) for column in zip(*rows, strict=True))
            await conn.execute(QUERIES["release_lanes"], (*columns, self._manifest.name, owner))

    async def _attempts(self, conn: AsyncConnection, results: Sequence[Result]) -> None:
        rows: list[tuple[object, ...]] = []
        about_people: list[personal.Attempt] = []
        for one in results:
            detail = _detail(one)
            start = (datetime.fromtimestamp(one.at, UTC), one.row.sku, one.row.facet, one.row.position, one.hash)
            outcome = OUTCOMES[type(one.outcome)]
            for call in one.exchanges or (None,):
                if call is None:
                    rows.append((*start, outcome, detail, None, None, None, None, None, None))
                else:
                    said = storable(call.answer or call.error or "")
                    sent = personal.request_hash(call)
                    row = (*start, outcome, detail, call.method, call.url, sent, call.status, said, call.milliseconds)
                    if people := personal.people_of(one):
                        about_people.append((row, call, people))
                    else:
                        rows.append(row)
        if about_people:
            await personal.put(conn, self._manifest.name, about_people)
        if rows:
            columns = tuple(list(column) for column in zip(*rows, strict=True))
            await conn.execute(QUERIES["put_attempts"], (self._manifest.name, *columns))


def _reached_the_channel(done: LaneResult) -> bool:
    """Whether anything of it may have changed what the channel shows."""
    return any(not isinstance(one.outcome, Throttled | Waiting) for one in done.results)


def _requests(results: Sequence[Result]) -> dict[bytes, bytes]:
    """The bodies that were sent, but for those about people. One that many shared is kept once."""
    sent = {
        id(call.request): call.request
        for one in results
        if not personal.people_of(one)
        for call in one.exchanges
        if call.request is not None
    }
    return {hashlib.sha256(raw).digest(): raw for raw in sent.values()}


def _detail(result: Result) -> str | None:
    match result.outcome:
        case Rejected(reasons=reasons):
            return storable("; ".join(f"{one.code}: {one.message}" for one in reasons), 2000)
        case Accepted(submission=submission):
            return submission
        case Confirmed(remote_id=remote_id):
            return remote_id
        case Throttled(retry_after_seconds=seconds):
            return None if seconds is None else f"retry after {seconds} s"
        case other:
            return storable(other.reason, 2000)
