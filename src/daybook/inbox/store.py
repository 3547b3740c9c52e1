"""What Postgres keeps of the inbox: how far it was taken, what was decided on, and what was refused."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from daybook import limits
from daybook.inbox.message import InboxMessage
from daybook.postgres.pool import Pool, fetch, reachable
from daybook.postgres.sql import beside

QUERIES = beside(__file__)
KNOWN_DAYS = 60
"""So long a message that comes again is known; the stream keeps messages for half of it."""


class InboxRefusal(msgspec.Struct, frozen=True, kw_only=True):
    """A message that can't be taken as it is, and why."""

    command_id: UUID
    sender: str
    subject: str
    body: bytes
    sequence: int
    sku: str | None
    code: str
    field: str | None
    reason: str


class InboxStore:
    """Thread-safe. Raises Unavailable."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def position(self) -> tuple[datetime | None, int]:
        """When the stream was made that was read last, and up to which message all were decided on."""
        stream, sequence = fetch(self._pool, QUERIES["position"])[0]
        return stream, int(sequence)

    def move(self, stream: datetime, sequence: int) -> None:
        """All up to this message were decided on."""
        with reachable(), self._pool.connection() as conn:
            conn.execute(QUERIES["move"], (stream, sequence))

    def known(self, sequences: Mapping[UUID, int]) -> set[UUID]:
        """Which of these were decided on before. What was refused and is sent once more was not."""
        rows = fetch(self._pool, QUERIES["known"], (list(sequences),)) if sequences else []
        return {one for one, refused_as in rows if refused_as is None or refused_as == sequences[one]}

    def record(self, taken: Sequence[InboxMessage], refused: Sequence[InboxRefusal]) -> None:
        """These were decided on, in one transaction: before the next ones about their SKUs are."""
        ids = [*(one.command_id for one in taken), *(one.command_id for one in refused)]
        # What was refused changed nothing about its SKU.
        skus = [*(one.sku for one in taken), *(None for _ in refused)]
        sequences = [*(one.sequence for one in taken), *(one.sequence for one in refused)]
        if not ids:
            return
        with reachable(), self._pool.connection() as conn, conn.transaction():
            conn.execute(QUERIES["take"], (ids, skus, sequences))
            conn.execute(QUERIES["settle"], ([one.command_id for one in taken],))
            for one in refused:
                said = msgspec.structs.asdict(one) | {"reason": one.reason[: limits.REASON_LENGTH_MAX]}
                conn.execute(QUERIES["refuse"], said)

    def forget(self) -> None:
        """Lets go of what was decided on so long ago that it can't come again."""
        with reachable(), self._pool.connection() as conn:
            conn.execute(QUERIES["forget"], (KNOWN_DAYS,))
