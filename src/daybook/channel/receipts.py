"""Receipts folded into the deliveries: what the channel acknowledged, facet by facet.

The same statement serves the worker, right after it appended the receipt, and the runner, when the receipt comes round
through the stream. `receipt_position` makes the second a no-op, so a worker may die between the two, and a dropped
delivery table is filled again from the log.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

import msgspec

from daybook.channel import QUERIES
from daybook.channel.contract import Manifest
from daybook.events import ListingAccepted, ListingConfirmed, ListingEvent, ListingRejected, Rejection
from daybook.postgres.pool import AsyncConnection


class Settlement(msgspec.Struct, frozen=True):
    """One receipt: its position in the log, when it was recorded, the product group, and what it says."""

    position: int
    at: datetime
    key: str
    receipt: ListingEvent

    @property
    def sku(self) -> str:
        """The SKU that it is about."""
        return self.receipt.sku

    @property
    def kind(self) -> Literal["accepted", "confirmed", "rejected"]:
        """What the channel said."""
        match self.receipt:
            case ListingAccepted():
                return "accepted"
            case ListingConfirmed():
                return "confirmed"
            case ListingRejected():
                return "rejected"


async def settle(conn: AsyncConnection, manifest: Manifest, settlements: Sequence[Settlement]) -> None:
    """Applies receipts to the deliveries. Idempotent. The caller holds the lanes' locks, in a transaction.

    Of several receipts for one facet the newest says how it stands, and the newest confirmation what is there: a
    channel that confirmed one state and refused the next still shows the first.
    """
    rows: dict[tuple[str, str], tuple[object, ...]] = {}
    confirmed: dict[tuple[str, str], tuple[object, ...]] = {}
    for one in sorted(settlements, key=lambda one: one.position):
        receipt = one.receipt
        reasons = None
        if isinstance(receipt, ListingRejected):
            reasons = encode_reasons(receipt.reasons)
        submission = receipt.submission if isinstance(receipt, ListingAccepted) else None
        lane = one.key if manifest.lane == "group" else one.sku
        for said in receipt.facets:
            rank = manifest.facets.index(said.facet) if said.facet in manifest.facets else len(manifest.facets)
            mark = bytes.fromhex(said.hash) if said.hash is not None else None
            rows[one.sku, said.facet] = (
                one.sku, said.facet, lane, one.key, rank, one.kind, mark, one.position, submission, reasons, one.at,
            )  # fmt: skip
            if one.kind == "confirmed":
                confirmed[one.sku, said.facet] = rows[one.sku, said.facet]
    if not rows:
        return
    skus = sorted({sku for sku, _ in rows})
    overtaken = {where: row for where, row in confirmed.items() if rows[where] is not row}
    for some in (overtaken, rows):
        if some:
            columns = zip(*(some[where] for where in sorted(some)), strict=True)
            await conn.execute(QUERIES["settle"], (manifest.name, *(list(column) for column in columns)))
    await conn.execute(QUERIES["settle_unwanted"], (manifest.name, skus))
    await _remember_ids(conn, manifest, settlements)
    await conn.execute(QUERIES["forget_gone"], (manifest.name, skus))


async def _remember_ids(conn: AsyncConnection, manifest: Manifest, settlements: Sequence[Settlement]) -> None:
    known: dict[str, tuple[str, str | None]] = {}
    for one in settlements:
        receipt = one.receipt
        if isinstance(receipt, ListingRejected):
            continue
        if any(said.facet == manifest.facets[0] and said.hash is None for said in receipt.facets):
            known[one.sku] = (one.key, None)
        elif receipt.remote_id is not None:
            known[one.sku] = (one.key, receipt.remote_id)
    learned = sorted((sku, key, remote) for sku, (key, remote) in known.items() if remote is not None)
    gone = sorted(sku for sku, (_, remote) in known.items() if remote is None)
    if learned:
        skus, keys, remotes = (list(column) for column in zip(*learned, strict=True))
        query = QUERIES["learn_ids_and_renew"] if manifest.variants_hang_on_root else QUERIES["learn_ids"]
        await conn.execute(query, (manifest.name, skus, keys, remotes))
    if gone:
        await conn.execute(QUERIES["forget_ids"], (manifest.name, gone))


def encode_reasons(reasons: Sequence[Rejection]) -> str:
    """Reasons as the JSON text that the deliveries keep."""
    return msgspec.json.encode(reasons).decode()
