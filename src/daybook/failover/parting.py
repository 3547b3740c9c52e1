"""Where the stream and the log parted, and the events that only the stream has.

Up to there message n is event n, and behind it none is: the promoted standby gave the same positions to other events,
or has none there yet. So the first that differs is found by halving the range, and only what is behind it is read.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import msgspec

from daybook.errors import CorruptLog
from daybook.failover.kept import QUERIES
from daybook.log import reader
from daybook.postgres.pool import AsyncConnection
from daybook.stream import cloudevents
from daybook.stream.connection import Nats
from daybook.stream.copy import messages
from daybook.stream.feed import Delivered
from daybook.stream.jetstream import Stream


class LostEvent(msgspec.Struct, frozen=True, kw_only=True):
    """A message of the stream that is not in the log. Nobody can tell whether its sender was told that it is."""

    sequence: int
    type: str
    stream: str
    sku: str | None
    key: str
    actor: str
    reason: str | None
    recorded_at: datetime
    command_id: str
    again: int | None = None
    """Where its command stands in the log now: it was sent again, and nothing has to be done."""


class Parting(msgspec.Struct, kw_only=True):
    """How the stream and the log stand to each other. Without `first` the stream has nothing that the log lacks."""

    head: int
    last: int | None
    """The stream's last sequence; None without a stream."""
    first: int | None = None
    """The first message that the log lacks."""
    lost: list[LostEvent] = []
    unread: list[int] = []
    """Messages that are no events: somebody else published them."""

    @property
    def keys(self) -> list[str]:
        """The product groups that lost events are about."""
        return sorted({one.key for one in self.lost if not one.key.startswith("@")})

    @property
    def by_hand(self) -> list[str]:
        """SKUs that a channel may show although the log says nothing of it: they were created, or listed, and lost."""
        shown = ("product.created.", "product.listed.")
        return sorted({one.sku for one in self.lost if one.sku and one.type.startswith(shown) and one.again is None})


async def find(
    conn: AsyncConnection, nats: Nats, write: Callable[[Sequence[Delivered]], object] = lambda page: None
) -> Parting:
    """Compares the two; hands every message behind the parting to `write`. Raises Unavailable."""
    stream = Stream(nats)
    info = await stream.info()
    head = await reader.head(conn)  # asked last: what is published meanwhile is in the log before
    found = Parting(head=head, last=None if info is None else info.last)
    if info is None or info.last == 0:
        return found
    first = await _first_that_differs(conn, stream, max(1, info.first), info.last, head)
    if first > info.last:
        return found
    found.first = first
    async for page in messages(nats, stream, first, info.last):
        write(page)
        for one in page:
            try:
                found.lost.append(_lost(one.sequence, cloudevents.row(one.body)))
            except CorruptLog:
                found.unread.append(one.sequence)
    await _mark_sent_again(conn, found)
    return found


async def _first_that_differs(conn: AsyncConnection, stream: Stream, low: int, last: int, head: int) -> int:
    high = min(last, head) + 1
    while low < high:
        middle = (low + high) // 2
        if await _same(conn, stream, middle):
            low = middle + 1
        else:
            high = middle
    return low


async def _same(conn: AsyncConnection, stream: Stream, sequence: int) -> bool:
    """A message that was removed is no difference."""
    message = await stream.stored(sequence)
    if message is None:
        return True
    (row,) = await reader.rows_after(conn, sequence - 1, 1)
    return cloudevents.difference(message.body, message.subject, row) is None


def _lost(sequence: int, row: Sequence[Any]) -> LostEvent:
    _, _, stream, _, kind, sku, key, at, actor, reason, *_, command, _, _ = row
    return LostEvent(
        sequence=sequence,
        type=kind,
        stream=stream,
        sku=sku,
        key=key,
        actor=actor,
        reason=reason,
        recorded_at=at,
        command_id=command,
    )


async def _mark_sent_again(conn: AsyncConnection, found: Parting) -> None:
    commands = sorted({one.command_id for one in found.lost})
    rows = await (await conn.execute(QUERIES["known_commands"], (commands,))).fetchall()
    known: dict[str, int] = dict(rows)
    found.lost = [msgspec.structs.replace(one, again=known.get(one.command_id)) for one in found.lost]
