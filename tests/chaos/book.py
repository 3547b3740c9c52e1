"""Checks of the book: acknowledged exactly once, nothing impossible, positions dense, times that never fall."""

from collections import defaultdict
from datetime import datetime
from typing import Any

from tests.chaos.truth import Truth
from tests.chaos.world import World

OWN = ("chaos-",)
OTHERS = ("delivery", "import:jsonl", "cli")
"""Sources that may write besides the writers: receipts, and the bulk import."""
_EVENTS = """
SELECT position, event_id::text, command_id, source, type, recorded_at, stream, version, data::text
FROM events WHERE position > %s ORDER BY position
"""


class Book:
    """Reads the log on from where it read last, and keeps what must never change."""

    def __init__(self, world: World, truth: Truth) -> None:
        self._world, self._truth = world, truth
        self._read = 0
        self._at: datetime | None = None
        self._ids: set[str] = set()
        self._commands: dict[str, list[int]] = defaultdict(list)
        self._fingerprints: dict[int, int] = {}
        self._versions: dict[str, int] = {}

    def wrong(self) -> list[str]:
        """What is wrong with the book by now. Everything is read; what was read before must be as it was."""
        found: list[str] = []
        for row in self._world.rows(_EVENTS, 0):
            found += self._event(row)
        return found + list(self._acknowledged())

    def _event(self, row: tuple[Any, ...]) -> list[str]:
        position, event_id, command_id, source, kind, at, stream, version, _ = row
        mark = hash(row)
        if position <= self._read:
            return [] if self._fingerprints.get(position) == mark else [f"event {position} is not what it was: {row}"]
        found = []
        if position != self._read + 1:
            found.append(f"the position after {self._read} is {position}")
        if event_id in self._ids:
            found.append(f"event {event_id} is in the log twice, the second time at {position}")
        if self._at is not None and at < self._at:
            found.append(f"time goes back at position {position}: {self._at} and then {at}")
        if kind.partition(".")[0] != "listing" and version != self._versions.get(stream, 0) + 1:
            found.append(f"{stream} goes from version {self._versions.get(stream, 0)} to {version} at {position}")
        if command_id.startswith(OWN):
            if command_id not in self._truth.all_ids():
                found.append(f"nobody sent the command {command_id} of position {position}")
        elif source not in OTHERS:
            found.append(f"position {position} was written by {source!r}, command {command_id}")
        self._read, self._at = position, at
        self._fingerprints[position] = mark
        self._ids.add(event_id)
        self._versions[stream] = version
        self._commands[command_id].append(position)
        return found

    def _acknowledged(self) -> list[str]:
        found = []
        for wish in self._truth.all().values():
            at = self._commands.get(wish.id, [])
            if at and at != list(range(at[0], at[-1] + 1)):
                found.append(f"{wish.id} is in the log twice, or in pieces: {at}")
            if wish.state == "acknowledged" and (at[-1] if at else None) != wish.position:
                found.append(f"{wish.id} ({wish.method} {wish.path}) was acknowledged at {wish.position}, is at {at}")
            if wish.state in ("refused", "lost") and at:
                found.append(f"{wish.id} was {wish.state} and is in the log at {at}: {wish.answer}")
        return found

    @property
    def events(self) -> int:
        """How many events there are."""
        return self._read
