"""Receipts folded into the deliveries, in any cut: what the channel shows is never forgotten."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from daybook.events import FacetReceipt, ListingAccepted, ListingConfirmed, ListingEvent, ListingRejected, Rejection
from daybook.postgres.pool import connect_async
from daybook.projection.due import settle
from daybook.projection.receipts import Settlement
from tests.fixtures.channels import NAME, toy

NOW = datetime(2026, 11, 24, tzinfo=UTC)
A, B, C = "aa", "bb", "cc"


def confirmed(mark: str | None) -> ListingEvent:
    return ListingConfirmed(channel=NAME, sku="S", facets=(FacetReceipt("offer", mark, 1),), remote_id="id")


def rejected(mark: str) -> ListingEvent:
    reasons = (Rejection("no", "not this"),)
    return ListingRejected(channel=NAME, sku="S", facets=(FacetReceipt("offer", mark, 1),), reasons=reasons)


def accepted(mark: str) -> ListingEvent:
    return ListingAccepted(channel=NAME, sku="S", facets=(FacetReceipt("offer", mark, 1),), submission=f"of {mark}")


async def stands(dsn: str, desired: str | None, batches: Sequence[Sequence[ListingEvent]]) -> tuple[object, ...] | None:
    """(state, acknowledged, submission) after these receipts, batch by batch, each batch twice; None without a row."""
    async with await connect_async(dsn, "test") as conn:
        await conn.execute(
            "INSERT INTO deliveries (channel, sku, facet, lane, key, rank, desired, state, attempts) "
            "VALUES (%s, 'S', 'offer', 'S', 'S', 0, %s, 'due', 1)",
            (NAME, bytes.fromhex(desired) if desired else None),
        )
        position = 0
        for batch in batches:
            settlements = [Settlement(position + n, NOW, "S", one) for n, one in enumerate(batch, 1)]
            position += len(batch)
            for _ in range(2):
                async with conn.transaction():
                    await settle(conn, toy(), settlements)
        cursor = await conn.execute("SELECT state, encode(acknowledged, 'hex'), submission FROM deliveries")
        return await cursor.fetchone()


CASES: dict[str, tuple[str | None, list[ListingEvent], tuple[object, ...] | None]] = {
    "confirmed": (A, [confirmed(A)], ("confirmed", A, None)),
    "confirmed, but wanted otherwise by now": (B, [confirmed(A)], ("due", A, None)),
    "rejected": (A, [rejected(A)], ("rejected", None, None)),
    "rejected, but wanted otherwise by now": (B, [rejected(A)], ("due", None, None)),
    "accepted": (A, [accepted(A)], ("accepted", None, "of aa")),
    "accepted, then confirmed": (A, [accepted(A), confirmed(A)], ("confirmed", A, None)),
    "accepted, then rejected": (A, [accepted(A), rejected(A)], ("rejected", None, None)),
    "confirmed, then the next state rejected": (B, [confirmed(A), rejected(B)], ("rejected", A, None)),
    "confirmed, the next rejected, and taken back": (A, [confirmed(A), rejected(B)], ("confirmed", A, None)),
    "confirmed, then the next state accepted": (B, [confirmed(A), accepted(B)], ("accepted", A, "of bb")),
    "confirmed twice, then rejected": (C, [confirmed(A), confirmed(B), rejected(C)], ("rejected", B, None)),
    "taken off": (None, [confirmed(A), confirmed(None)], None),
    "shown, but not wanted": (None, [confirmed(A)], ("due", A, None)),
    "taken off, then listed anew": (A, [confirmed(B), confirmed(None), confirmed(A)], ("confirmed", A, None)),
}


@pytest.mark.parametrize("cut", ["together", "one by one"])
@pytest.mark.parametrize("case", CASES)
def test_receipts_leave_the_delivery_where_the_channel_is(database: str, case: str, cut: str) -> None:
    desired, receipts, expected = CASES[case]
    batches = [receipts] if cut == "together" else [[one] for one in receipts]
    assert asyncio.run(stands(database, desired, batches)) == expected
