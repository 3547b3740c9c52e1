"""Reads the whole log, and the stream beside it, and says the first thing that is wrong.

Proved: positions are 1, 2, 3, ... up to the head and nothing lies outside of them; each stream's versions are 1, 2, 3,
...; time never goes back; every event is of a known type, decodes, and holds no more than its type has; each command's
events stand together, with one hash of the command, so none was carried out twice; every message that JetStream still
holds is the event of its sequence, with its content, under its own subject.

Not proved, as nothing in a database is out of its owner's reach: that an event which keeps to all of this was appended
by Daybook. One that was put behind the last event before the relay looked, with the head moved as an append moves it,
holds; so does another hash of a command that has one event, and a log that was changed together with its stream.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from daybook.audit import QUERIES
from daybook.audit.findings import Progress, Verified, Wrong
from daybook.audit.messages import compare
from daybook.errors import CorruptLog
from daybook.events import codec
from daybook.log import reader
from daybook.postgres.pool import AsyncConnection, connect_async, reachable

PAGE_EVENTS = 2000


def _silent(what: str, done: int, total: int) -> None:
    """No progress wanted."""


async def verify(dsn: str, nats_url: str | None, progress: Progress = _silent) -> Verified:
    """Verifies everything up to the head of the moment it starts; without `nats_url`, the log alone.

    Reads only; writers are not held up, and what they append meanwhile is not looked at. Memory grows with the number
    of streams (about 150 bytes each), not with the number of events. Raises Unavailable when a server does not answer:
    then nothing is known.
    """
    check = _LogCheck()
    messages = None
    with reachable():
        async with await connect_async(dsn, "verify") as conn:
            try:
                head = await _events(conn, check, progress)
                if nats_url is not None:
                    messages = await compare(conn, nats_url, head, progress)
            except Wrong as wrong:
                return Verified(
                    events=check.position,
                    streams=len(check.versions),
                    messages=None,
                    problem=str(wrong),
                    position=wrong.position,
                    stream=wrong.stream,
                )
    return Verified(events=head, streams=len(check.versions), messages=messages, problem=None)


async def _events(conn: AsyncConnection, check: "_LogCheck", progress: Progress) -> int:
    found = await (await conn.execute(QUERIES["head"])).fetchone()
    if found is None:
        raise Wrong("the table `head` has no row, so nothing can be appended and nobody knows where the log ends", 0)
    head = int(found[0])
    while check.position < head:
        rows = await reader.page_after(conn, check.position, PAGE_EVENTS, head)
        if not rows:
            raise Wrong(f"the log ends at position {check.position}, but its head says {head}", check.position + 1)
        for row in rows:
            check.event(row)
        progress("events", check.position, head)
    await _nothing_outside(conn)
    await _head_in_time(conn)
    await _commands_whole(conn, head)
    return head


async def _head_in_time(conn: AsyncConnection) -> None:
    """The next event gets a time that is no earlier than the head's, so the head must not lag behind the last one."""
    row = await (await conn.execute(QUERIES["head_moved_too_early"])).fetchone()
    if row is not None:
        position, moved, at = row
        raise Wrong(f"position {position}: recorded at {at}, but the head says {moved}: time could go back", position)


async def _nothing_outside(conn: AsyncConnection) -> None:
    """One statement, so that an event that is appended meanwhile is seen together with the head that it moved."""
    row = await (await conn.execute(QUERIES["outside"])).fetchone()
    if row is not None:
        position, stream, version = row
        where = "is behind the head" if position > 0 else "comes before the log's beginning"
        raise Wrong(f"position {position} ({stream}, version {version}) {where}", position, stream)


async def _commands_whole(conn: AsyncConnection, head: int) -> None:
    row = await (await conn.execute(QUERIES["torn"], (head,))).fetchone()
    if row is not None:
        first, last, amount, command, hashes = row
        if hashes > 1:
            raise Wrong(f"position {first}: the events of command {command} have different hashes of it", first)
        raise Wrong(
            f"position {first}: the {amount} events of command {command} do not stand together, they reach up to "
            f"position {last}: it was carried out twice, or somebody else wrote into the log",
            first,
        )


class _LogCheck:
    """What was seen so far."""

    def __init__(self) -> None:
        self.position = 0
        self.versions: dict[str, int] = {}
        self.at: datetime | None = None

    def event(self, row: Sequence[Any]) -> None:
        """Raises Wrong when this is not the event that has to come next."""
        position, stream, version, at = row[0], row[2], row[3], row[7]
        if position != self.position + 1:
            raise Wrong(
                f"position {self.position + 1} is missing: {position} comes after {self.position}", self.position + 1
            )
        expected = self.versions.get(stream, 0) + 1
        if version != expected:
            raise Wrong(
                f"position {position}: {stream} has version {version} where {expected} belongs", position, stream
            )
        if self.at is not None and at < self.at:
            raise Wrong(
                f"position {position}: recorded at {at}, before the event in front of it ({self.at})", position, stream
            )
        try:
            wrong = codec.surplus(row[4], row[15], reader.recorded(row).event)
        except CorruptLog as error:
            raise Wrong(f"position {position} ({stream}, version {version}): {error}", position, stream) from error
        if wrong is not None:
            raise Wrong(f"position {position} ({stream}, version {version}): {wrong}", position, stream)
        self.position, self.at = position, at
        self.versions[stream] = version
