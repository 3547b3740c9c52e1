"""What the marketplaces refused, in their own words, and offering it again."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec

from daybook.channel.contract import Manifest
from daybook.delivery import lane_rows
from daybook.delivery.resync import check_channel, known
from daybook.events import Rejection
from daybook.postgres.pool import Pool, reachable
from daybook.postgres.sql import beside

QUERIES = beside(__file__, "lane_rows")

LIMIT_MAX = 2**31 - 1


class RejectedFacet(msgspec.Struct, frozen=True, kw_only=True):
    """One facet of one SKU that a channel refused."""

    channel: str
    sku: str
    facet: str
    key: str
    position: int
    """Of the change that it showed."""
    at: datetime | None
    """When the channel's answer was recorded."""
    shown: bool
    """Whether the channel still shows an earlier state of the facet."""
    reasons: tuple[Rejection, ...]


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """Which refusals. What is given must all hold."""

    channel: str | None = None
    code: str | None = None
    skus: tuple[str, ...] = ()
    facet: str | None = None
    since: int = 0
    """Answers that were recorded after this position."""


class CodeCount(msgspec.Struct, frozen=True):
    """How many SKUs a channel refused for this reason, and what it said first."""

    channel: str
    code: str
    count: int
    message: str


class Offered(msgspec.Struct, frozen=True, kw_only=True):
    """What is offered to the channel again."""

    skus: int
    facets: int


def rejections(
    pool: Pool, wanted: Filter, limit: int = LIMIT_MAX, after: tuple[str, str, str] = ("", "", "")
) -> list[RejectedFacet]:
    """In the order of channel, SKU and facet, from behind `after` on, which names these three."""
    channel, sku, facet = after
    asked = _asked(wanted) | {
        "facet": wanted.facet,
        "since": wanted.since,
        "limit": limit,
        "after_channel": channel,
        "after_sku": sku,
        "after_facet": facet,
    }
    with reachable(), pool.connection() as conn:
        return [_refusal(row) for row in conn.execute(QUERIES["rejections"], asked)]


def by_code(found: Iterable[RejectedFacet]) -> list[CodeCount]:
    """The most frequent reason first. A SKU counts once for each channel and code."""
    said: dict[tuple[str, str], str] = {}
    skus: set[tuple[str, str, str]] = set()
    for one in found:
        for reason in one.reasons:
            said.setdefault((one.channel, reason.code), reason.message)
            skus.add((one.channel, reason.code, one.sku))
    counts = Counter((channel, code) for channel, code, _ in skus)
    rows = [CodeCount(channel, code, counts[channel, code], message) for (channel, code), message in said.items()]
    return sorted(rows, key=lambda one: (-one.count, one.channel, one.code))


def offered_again(pool: Pool, manifest: Manifest, skus: Sequence[str] = (), code: str | None = None) -> int:
    """How many facets `offer_again` would offer. Raises as it does."""
    check_channel(manifest)
    with reachable(), pool.connection() as conn:
        given = {"channel": manifest.name, "skus": known(conn, manifest.name, skus), "code": code}
        return int((conn.execute(QUERIES["rejected_facets"], given).fetchone() or (0,))[0])


def offer_again(pool: Pool, manifest: Manifest, skus: Sequence[str] = (), code: str | None = None) -> Offered:
    """Offers what was refused to the channel again: all, these SKUs, what has this code. One transaction.

    Raises NotFound for a SKU of which the channel has nothing, and Refused for a projection that is no channel.
    """
    check_channel(manifest)
    name = manifest.name
    with reachable(), pool.connection() as conn:
        given = {"channel": name, "skus": known(conn, name, skus), "code": code}
        with conn.transaction():
            lanes = [row[0] for row in conn.execute(QUERIES["rejected_lanes"], given)]
            conn.execute(lane_rows.QUERIES["lock_lanes"], (name, lanes))
            offered = conn.execute(QUERIES["offer_again"], {**given, "lanes": lanes}).fetchall()
            conn.execute(QUERIES["wake_lanes_at_once"], (name, sorted({lane for _, lane in offered})))
    return Offered(skus=len({sku for sku, _ in offered}), facets=len(offered))


def _asked(wanted: Filter) -> dict[str, Any]:
    return {"channel": wanted.channel, "skus": list(wanted.skus) or None, "code": wanted.code}


def _refusal(row: Sequence[Any]) -> RejectedFacet:
    channel, sku, facet, key, position, at, shown, reasons = row
    return RejectedFacet(
        channel=channel,
        sku=sku,
        facet=facet,
        key=key,
        position=position,
        at=at,
        shown=shown,
        reasons=msgspec.json.decode(reasons, type=tuple[Rejection, ...]) if reasons else (),
    )
