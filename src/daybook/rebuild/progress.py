"""How a rebuild gets on, for whoever shows it; and what it waits for when it does not."""

import asyncio
import time
from collections.abc import Callable
from typing import Literal

import msgspec

from daybook.postgres.pool import AsyncConnection, connect_async
from daybook.rebuild import QUERIES
from daybook.rebuild.fill import application

STALLED_SECONDS = 15.0
"""How long nothing may move before it is said, with the reason."""

Phase = Literal["fill", "index", "follow", "plan", "switch"]


class RebuildProgress(msgspec.Struct, frozen=True, kw_only=True):
    """`done` of `total` events in this phase; both are exact, and equal at its end. 0 of 0: a phase without events."""

    phase: Phase
    done: int = 0
    total: int = 0
    generation: int = 0
    resumed: bool = False
    stalled: str | None = None
    """Nothing moved for `STALLED_SECONDS`, and why."""


OnProgress = Callable[[RebuildProgress], None]


class Watch:
    """Passes progress on, and notices when there is none."""

    def __init__(self, on_progress: OnProgress, stalled_seconds: float = STALLED_SECONDS) -> None:
        self._on_progress = on_progress
        self._seconds = stalled_seconds
        self._last = RebuildProgress(phase="fill")
        self._moved = time.monotonic()

    def __call__(self, progress: RebuildProgress) -> None:
        """Something may have moved."""
        if progress != self._last:
            self._last, self._moved = progress, time.monotonic()
            self._on_progress(progress)

    async def watch(self, dsn: str, projection: str) -> None:
        """Runs until it is cancelled; asks Postgres what a rebuild waits for that does not move."""
        while True:
            await asyncio.sleep(min(1.0, self._seconds / 3))
            quiet = time.monotonic() - self._moved
            if quiet >= self._seconds:
                try:
                    async with await connect_async(dsn, "watch") as conn:
                        why = await reasons(conn, projection)
                except Exception as error:
                    why = f"Postgres does not answer: {error}"
                self._on_progress(
                    msgspec.structs.replace(self._last, stalled=f"nothing moved for {quiet:.0f} s: {why}")
                )


async def reasons(conn: AsyncConnection, projection: str) -> str:
    """What the rebuild's connections are at, and whom they wait for."""
    name = f"daybook {application(projection)}"
    rows = await (await conn.execute(QUERIES["waiting"], (name,))).fetchall()
    said = []
    for pid, state, kind, event, blockers, query, seconds in rows:
        what = " ".join(str(query).split())
        if blockers:
            said.append(f"process {pid} waits for a lock that {', '.join(map(str, blockers))} has, in: {what}")
        elif state == "active":
            said.append(f"process {pid} is {kind}/{event if kind else 'running'} for {seconds:.0f} s in: {what}")
        else:
            said.append(f"process {pid} is {state}: the worker is busy, or stopped")
    return "; ".join(said) or "no worker is connected to Postgres"
