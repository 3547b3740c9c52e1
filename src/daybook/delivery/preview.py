"""The requests that would be sent now, shown instead of sent.

The lane itself decides what goes and in which order. It is given a connector that records each request and then says
that the channel took it, so that the lane goes on to the next one as it would on a good day.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from daybook.addresses import mask
from daybook.channel.calls import Exchange, exchanges, previewing
from daybook.channel.contract import (
    Accepted,
    ChannelUnavailable,
    Confirmed,
    Connector,
    Lost,
    Manifest,
    Outcome,
    Push,
    Rejected,
    SendsBatches,
    Stopped,
    Throttled,
    Validates,
    Waiting,
)
from daybook.delivery.lane import Lane
from daybook.delivery.lane_results import LaneResult, LaneRow
from daybook.delivery.lane_rows import read_work
from daybook.delivery.planner import Way, why_not
from daybook.errors import Refused
from daybook.events import Rejection
from daybook.postgres.pool import connect_async
from daybook.projection.generations import live_now

LOOK = "the connector looks first: what follows depends on the answer"


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One request. Headers are never shown: they hold the credentials."""

    method: str
    url: str
    body: Any
    """JSON, decoded; a text when it is something else; None without a body."""


class FacetPreview(msgspec.Struct, frozen=True, kw_only=True):
    """What would become of one facet that is due."""

    sku: str
    facet: str
    way: Way
    """`request`: by a request of its own; `with_creation`, `with_removal`: with the request that makes the listing or
    takes it off, or right after it; `waits`: not now; `accepted`: it was sent and the channel works on it; `nothing`:
    no request is needed."""
    why: str | None = None
    """Why it waits, in a person's words."""
    requests: tuple[Request, ...] = ()
    """In order. Where the connector looks at the channel first, what follows depends on the answer and can't be
    shown."""
    together: str | None = None
    """It may share its request with other products, by this operation."""
    verdict: tuple[Rejection, ...] | None = None
    """What the channel says against it, when it was asked to validate; empty when it would take it."""


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """One SKU on one channel."""

    channel: str
    sku: str
    position: int
    """Up to which the channel's listings have every event."""
    as_if_new: bool
    """Told as if nothing had been acknowledged."""
    validated: bool | None
    """Whether the channel was asked; None when it was not asked for, False when the channel can't be asked."""
    facets: tuple[FacetPreview, ...]


async def preview(
    dsn: str,
    manifest: Manifest,
    connector: Connector,
    sku: str,
    key: str,
    *,
    as_if_new: bool = False,
    validate: bool = False,
) -> Preview:
    """What would be sent for the SKU's due facets, or with `as_if_new` for all of them. Sends nothing.

    `key` is the SKU's product group. `validate` asks the channel, when its connector has a `validate`, which is a call
    to the channel. Raises Refused for a projection that is no channel, and what `validate` raises.
    """
    if manifest.connector is None:
        raise Refused(f"{manifest.name} is a read model: nothing is sent to it", channel=manifest.name)
    lane = manifest.lane_of(sku, key)
    async with await connect_async(dsn, "preview") as conn:
        live, stands = await live_now(conn, manifest.name)
        rows, ids = await read_work(conn, manifest, live, [lane])
    known = dict(ids.get(key, {}))
    if as_if_new:
        known.pop(sku, None)
        rows = [_new(one) if one.sku == sku else one for one in rows if one.sku != sku or one.payload is not None]
    # A worker counts the try when it claims the lane.
    rows = [replace(one, attempts=one.attempts + 1) if one.state == "due" else one for one in rows]
    pretender = _Pretender(manifest, connector)
    token = previewing.set(True)
    try:
        done = await Lane(manifest, pretender, known).work(lane, rows)
    finally:
        previewing.reset(token)
    facets = _previewed(manifest, [row for row in rows if row.sku == sku], done, pretender.seen)
    asked = connector if validate and isinstance(connector, Validates) else None
    if asked is not None:
        verdicts = {one.push.facet: await asked.validate(one.push) for one in pretender.seen if one.push.sku == sku}
        facets = [replace(one, verdict=verdicts.get(one.facet)) for one in facets]
    return Preview(
        channel=manifest.name,
        sku=sku,
        position=stands.position,
        as_if_new=as_if_new,
        validated=asked is not None if validate else None,
        facets=tuple(facets),
    )


class _Pushed(msgspec.Struct, frozen=True):
    push: Push
    outcome: Outcome
    requests: tuple[Request, ...]
    together: str | None

    @property
    def creates(self) -> bool:
        """Whether the listing is not on the channel yet, and this is the facet that makes it."""
        return self.push.payload is not None and self.push.remote_id is None


class _Pretender:
    """Stands between a lane and the connector. What would be sent counts as taken by the channel."""

    def __init__(self, manifest: Manifest, connector: Connector) -> None:
        self._manifest = manifest
        self._connector = connector
        self.seen: list[_Pushed] = []

    async def push(self, push: Push) -> Outcome:
        """Has the connector make its request. A creation counts for all facets of the listing."""
        try:
            outcome = await self._connector.push(push)
        except Exception as error:
            outcome = ChannelUnavailable(f"the connector failed: {type(error).__name__}: {error}")
        made = tuple(map(_request, exchanges.get() or ()))
        one = _Pushed(push, outcome, made, self._together(push) if made else None)
        self.seen.append(one)
        if not made and not isinstance(outcome, Confirmed | Accepted):
            return outcome
        new = push.facet == self._manifest.facets[0] and one.creates
        return Confirmed(covers=tuple(push.listing) if new else ())

    async def confirm(self, push: Push, submission: str) -> Outcome:
        """A submission that is under way stays so."""
        return Accepted(submission=submission)

    async def close(self) -> None:
        """Nothing is its own."""

    def _together(self, push: Push) -> str | None:
        connector = self._connector
        return (
            connector.gathers(push) if self._manifest.gather_max > 1 and isinstance(connector, SendsBatches) else None
        )


def _new(row: LaneRow) -> LaneRow:
    """The row as if nothing had been acknowledged."""
    nothing = dict.fromkeys(("acknowledged", "submission", "submitted", "submitted_body", "shown_body"))
    return replace(row, state="due", attempts=0, **nothing)


def _previewed(
    manifest: Manifest, rows: Sequence[LaneRow], done: LaneResult, seen: Sequence[_Pushed]
) -> list[FacetPreview]:
    """What would be sent of one SKU, in the order of sending, and then what would not be."""
    sku = rows[0].sku if rows else ""
    pushed = {one.push.facet: one for one in seen if one.push.sku == sku}
    so_far = [one for one in done.results if one.row.sku == sku]
    facets = [_sent(one) for one in pushed.values()]
    for row in rows:
        if row.facet not in pushed and row.state in ("due", "accepted"):
            way, why = why_not(manifest, row, rows, so_far)
            facets.append(FacetPreview(sku=sku, facet=row.facet, way=way, why=why))
    return facets


def _sent(one: _Pushed) -> FacetPreview:
    way, why = _way(one)
    return FacetPreview(
        sku=one.push.sku, facet=one.push.facet, way=way, why=why, requests=one.requests, together=one.together
    )


def _way(one: _Pushed) -> tuple[Way, str | None]:
    if one.requests:
        return "request", LOOK if one.requests[-1].method == "GET" else None
    match one.outcome:
        case Confirmed() | Accepted():
            return "nothing", None
        case Rejected(reasons=reasons):
            said = "; ".join(f"{reason.code} {reason.message}" for reason in reasons)
            return "waits", f"it would be rejected: {said}"
        case Throttled():
            return "waits", "the channel is not to be called just now"
        case Waiting(reason=reason) | ChannelUnavailable(reason=reason) | Stopped(reason=reason) | Lost(reason=reason):
            return "waits", reason


def _request(one: Exchange) -> Request:
    try:
        body = None if one.request is None else msgspec.json.decode(one.request)
    except msgspec.DecodeError:
        body = (one.request or b"").decode("utf-8", "replace")
    return Request(method=one.method, url=mask(one.url) or "", body=body)
