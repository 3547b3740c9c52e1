"""Moves a generation that is not live along the log, until it is level. Nothing comes due."""

from collections.abc import Callable

from daybook.channel.contract import Manifest
from daybook.channel.generations import Checkpoint, Generation, checkpoint_of
from daybook.channel.leases import Lease
from daybook.channel.session import BATCH_EVENTS_MAX, Session
from daybook.log import reader
from daybook.postgres.pool import AsyncConnection


async def follow(
    conn: AsyncConnection,
    manifest: Manifest,
    generation: Generation,
    lease: Lease,
    told: Callable[[int], None] = lambda position: None,
) -> Checkpoint:
    """Folds what the log has behind the generation's checkpoint, and returns where it stands when it was level.

    `told` hears each position that was reached. Raises Superseded when another rebuild has the lease.
    """
    at = await checkpoint_of(conn, generation)
    session = await Session.open(conn, manifest, generation, at, deliver=False, lease=lease)
    while True:
        rows = await reader.rows_after(conn, session.at.position, BATCH_EVENTS_MAX)
        await session.step([reader.recorded(row) for row in rows])
        told(session.at.position)
        if len(rows) < BATCH_EVENTS_MAX and session.at.reference_from is None:
            return session.at
