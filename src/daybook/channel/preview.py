"""The requests that would be sent now, shown instead of sent.

The lane itself decides what goes and in which order. It is given a connector that records each request and then says
that the channel took it, so that the lane goes on to the next one as it would on a good day.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec
from msgspec.structs import replace

from daybook.channel import QUERIES
from daybook.channel.calls import Exchange, exchanges, previewing
from daybook.channel.contract import (
    Accepted,
    Confirmed,
    Connector,
    Gathers,
    Manifest,
    Outcome,
    Push,
    Rejected,
    Stopped,
    Throttled,
    Unavailable,
    Waiting,
)
from daybook.channel.generations import Generation
from daybook.channel.lane import Lane, Row
from daybook.channel.store import lane_of
from daybook.channel.work import read_work
from daybook.config import mask
from daybook.errors import NotFound, Refused
from daybook.events import Rejection
from daybook.postgres.pool import connect_async

Way = Literal["request", "with_creation", "with_removal", "waits", "accepted", "nothing"]

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
    lane = lane_of(manifest, sku, key)
    async with await connect_async(dsn, "preview") as conn:
        row = await (await conn.execute(QUERIES["live_generation"], (manifest.name,))).fetchone()
        if row is None:
            raise NotFound(f"the projection {manifest.name} has never run here", channel=manifest.name)
        rows, ids = await read_work(conn, manifest, Generation(manifest.name, row[0]), [lane])
    known = dict(ids.get(key, {}))
    if as_if_new:
        known.pop(sku, None)
        rows = [_new(one) if one.sku == sku else one for one in rows if one.sku != sku or one.payload is not None]
    # A worker counts the try when it claims the lane.
    rows = [replace(one, attempts=one.attempts + 1) if one.state == "due" else one for one in rows]
    pretender = _Pretender(manifest, connector)
    token = previewing.set(True)
    try:
        await Lane(manifest, pretender, known).work(lane, rows)
    finally:
        previewing.reset(token)
    facets = _told(sku, rows, pretender.seen)
    asks = getattr(connector, "validate", None) if validate else None
    if asks is not None:
        verdicts = {one.push.facet: await asks(one.push) for one in pretender.seen if one.push.sku == sku}
        facets = [replace(one, verdict=verdicts.get(one.facet)) for one in facets]
    return Preview(
        channel=manifest.name,
        sku=sku,
        position=row[1],
        as_if_new=as_if_new,
        validated=asks is not None if validate else None,
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
            outcome = Unavailable(f"the connector failed: {type(error).__name__}: {error}")
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
        return connector.gathers(push) if self._manifest.gather_max > 1 and isinstance(connector, Gathers) else None


def _new(row: Row) -> Row:
    """The row as if nothing had been acknowledged."""
    nothing = dict.fromkeys(("acknowledged", "submission", "submitted", "submitted_body", "shown_body"))
    return replace(row, state="due", attempts=0, **nothing)


def _told(sku: str, rows: Sequence[Row], seen: Sequence[_Pushed]) -> list[FacetPreview]:
    """What would be sent, in the order of sending, and then what would not be."""
    pushed = {one.push.facet: one for one in seen if one.push.sku == sku}
    mine = [row for row in rows if row.sku == sku]
    told = [_sent(one) for one in pushed.values()]
    for row in mine:
        if row.facet not in pushed and row.state in ("due", "accepted"):
            way, why = _unsent(row, mine, pushed)
            told.append(FacetPreview(sku=sku, facet=row.facet, way=way, why=why))
    return told


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
        case Waiting(reason=reason) | Unavailable(reason=reason) | Stopped(reason=reason):
            return "waits", reason


def _unsent(row: Row, mine: Sequence[Row], pushed: Mapping[str, _Pushed]) -> tuple[Way, str | None]:
    if row.state == "accepted":
        return "accepted", "the channel works on it"
    first = next((one for one in mine if one.rank == 0), None)
    creating = pushed.get(first.facet) if first is not None else None
    if creating is not None and _way(creating)[0] != "waits":
        if creating.push.payload is None:
            return "with_removal", None
        if creating.creates:
            return "with_creation", None
    if first is not None and first.state == "rejected" and first.acknowledged is None:
        return "waits", f"the channel rejected the {first.facet}, so there is no listing"
    held_up = next((facet for facet, one in pushed.items() if _way(one)[0] == "waits"), None)
    if held_up is not None:
        return "waits", f"for the {held_up}"
    under_way = next((one.facet for one in mine if one.state == "accepted"), None)
    if under_way is not None:
        return "waits", f"for the {under_way}, on which the channel works"
    if any(one.state == "rejected" for one in mine):
        return "waits", "for a price that the channel takes: more would be sold at the old one"
    return "waits", f"for other products of the group {row.key}"


def _request(one: Exchange) -> Request:
    try:
        body = None if one.request is None else msgspec.json.decode(one.request)
    except msgspec.DecodeError:
        body = (one.request or b"").decode("utf-8", "replace")
    return Request(method=one.method, url=mask(one.url) or "", body=body)
