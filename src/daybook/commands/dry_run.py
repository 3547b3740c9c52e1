"""Deciding commands without carrying them out: what the book would do, command after command, and nothing appended.

Each is decided as the book would decide it, on what the book holds and on what the commands before it would have made
of it: a variant finds a model that the same file brings. So what is told is what an import that follows will do, as
long as nobody else changes the book in between.
"""

import threading
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import msgspec

from daybook.catalogue.reference import Reference, fold_reference
from daybook.commands.decision_view import FOLDS, Change, DecisionView, Kinds
from daybook.errors import VersionConflict
from daybook.events import Event, ProductCreated
from daybook.events.envelope import REFERENCE_KEY
from daybook.log.application import Log
from daybook.log.pending import Context
from daybook.product.state import Product
from daybook.product.state import evolve as evolve_product
from daybook.values import parse_sku


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What a command would do: its events by stream, and the state of each stream before and after."""

    changes: tuple[Change, ...]
    before: dict[str, Any]
    after: dict[str, Any]
    """Stream -> its state, or None; for a definition the definition."""
    versions: dict[str, int]
    """Stream -> its version before."""

    @property
    def created(self) -> bool:
        """Whether it would begin its own stream: what it is about is new."""
        return self.changed and self.before[self.changes[0].stream] is None

    @property
    def changed(self) -> bool:
        """Whether anything would be appended."""
        return any(change.events for change in self.changes)


class _Overlay:
    """The log, with what the decisions so far would have appended to it."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._states: dict[str, tuple[bytes, int]] = {}
        self._created: Counter[str] = Counter()

    def load(self, stream: str, evolve: Callable[[Any, Event], Any]) -> tuple[Any, int]:
        """As the log's own."""
        if stream not in self._states:
            return self._log.load(stream, evolve)
        encoded, version = self._states[stream]
        return msgspec.json.decode(encoded, type=FOLDS[stream.partition("/")[0]].state), version

    def load_many(self, wanted: Mapping[str, Callable[[Any, Event], Any]]) -> dict[str, tuple[Any, int]]:
        """As the log's own."""
        return {stream: self.load(stream, evolve) for stream, evolve in wanted.items()}

    def now(self) -> datetime:
        """As the log's own."""
        return self._log.now()

    def carried_out(self, context: Context) -> Any:
        """As the log's own."""
        return self._log.carried_out(context)

    def products_of(self, key: str) -> int:
        """As the log's own."""
        return self._log.products_of(key) + self._created[key]

    def take(self, change: Change, state: Any, version: int) -> None:
        """The stream has this state from now on. Encoded, as a whole catalogue of them may come together."""
        self._states[change.stream] = msgspec.json.encode(state), version
        self._created[change.key] += sum(isinstance(event, ProductCreated) for event in change.events)


class DryRun:
    """Takes the place of a book. Thread-safe."""

    def __init__(
        self, log: Log, reference: Reference, channels: frozenset[str] = frozenset(), kinds: Kinds | None = None
    ) -> None:
        self._overlay: Any = _Overlay(log)
        self._reference = reference
        self._channels = channels
        self._kinds = kinds or {}
        self._lock = threading.Lock()

    def reference(self) -> Reference:
        """The reference state as it would be."""
        return self._reference

    def product(self, sku: str) -> tuple[Product | None, int]:
        """The product as it would be, and the version of its stream."""
        found: tuple[Product | None, int] = self._overlay.load(f"product/{parse_sku(sku)}", evolve_product)
        return found

    def carried_out(self, context: Context) -> Any:
        """What the command with this id did in the book, or None. Raises CommandIdReused."""
        return self._overlay.carried_out(context)

    def carry_out(self, command: Any, context: Context, *, expected_version: int | None = None) -> Decision:
        """Decides the command and remembers what it would do. Raises what the book would raise."""
        with self._lock:
            view = DecisionView(self._overlay, self._reference, self._channels, self._kinds)
            changes = tuple(command.decide(view))
            version = view.version(changes[0].stream)
            if expected_version is not None and expected_version != version:
                raise VersionConflict(
                    f"{changes[0].stream} is at version {version}, not {expected_version}: look, then decide again",
                    expected=expected_version,
                    actual=version,
                )
            before = {change.stream: self._state(change) for change in changes}
            versions = {change.stream: view.version(change.stream) for change in changes}
            for change in changes:
                self._take(change, before[change.stream], versions[change.stream])
            after = {change.stream: self._state(change) for change in changes}
            return Decision(changes=changes, before=before, after=after, versions=versions)

    def _state(self, change: Change) -> Any:
        noun, _, name = change.stream.partition("/")
        if change.key != REFERENCE_KEY:
            return self._overlay.load(change.stream, FOLDS[noun].evolve)[0]
        definitions: dict[str, Mapping[str, Any]] = {
            "attribute": self._reference.attributes,
            "family": self._reference.families,
            "category": self._reference.categories,
            "channel": self._reference.channels,
        }
        return definitions.get(noun, {}).get(name)

    def _take(self, change: Change, state: Any, version: int) -> None:
        if change.key == REFERENCE_KEY:
            for event in change.events:
                self._reference = fold_reference(self._reference, event)
        elif change.events:
            evolve = FOLDS[change.stream.partition("/")[0]].evolve
            for event in change.events:
                state = evolve(state, event)
            self._overlay.take(change, state, version + len(change.events))
