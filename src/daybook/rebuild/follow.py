"""Moves a generation that is not live along the log, until it is level. Nothing comes due."""

from collections.abc import Callable

from daybook.channel.contract import Manifest
from daybook.log import reader
from daybook.postgres.pool import AsyncConnection
from daybook.projection.generations import Checkpoint, Generation, checkpoint_of
from daybook.projection.leases import Lease
from daybook.projection.session import BATCH_EVENTS_MAX, Session


async def follow(
    conn: AsyncConnection,
    manifest: Manifest,
    generation: Generation,
    lease: Lease,
    on_progress: Callable[[int], None] = lambda position: None,
) -> Checkpoint:
    """Folds what the log has behind the generation's checkpoint, and returns where it stands when it was level.

    `on_progress` hears each position that was reached. Raises Superseded when another rebuild has the lease.
    """
    at = await checkpoint_of(conn, generation)
    session = await Session.open(conn, manifest, generation, at, deliver=False, lease=lease)
    while True:
        head = await reader.head(conn)
        found = await session.reading.after(conn, session.at.position, BATCH_EVENTS_MAX)
        await session.step(found.events, found.upto)
        on_progress(session.at.position)
        if session.at.position >= head and session.at.reference_from is None:
            return session.at
