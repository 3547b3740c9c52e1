"""Removing the stream, and building again what rests on messages that were never the log's."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from daybook.app import App
from daybook.postgres.pool import connect_async
from daybook.projection.beyond import found_beyond
from daybook.stream import state
from daybook.stream.connection import Nats
from daybook.stream.jetstream import Stream
from daybook.terminal.channel import rebuild as rebuilding
from daybook.terminal.options import CommonOptions
from daybook.terminal.render import line, stacked

if TYPE_CHECKING:
    from rich.console import Console


class ResetDone(msgspec.Struct, frozen=True, kw_only=True):
    """What was removed and what was built again."""

    reset: bool
    rebuilt: list[str]
    """Projections that had folded what the log does not have."""


def reset(common: CommonOptions, app: App) -> ResetDone:
    """Removes the stream if it is there, and rebuilds the projections that stand beyond the log. Raises Unavailable."""
    wrong = asyncio.run(_remove(app.settings.require_postgres(), app.settings.require_nats()))
    installed = {one.name for one in app.registry.all()}
    rebuilt = [name for name in wrong if name in installed]
    for name in rebuilt:
        rebuilding.rebuild(common, app, name, apply=True, workers=None, fresh=True, at=None, from_code=None)
    return ResetDone(reset=True, rebuilt=rebuilt)


async def _remove(dsn: str, url: str) -> list[str]:
    nats = Nats(url, "cli")
    await nats.open()
    try:
        async with await connect_async(dsn, "reset") as conn:
            await Stream(nats).delete()
            await state.forget_foreign(conn)
            return await found_beyond(conn)
    finally:
        await nats.close()


def shown(done: ResetDone) -> Callable[[Console], None]:
    """For a person."""
    return stacked(
        line("the stream is removed; the relay fills it again from the log"),
        *(
            line(f"{name} had folded what the log does not have: it was built again from the log")
            for name in done.rebuilt
        ),
    )
