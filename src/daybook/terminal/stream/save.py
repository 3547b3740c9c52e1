"""A copy of the stream in a file."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from daybook.app import App
from daybook.stream.copy import save as save_stream
from daybook.terminal.options import CommonOptions
from daybook.terminal.render import line, note

if TYPE_CHECKING:
    from rich.console import Console

TOLD_EVERY = 100_000


class Saved(msgspec.Struct, frozen=True, kw_only=True):
    """What was written."""

    messages: int
    file: str


def save(common: CommonOptions, app: App, file: Path) -> Saved:
    """Writes the file. Raises what `stream.copy.save` raises."""

    def progress(at: int, last: int) -> None:
        if at // TOLD_EVERY > max(0, at - 2_000) // TOLD_EVERY:
            note(common, f"{at} of {last}")

    count = asyncio.run(save_stream(app.settings.require_nats(), file, progress))
    return Saved(messages=count, file=str(file))


def shown(done: Saved) -> Callable[[Console], None]:
    """For a person."""
    return line(f"{done.messages} messages of the stream are in {done.file}")
