"""The handover to the delivery: the only place where a projection writes what is due on a channel.

Folding ends here and delivering begins: what a channel should show is set, what it acknowledged is applied, and the
lanes get a time. Order of locks: lanes by name, then deliveries; see `store`.
"""

from collections.abc import Mapping, Sequence

import msgspec
from psycopg import sql

from daybook.channel.contract import Manifest
from daybook.events import ListingAccepted, ListingRejected
from daybook.postgres.arrays import Array
from daybook.postgres.pool import AsyncConnection
from daybook.postgres.sql import beside
from daybook.projection.folding import Batch
from daybook.projection.generations import Generation
from daybook.projection.receipts import Settlement, encode_reasons

QUERIES = beside(__file__)


async def hand_over(conn: AsyncConnection, manifest: Manifest, batch: Batch, receipts: Sequence[Settlement]) -> bool:
    """Makes due what a batch changed, and applies receipts. False when there was neither.

    In the transaction that wrote the listings. Idempotent: what is desired is set, not added to.
    """
    if not (batch.put or batch.unlisted or receipts):
        return False
    wanted = [
        (row.sku, row.facet, manifest.lane_of(row.sku, row.key), row.key, row.wanted, row.position)
        for row in batch.put.values()
    ] + [
        (sku, facet, manifest.lane_of(sku, key), key, None, position)
        for (sku, facet), (key, position) in batch.unlisted.items()
    ]
    wanted.sort(key=lambda row: (row[0], row[1]))
    news = {row[2] for row in wanted}
    lanes = sorted(news | {manifest.lane_of(one.sku, one.key) for one in receipts})
    urgent, fresh = Array.texts(_urgent(manifest, batch)), Array.texts(list(news))
    await conn.execute(QUERIES["touch_lanes"], (manifest.name, urgent, Array.texts(lanes), fresh, fresh))
    if wanted:
        await conn.execute(
            QUERIES["want"],
            (
                manifest.name,
                Array.texts([row[0] for row in wanted]),
                Array.texts([row[1] for row in wanted]),
                Array.texts([row[2] for row in wanted]),
                Array.texts([row[3] for row in wanted]),
                Array.small_integers([manifest.rank_of(row[1]) for row in wanted]),
                Array.binaries([row[4] for row in wanted]),
                Array.integers([row[5] for row in wanted]),
                manifest.name,
            ),
        )
        skus = Array.texts(sorted({row[0] for row in wanted}))
        await conn.execute(QUERIES["reconsider"], (manifest.name, skus))
    await settle(conn, manifest, receipts)
    return True


def _urgent(manifest: Manifest, batch: Batch) -> list[str]:
    """Lanes of what has just sold out: each minute later is an order that can't be kept."""
    stock = manifest.stock
    if stock is None:
        return []
    return [
        manifest.lane_of(row.sku, row.key)
        for row in batch.put.values()
        if row.facet == stock.facet and row.payload is not None and not stock.amount(msgspec.json.decode(row.payload))
    ]


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
        lane = manifest.lane_of(one.sku, one.key)
        for said in receipt.facets:
            rank = manifest.rank_of(said.facet)
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


async def want_differences(
    conn: AsyncConnection, manifest: Manifest, to: Generation, position: int, receipts: Sequence[Settlement]
) -> int:
    """Makes due all that a generation shows otherwise than what was desired; returns how many facets.

    In the transaction that switches to it.
    """
    named = {"by_group": sql.Literal(manifest.lane == "group"), "channel": sql.Literal(manifest.name)}
    made = await conn.execute(to.composed(QUERIES["differences"], **named))
    lanes = sorted({manifest.lane_of(one.sku, one.key) for one in receipts})
    given = {
        "channel": manifest.name,
        "receipts": lanes,
        "facets": list(manifest.facets),
        "position": position,
    }
    await conn.execute(QUERIES["lock_difference_lanes"], given)
    # What is to be taken away and was never known to the deliveries is no difference: desired is null for both.
    await conn.execute(QUERIES["want_differences"], given)
    await conn.execute(QUERIES["reconsider_differences"], (manifest.name,))
    await settle(conn, manifest, receipts)
    return made.rowcount


async def planned_calls(
    conn: AsyncConnection, manifest: Manifest, new: Generation, between: Mapping[str, int]
) -> dict[str, int]:
    """What a switch to this generation would ask the channel to change: operation -> SKUs. Reads only."""
    query = QUERIES["calls_of_work" if manifest.kind == "work" else "calls"]
    given = {**between, "channel": manifest.name, "root": manifest.facets[0] if manifest.facets else ""}
    return dict(await (await conn.execute(new.composed(query), given)).fetchall())


async def workers_alive(conn: AsyncConnection, channel: str) -> int:
    """How many workers deliver to the channel now."""
    row = await (await conn.execute(QUERIES["alive_workers"], {"channel": channel})).fetchone()
    assert row is not None
    return int(row[0])


async def forget(conn: AsyncConnection, projection: str) -> None:
    """Drops all that is known of a projection and its deliveries. The journal of requests stays."""
    await conn.execute(QUERIES["forget_projection"], {"name": projection})
