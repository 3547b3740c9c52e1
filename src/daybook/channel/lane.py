"""One lane's work: which requests, in which order, and when to stop. Talks to the connector and to nothing else.

A SKU's facets go in the manifest's order, the creating one first; in a group lane the group's root goes first. After
anything but a plain success the SKU waits: what comes next may depend on it.
"""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

import msgspec

from daybook.channel.calls import Exchange, exchanges
from daybook.channel.contract import (
    Accepted,
    Confirmed,
    Connector,
    Manifest,
    Outcome,
    Payload,
    Push,
    Rejected,
    Stock,
    Stopped,
    Throttled,
    Unavailable,
    Waiting,
)
from daybook.ids import new_id


class Row(msgspec.Struct, frozen=True):
    """One facet's delivery row with its payload: see the query `work`."""

    lane: str
    sku: str
    facet: str
    key: str
    rank: int
    state: str
    attempts: int
    acknowledged: bytes | None
    payload: str | None
    hash: bytes | None
    position: int
    cause: str | None
    correlation: str | None
    submission: str | None
    submitted: bytes | None
    submitted_body: str | None
    submitted_seconds: float | None
    """How long ago the channel accepted the submission."""
    shown_body: str | None
    """Of the facet that says how many may be sold: the payload that the channel acknowledged, when it is known."""


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What one push or one look at a submission came to."""

    id: str
    """Of the receipt's command: recording the same result again appends nothing."""
    at: float
    row: Row
    bodies: tuple[tuple[bytes, str], ...]
    """(hash, payload) of all that the outcome is about, so that a submission can be confirmed by what was sent."""
    hash: bytes | None
    outcome: Outcome
    facets: tuple[tuple[str, bytes | None, int], ...]
    """(facet, hash, position) of all that the outcome is about."""
    exchanges: tuple[Exchange, ...]
    overdue: bool = False
    """A submission without an end for too long. What it was about is brought anew."""


class Done(msgspec.Struct):
    """A lane that was worked through as far as it goes now."""

    lane: str
    results: list[Result]
    failures: int = 0
    """How often it had been put off before."""
    untried: Sequence[tuple[str, str]] = ()
    """(SKU, facet) that was due and did not reach the channel: its next try is no second one."""
    blocked: bool = False
    """Something is due that can't be sent before a newer state or a person changes something."""


class Lane:
    """Works one lane. `remote_ids` are the channel's ids of the group's SKUs; what is learned here is added."""

    def __init__(self, manifest: Manifest, connector: Connector, remote_ids: Mapping[str, str]) -> None:
        self._manifest = manifest
        self._connector = connector
        self._ids = dict(remote_ids)
        self._group: dict[str, dict[str, Payload]] = {}

    async def work(self, lane: str, rows: Sequence[Row]) -> Done:
        """Sends what is due, in order, until something has to wait."""
        done = Done(lane, [])
        if self._manifest.lane == "group":
            self._group = {sku: _listing(facets) for sku, facets in groupby(rows, key=lambda row: row.sku)}
        for sku, facets in groupby(rows, key=lambda row: row.sku):
            last = await self._sku(sku, list(facets), done)
            if isinstance(last, Throttled | Unavailable | Stopped):
                break
            if isinstance(last, Accepted) and self._manifest.lane == "group" and sku == rows[0].key:
                break  # its variants can only wait for it
        if not done.results and any(row.state == "due" for row in rows):
            done.blocked = True  # nothing of it can be sent: to try again at once would only spin
        return done

    async def _sku(self, sku: str, rows: list[Row], done: Done) -> Outcome | None:
        accepted = [row for row in rows if row.state == "accepted" and row.submission is not None]
        overdue: list[Row] = []
        for submission, same in groupby(accepted, key=lambda row: row.submission):
            together = list(same)
            outcome = await self._confirm(together, str(submission), done)
            if done.results[-1].overdue:
                overdue += together
            elif not isinstance(outcome, Confirmed) and not self._holds_nothing_back(outcome, together):
                return outcome
        covered: set[str] = set()
        last: Outcome | None = None
        for row in sorted(in_order(self._manifest.stock, rows), key=self._goes_alongside):
            if row.state == "confirmed" or row.facet in covered or (row in accepted and row not in overdue):
                continue
            if row.state == "rejected":
                if row.rank == 0 and row.acknowledged is None:
                    # There is no listing, and there will be none before a newer state or a person says so.
                    done.blocked = any(other.state == "due" for other in rows)
                    return None
                continue
            if row.payload is None and row.rank > 0 and rows[0].rank == 0 and _goes(rows[0]):
                continue  # the whole listing goes, and the creating facet's removal covers this
            if self._waits_for_price(row, rows, done):
                continue
            last = await self._push(row, rows, done)
            if isinstance(last, Confirmed):
                covered |= {row.facet, *last.covers}
                if last.remote_id is not None:
                    self._ids[sku] = last.remote_id
            elif (not isinstance(last, Rejected) or row.rank == 0) and not self._holds_nothing_back(last, [row]):
                return last
        return last

    def _goes_alongside(self, row: Row) -> bool:
        return row.facet in self._manifest.alongside

    def _holds_nothing_back(self, outcome: Outcome, rows: Sequence[Row]) -> bool:
        return isinstance(outcome, Accepted | Rejected) and all(map(self._goes_alongside, rows))

    def _waits_for_price(self, row: Row, rows: Sequence[Row], done: Done) -> bool:
        """Whether this is more stock at a price that the channel has just refused: it would sell at the old one."""
        stock = self._manifest.stock
        if stock is None or row.facet != stock.facet or row.acknowledged is None or rises(stock, row) is not True:
            return False
        refused = {
            one.row.facet for one in done.results if one.row.sku == row.sku and isinstance(one.outcome, Rejected)
        }
        return any(
            other.facet == stock.price and (other.state == "rejected" or other.facet in refused) for other in rows
        )

    async def _push(self, row: Row, rows: list[Row], done: Done) -> Outcome:
        listing = _listing(rows)
        push = self._describe(row, listing.get(row.facet), listing)
        outcome, seen = await _recorded(self._connector.push(push))
        sent = {other.facet: (other.hash, other.payload, other.position) for other in rows}
        self._note(row, outcome, sent, seen, done)
        return outcome

    async def _confirm(self, rows: list[Row], submission: str, done: Done) -> Outcome:
        """Asks after a submission, with the push as it was sent: the newest state may be another by now."""
        listing = {row.facet: _decode(row.submitted_body) for row in rows if row.submitted_body is not None}
        row = rows[0]
        push = self._describe(row, listing.get(row.facet), listing)
        outcome, seen = await _recorded(self._connector.confirm(push, submission))
        sent = {other.facet: (other.submitted, other.submitted_body, other.position) for other in rows}
        # Whatever the channel answers, it is about everything that was submitted together.
        late = (row.submitted_seconds or 0.0) > self._manifest.submission_seconds_max
        moved = isinstance(outcome, Accepted) and outcome.submission != submission
        overdue = late and not moved and isinstance(outcome, Accepted | Unavailable)
        self._note(row, outcome, sent, seen, done, together=True, overdue=overdue)
        return outcome

    def _describe(self, row: Row, payload: Payload | None, listing: Mapping[str, Payload]) -> Push:
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
            # What was submitted and came to no end may have been carried out: looked up, as after a lost answer.
            attempt=max(2 if row.state == "accepted" else 1, row.attempts),
        )

    def _note(
        self,
        row: Row,
        outcome: Outcome,
        sent: Mapping[str, tuple[bytes | None, str | None, int]],
        seen: list[Exchange],
        done: Done,
        together: bool = False,
        overdue: bool = False,
    ) -> None:
        covers = outcome.covers if isinstance(outcome, Confirmed | Accepted) else ()
        about = {name: what for name, what in sent.items() if together or name == row.facet or name in covers}
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
                overdue=overdue,
            )
        )


async def _recorded(call: Any) -> tuple[Outcome, list[Exchange]]:
    """The outcome and the requests that it took. A connector that raises is a fault, not a reason to lose the lane."""
    seen: list[Exchange] = []
    token = exchanges.set(seen)
    try:
        outcome: Outcome = await call
    except Exception as error:
        outcome = Unavailable(f"the connector failed: {type(error).__name__}: {error}")
    finally:
        exchanges.reset(token)
    return outcome, seen


def rises(stock: Stock, row: Row) -> bool | None:
    """Whether the row asks for more pieces than the channel shows; None when neither more nor fewer are known."""
    wanted = stock.amount(_decode(row.payload)) if row.payload is not None else 0
    if row.shown_body is None:
        return False if wanted == 0 else None
    return wanted > stock.amount(_decode(row.shown_body))


def in_order(stock: Stock | None, rows: Sequence[Row]) -> list[Row]:
    """A SKU's facets in the order of sending: the manifest's, but for a listing that is there fewer pieces go first,
    and before more pieces goes the price at which they are to be sold."""
    if stock is None or any(row.rank == 0 and (row.acknowledged is None or row.payload is None) for row in rows):
        return list(rows)
    mine = next((row for row in rows if row.facet == stock.facet and row.state == "due"), None)
    if mine is None:
        return list(rows)
    if rises(stock, mine) is False:
        return [mine, *(row for row in rows if row is not mine)]
    price = [row for row in rows if row.facet == stock.price]
    return [*price, *(row for row in rows if row is not mine and row not in price), mine]


def _listing(rows: Iterable[Row]) -> dict[str, Payload]:
    return {row.facet: _decode(row.payload) for row in rows if row.payload is not None}


def _goes(creating: Row) -> bool:
    return creating.payload is None and creating.state == "due"


def untried(rows: Sequence[Row], done: Done) -> list[tuple[str, str]]:
    """What was due and did not reach the channel: it was not its turn, it had to wait, or the channel said "later"."""
    reached = {
        (one.row.sku, facet)
        for one in done.results
        if not isinstance(one.outcome, Throttled | Waiting | Stopped)
        for facet, _, _ in one.facets
    }
    return sorted({(row.sku, row.facet) for row in rows if row.state == "due"} - reached)


def _decode(body: str | None) -> Payload:
    payload: Payload = msgspec.json.decode(body or "{}")
    return payload


def problems(done: Done) -> Iterator[Throttled | Unavailable | Waiting]:
    """The outcomes that put the lane off."""
    for result in done.results:
        if isinstance(result.outcome, Throttled | Unavailable | Waiting):
            yield result.outcome
