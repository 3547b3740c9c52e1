"""One lane's work: which requests, in which order, and when to stop. Talks to the connector and to nothing else.

A SKU's facets go in the manifest's order, the creating one first; in a group lane the group's root goes first. After
anything but a plain success the SKU waits: what comes next may depend on it.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

import msgspec

from daybook.channel.calls import Exchange, exchanges
from daybook.channel.contract import (
    Accepted,
    Confirmed,
    Connector,
    Outcome,
    Payload,
    Push,
    Rejected,
    Throttled,
    Unavailable,
    Waiting,
)


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


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What one push or one look at a submission came to."""

    at: float
    row: Row
    body: str | None
    hash: bytes | None
    outcome: Outcome
    facets: tuple[tuple[str, bytes | None, int], ...]
    """(facet, hash, position) of all that the outcome is about."""
    exchanges: tuple[Exchange, ...]


class Done(msgspec.Struct):
    """A lane that was worked through as far as it goes now."""

    lane: str
    results: list[Result]
    blocked: bool = False
    """Something is due that can't be sent before a newer state or a person changes something."""


class Lane:
    """Works one lane. `remote_ids` are the channel's ids of the group's SKUs; what is learned here is added."""

    def __init__(self, connector: Connector, remote_ids: Mapping[str, str]) -> None:
        self._connector = connector
        self._ids = dict(remote_ids)

    async def work(self, lane: str, rows: Sequence[Row]) -> Done:
        """Sends what is due, in order, until something has to wait."""
        done = Done(lane, [])
        for sku, facets in groupby(rows, key=lambda row: row.sku):
            last = await self._sku(sku, list(facets), done)
            if isinstance(last, Throttled | Unavailable):
                break
        return done

    async def _sku(self, sku: str, rows: list[Row], done: Done) -> Outcome | None:
        accepted = [row for row in rows if row.state == "accepted" and row.submission is not None]
        for submission, same in groupby(accepted, key=lambda row: row.submission):
            outcome = await self._confirm(list(same), str(submission), done)
            if not isinstance(outcome, Confirmed):
                return outcome
        covered: set[str] = set()
        last: Outcome | None = None
        for row in rows:
            if row.state == "confirmed" or row.facet in covered or row in accepted:
                continue
            if row.state == "rejected":
                if row.rank == 0 and row.acknowledged is None:
                    # There is no listing, and there will be none before a newer state or a person says so.
                    done.blocked = any(other.state == "due" for other in rows)
                    return None
                continue
            if row.payload is None and row.rank > 0 and rows[0].rank == 0 and rows[0].payload is None:
                continue  # the whole listing goes, and the creating facet's removal covers this
            last = await self._push(row, rows, done)
            if isinstance(last, Confirmed):
                covered |= {row.facet, *last.covers}
                if last.remote_id is not None:
                    self._ids[sku] = last.remote_id
            elif not isinstance(last, Rejected) or row.rank == 0:
                return last
        return last

    async def _push(self, row: Row, rows: list[Row], done: Done) -> Outcome:
        listing = {other.facet: _decode(other.payload) for other in rows if other.payload is not None}
        push = self._describe(row, listing.get(row.facet), listing)
        outcome, seen = await _recorded(self._connector.push(push))
        hashes = {other.facet: (other.hash, other.position) for other in rows}
        self._note(row, row.payload, row.hash, outcome, hashes, seen, done)
        return outcome

    async def _confirm(self, rows: list[Row], submission: str, done: Done) -> Outcome:
        """Asks after a submission, with the push as it was sent: the newest state may be another by now."""
        listing = {row.facet: _decode(row.submitted_body) for row in rows if row.submitted_body is not None}
        row = rows[0]
        push = self._describe(row, listing.get(row.facet), listing)
        outcome, seen = await _recorded(self._connector.confirm(push, submission))
        hashes = {other.facet: (other.submitted, other.position) for other in rows}
        if isinstance(outcome, Confirmed | Rejected):
            # Whatever the channel answers, it is about everything that was submitted together.
            everything = tuple(hashes)
            if isinstance(outcome, Confirmed):
                outcome = Confirmed(covers=everything, remote_id=outcome.remote_id)
        self._note(row, row.submitted_body, row.submitted, outcome, hashes, seen, done, submission=submission)
        return outcome

    def _describe(self, row: Row, payload: Payload | None, listing: Mapping[str, Payload]) -> Push:
        return Push(
            sku=row.sku,
            key=row.key,
            facet=row.facet,
            payload=payload,
            listing=listing,
            remote_id=self._ids.get(row.sku),
            remote_ids=self._ids,
            position=row.position,
            attempt=max(1, row.attempts),
        )

    def _note(
        self,
        row: Row,
        body: str | None,
        mark: bytes | None,
        outcome: Outcome,
        hashes: Mapping[str, tuple[bytes | None, int]],
        seen: list[Exchange],
        done: Done,
        submission: str | None = None,
    ) -> None:
        covers = outcome.covers if isinstance(outcome, Confirmed | Accepted) else ()
        if submission is not None and isinstance(outcome, Rejected):
            covers = tuple(hashes)
        names = [name for name in hashes if name == row.facet or name in covers]
        done.results.append(
            Result(
                at=time.time(),
                row=row,
                body=body,
                hash=mark,
                outcome=outcome,
                facets=tuple((name, *hashes[name]) for name in names),
                exchanges=tuple(seen),
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


def _decode(body: str | None) -> Payload:
    payload: Payload = msgspec.json.decode(body or "{}")
    return payload


def problems(done: Done) -> Iterator[Throttled | Unavailable | Waiting]:
    """The outcomes that put the lane off."""
    for result in done.results:
        if isinstance(result.outcome, Throttled | Unavailable | Waiting):
            yield result.outcome
