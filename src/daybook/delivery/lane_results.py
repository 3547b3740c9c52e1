"""What a lane's work is given and what it comes to: the records between the lane, the worker and the journal."""

from collections.abc import Iterator, Sequence

import msgspec

from daybook.channel.calls import Exchange
from daybook.channel.contract import ChannelUnavailable, Outcome, Stopped, Throttled, Waiting


class LaneRow(msgspec.Struct, frozen=True):
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
    receipt: int
    """Position of the newest receipt."""
    shown_body: str | None
    """Of the facet that says how many may be sold: the payload that the channel acknowledged, when it is known."""
    doubted: bool = False
    """Another worker has sent for this lane, too, and has told all that it did: see decision 19."""


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What one push or one look at a submission came to."""

    id: str
    """Of the receipt's command: recording the same result again appends nothing."""
    at: float
    row: LaneRow
    bodies: tuple[tuple[bytes, str], ...]
    """(hash, payload) of all that the outcome is about, so that a submission can be confirmed by what was sent."""
    hash: bytes | None
    outcome: Outcome
    facets: tuple[tuple[str, bytes | None, int], ...]
    """(facet, hash, position) of all that the outcome is about."""
    exchanges: tuple[Exchange, ...]
    looked: bool = False
    """It was a look at a submission and not a push."""
    overdue: bool = False
    """A submission that was lost, or has no end for too long. What it was about is brought anew."""


class LaneResult(msgspec.Struct):
    """A lane that was worked through as far as it goes now."""

    lane: str
    results: list[Result]
    failures: int = 0
    """How often it had been put off before."""
    not_attempted: Sequence[tuple[str, str]] = ()
    """(SKU, facet) that was due and did not reach the channel: its next try is no second one."""
    blocked: bool = False
    """Something is due that can't be sent before a newer state or a person changes something."""


def not_attempted(rows: Sequence[LaneRow], done: LaneResult) -> list[tuple[str, str]]:
    """What was due and did not reach the channel: it was not its turn, it had to wait, or the channel said "later"."""
    reached = {
        (one.row.sku, facet)
        for one in done.results
        if not isinstance(one.outcome, Throttled | Waiting | Stopped)
        for facet, _, _ in one.facets
    }
    return sorted({(row.sku, row.facet) for row in rows if row.state == "due"} - reached)


def problems(done: LaneResult) -> Iterator[Throttled | ChannelUnavailable | Waiting]:
    """The outcomes that put the lane off."""
    for result in done.results:
        if isinstance(result.outcome, Throttled | ChannelUnavailable | Waiting):
            yield result.outcome
