"""One lane's work: which requests, in which order, and when to stop. Talks to the connector and to nothing else.

A SKU's facets go in the manifest's order, the creating one first; in a group lane the group's root goes first. After
anything but a plain success the SKU waits: what comes next may depend on it.
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

from daybook.channel.calls import Exchange, exchanges
from daybook.channel.contract import (
    Accepted,
    ChannelUnavailable,
    Confirmed,
    Connector,
    Lost,
    Manifest,
    Outcome,
    Payload,
    Push,
    Stopped,
    Throttled,
)
from daybook.channel.personal import Lookups, lookups
from daybook.delivery.findings import checked
from daybook.delivery.lane_results import LaneResult, LaneRow, Result
from daybook.delivery.outcome_bounds import bounded
from daybook.delivery.personal import discreet
from daybook.delivery.planner import Look, blocked, decoded, next_step
from daybook.ids import new_id

OVERTAKEN_SECONDS = 30.0
"""So long does a submission have to show, of a channel that tells no end of any, when another worker has sent, too."""


class Lane:
    """Works one lane. `remote_ids` are the channel's ids of the group's SKUs; what is learned here is added."""

    def __init__(self, manifest: Manifest, connector: Connector, remote_ids: Mapping[str, str]) -> None:
        self._manifest = manifest
        self._connector = connector
        self._ids = dict(remote_ids)
        self._group: dict[str, dict[str, Payload]] = {}

    async def work(self, lane: str, rows: Sequence[LaneRow]) -> LaneResult:
        """Sends what is due, in order, until something has to wait."""
        done = LaneResult(lane, [])
        if self._manifest.lane == "group":
            self._group = {sku: _listing(facets) for sku, facets in groupby(rows, key=lambda row: row.sku)}
        for sku, facets in groupby(rows, key=lambda row: row.sku):
            last = await self._sku(sku, list(facets), done)
            if isinstance(last, Throttled | ChannelUnavailable | Stopped):
                break
            if isinstance(last, Accepted) and self._manifest.lane == "group" and sku == rows[0].key:
                break  # its variants can only wait for it
        if not done.results and any(row.state == "due" for row in rows):
            done.blocked = True  # nothing of it can be sent: to try again at once would only spin
        return done

    async def _sku(self, sku: str, rows: list[LaneRow], done: LaneResult) -> Outcome | None:
        """Takes one SKU as far as it goes. Gives the outcome of its last push, or of the look that ended it."""
        begun, last = len(done.results), None
        while (step := next_step(self._manifest, rows, done.results[begun:])) is not None:
            if isinstance(step, Look):
                last = await self._confirm(step.rows, done)
                if next_step(self._manifest, rows, done.results[begun:]) is not None:
                    last = None
                continue
            last = await self._push(step.row, rows, done)
            if isinstance(last, Confirmed) and last.remote_id is not None:
                self._ids[sku] = last.remote_id
        done.blocked |= blocked(rows)
        return last

    async def _push(self, row: LaneRow, rows: list[LaneRow], done: LaneResult) -> Outcome:
        listing = _listing(rows)
        push = self._describe(row, listing.get(row.facet), listing)
        outcome, seen = await _recorded(self._manifest, self._connector.push(push))
        sent = {other.facet: (other.hash, other.payload, other.position) for other in rows}
        self._note(row, outcome, sent, seen, done)
        return outcome

    async def _confirm(self, rows: Sequence[LaneRow], done: LaneResult) -> Outcome:
        """Asks after a submission, with the push as it was sent: the newest state may be another by now."""
        listing = {row.facet: decoded(row.submitted_body) for row in rows if row.submitted_body is not None}
        row = rows[0]
        submission = str(row.submission)
        push = self._describe(row, listing.get(row.facet), listing)
        # Hazard: what was submitted may be gone, as after a crash of Postgres that lost a body which the log's receipt
        # stands on. Nothing can be compared with it then: asked all the same, a connector would fail for ever.
        outcome: Outcome = Lost("what was submitted is not known any more")
        seen: list[Exchange] = []
        if all(one.submitted is None or one.submitted_body is not None for one in rows):
            outcome, seen = await _recorded(self._manifest, self._connector.confirm(push, submission))
        sent = {other.facet: (other.submitted, other.submitted_body, other.position) for other in rows}
        # Whatever the channel answers, it is about everything that was submitted together.
        late = (row.submitted_seconds or 0.0) > self._manifest.submission_seconds_max
        moved = isinstance(outcome, Accepted) and outcome.submission != submission
        overdue = isinstance(outcome, Lost) or (
            late and not moved and isinstance(outcome, Accepted | ChannelUnavailable)
        )
        # A worker that was stopped told so late of its submission that another one's may have come behind it.
        overdue |= row.doubted and not moved and _overtaken(outcome, row)
        self._note(row, outcome, sent, seen, done, looked=True, overdue=overdue)
        return outcome

    def _describe(self, row: LaneRow, payload: Payload | None, listing: Mapping[str, Payload]) -> Push:
        return Push(
            sku=row.sku,
            key=row.key,
            facet=row.facet,
            payload=payload,
            listing=listing,
            group=self._group,
            remote_id=self._ids.get(row.sku),
            remote_ids=self._ids,
            position=row.position,
            receipt=row.receipt,
            # What was submitted and came to no end may have been carried out: looked up, as after a lost answer.
            attempt=max(2 if row.state == "accepted" else 1, row.attempts),
        )

    def _note(
        self,
        row: LaneRow,
        outcome: Outcome,
        sent: Mapping[str, tuple[bytes | None, str | None, int]],
        seen: list[Exchange],
        done: LaneResult,
        looked: bool = False,
        overdue: bool = False,
    ) -> None:
        covers = outcome.covers if isinstance(outcome, Confirmed | Accepted) else ()
        about = {name: what for name, what in sent.items() if looked or name == row.facet or name in covers}
        done.results.append(
            Result(
                id=new_id(),
                at=time.time(),
                row=row,
                bodies=tuple((mark, body) for mark, body, _ in about.values() if mark is not None and body is not None),
                hash=sent[row.facet][0],
                outcome=outcome,
                facets=tuple((name, mark, position) for name, (mark, _, position) in about.items()),
                exchanges=tuple(seen),
                looked=looked,
                overdue=overdue,
            )
        )


def _overtaken(outcome: Outcome, row: LaneRow) -> bool:
    """Whether something else has taken the place of what was submitted, as far as can be known."""
    waited = row.submitted_seconds or 0.0
    return isinstance(outcome, Accepted) and outcome.overtakable and waited > OVERTAKEN_SECONDS


async def _recorded(manifest: Manifest, call: Any) -> tuple[Outcome, list[Exchange]]:
    """The outcome and the requests that it took. A connector that raises is a fault, not a reason to lose the lane."""
    seen: list[Exchange] = []
    asked_for = Lookups()
    token, looking = exchanges.set(seen), lookups.set(asked_for)
    try:
        outcome = bounded(await call)
    except Exception as error:
        outcome = bounded(ChannelUnavailable(f"the connector failed: {type(error).__name__}: {error}"))
    finally:
        exchanges.reset(token)
        lookups.reset(looking)
    return discreet(checked(manifest, outcome, asked_for), seen), seen


def _listing(rows: Iterable[LaneRow]) -> dict[str, Payload]:
    return {row.facet: decoded(row.payload) for row in rows if row.payload is not None}
