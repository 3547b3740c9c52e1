"""Appending commands in their order, all or none, while a fence holds: for who must not be overtaken by a successor."""

from collections.abc import Callable, Sequence

import msgspec

from daybook.errors import VersionConflict
from daybook.log.group_commit import append_statement
from daybook.log.pending import Context, PendingEvent
from daybook.postgres.pool import Connection, Pool, reachable

Fence = Callable[[Connection], None]
"""Looked at in the transaction of the append; raises when another has taken over."""


class OrderedCommand(msgspec.Struct, frozen=True):
    """One of them. No two may have a stream in common."""

    context: Context
    events: Sequence[PendingEvent]


def append_in_order(pool: Pool, commands: Sequence[OrderedCommand], fence: Fence) -> None:
    """Appends all of them in this order, in one transaction. One that was appended before is left out.

    Raises VersionConflict, what the fence raises, and Unavailable; nothing is appended then, unless the answer of the
    commit was lost: what the log has is to be looked up again.
    """
    statement, parameters = append_statement(commands)
    with reachable(), pool.connection() as conn, conn.transaction():
        fence(conn)
        rows = conn.execute(statement, parameters, prepare=True, binary=True).fetchall()
        for _, outcome, _, _, _, stream, actual, _ in rows:
            if outcome == "conflict":
                raise VersionConflict(f"{stream} is at version {actual}: look again, then decide again")
