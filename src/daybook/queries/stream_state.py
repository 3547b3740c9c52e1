"""How the stream is, for people: level, behind, stuck or missing, since when, why, and what to do about it.

Read from Postgres alone, where the relay and the projections keep what they find: true also when NATS and every worker
are dead. Times that lie ahead count like times as far back: a clock was set, and nothing may look well because of it.
"""

from datetime import datetime
from typing import Literal

import msgspec

from daybook.limits import MESSAGE_BYTES_MAX
from daybook.postgres.pool import Connection, Pool, reachable
from daybook.postgres.sql import beside

QUERIES = beside(__file__)

BEHIND_SECONDS = 2.0
"""An event is published within milliseconds, but the relay says so once a second."""
STUCK_SECONDS = 10.0
"""What goes on for so long does not pass by itself in a moment."""
SILENT_SECONDS = 15.0
"""A relay says something every second; one that has not for so long is not there."""
UNREADY_SECONDS = 60.0
"""What a relay that is started anew does not take."""
START = "Start one with `daybook run relay`"
RESET = (
    "`daybook failover` keeps what the log lacks, says whose changes these are, and removes the stream; the relay "
    "fills it again from the log"
)


class Kept(msgspec.Struct, frozen=True):
    """What Postgres knows: see the migration `stream/0001_state.sql`."""

    head: int
    published: int
    bytes_max: int | None
    message_bytes: int | None
    said_at: datetime | None
    trouble: Literal["missing", "stuck"] | None
    reason: str | None
    since: datetime | None
    foreign_sequence: int | None
    foreign_reason: str | None
    foreign_at: datetime | None
    oldest: datetime | None
    """When the first event was recorded that is not known to be in the stream."""
    now: datetime


class StreamState(msgspec.Struct, frozen=True, kw_only=True):
    """The stream at a glance."""

    state: Literal["level", "behind", "stuck", "missing"]
    """`behind`: it is being filled. `stuck` and `missing`: somebody has to look."""
    published: int
    """The last position that is known to be in the stream."""
    behind: int
    """Events of the log that are not known to be in the stream."""
    since: datetime | None
    """When the present state began; None for `level`."""
    seconds: float | None
    """For so long."""
    reason: str | None
    """Why, and the next step."""
    bytes_max: int | None
    """So large may the stream grow; None while nobody knows."""
    said_at: datetime | None
    """When a relay last said something."""
    warning: str | None
    """What works now and will not for ever."""

    @property
    def unready(self) -> bool:
        """Whether it has stood still for so long that nobody should rely on what is behind it."""
        return self.state in ("stuck", "missing") and (self.seconds or 0.0) >= UNREADY_SECONDS

    @property
    def sentence(self) -> str:
        """All of it for a person."""
        if self.since is None or self.seconds is None:
            return f"the stream is {self.state}"
        lag = f" by {self.behind:,} events" if self.state == "behind" else ""
        why = f": {self.reason}" if self.reason else ""
        return f"the stream is {self.state}{lag} since {self.since:%Y-%m-%d %H:%M:%S} UTC ({spoken(self.seconds)}){why}"


def read(pool: Pool) -> StreamState:
    """How the stream is now. Raises Unavailable."""
    with reachable(), pool.connection() as conn:
        return read_with(conn)


def read_with(conn: Connection) -> StreamState:
    """The same, in a transaction that is under way."""
    row = conn.execute(QUERIES["stream_state"]).fetchone()
    assert row is not None
    return judge(Kept(*row))


def judge(kept: Kept) -> StreamState:
    """What is to be said of what is known."""
    state, since, reason = _state(kept)
    warning = None
    if kept.message_bytes is not None and kept.message_bytes < MESSAGE_BYTES_MAX:
        warning = (
            f"the NATS server takes messages of at most {kept.message_bytes:,} bytes, and an event may need "
            f"{MESSAGE_BYTES_MAX:,}: set max_payload to that or more in its configuration"
        )
    return StreamState(
        state=state,
        published=kept.published,
        behind=max(0, kept.head - kept.published),
        since=since,
        seconds=None if since is None else _age(kept, since),
        reason=reason,
        bytes_max=kept.bytes_max,
        said_at=kept.said_at,
        warning=warning,
    )


def _state(
    kept: Kept,
) -> tuple[Literal["level", "behind", "stuck", "missing"], datetime | None, str | None]:
    if kept.foreign_sequence is not None:
        reason = f"message {kept.foreign_sequence} of the stream {kept.foreign_reason}. {RESET}"
        return "stuck", kept.foreign_at, reason
    if kept.trouble is not None and kept.since is not None and _age(kept, kept.since) >= STUCK_SECONDS:
        return kept.trouble, kept.since, kept.reason
    if kept.said_at is not None and _age(kept, kept.said_at) >= SILENT_SECONDS:
        return "stuck", kept.said_at, f"no relay has been heard of since then. {START}"
    waited = 0.0 if kept.oldest is None else _age(kept, kept.oldest)
    if kept.said_at is None and waited >= STUCK_SECONDS:
        return "missing", kept.oldest, f"no relay has run here yet. {START}"
    if waited >= BEHIND_SECONDS:
        return "behind", kept.oldest, kept.reason
    return "level", None, None


def _age(kept: Kept, moment: datetime) -> float:
    return abs((kept.now - moment).total_seconds())


def spoken(seconds: float) -> str:
    """A span of time in the words of a person: `40 s`, `12 min`, `3 h`, `5 days`."""
    for unit, size in (("days", 86400.0), ("h", 3600.0), ("min", 60.0)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
