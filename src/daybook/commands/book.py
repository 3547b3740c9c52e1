"""Carrying commands out: look, decide, append; and once more when somebody else was faster."""

import hashlib
import random
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import datetime
from itertools import count
from types import MappingProxyType
from typing import Protocol

import msgspec

from daybook.catalogue.reference import EMPTY, Reference
from daybook.commands.decision_view import FOLDS, Change, DecisionView, Kinds, Loaded
from daybook.commands.dry_run import DryRun
from daybook.commands.turns import StreamTurns
from daybook.errors import DaybookError, InvalidValue, NotFound, Refused, Unavailable, VersionConflict
from daybook.events.envelope import REFERENCE_KEY
from daybook.log.application import Log
from daybook.log.ordered import Fence
from daybook.log.pending import Context, NewEvent
from daybook.log.reader import Reader
from daybook.product.state import Product
from daybook.product.state import evolve as evolve_product
from daybook.values import parse_sku

CONFLICT_SECONDS_MAX = 10.0
CONFLICT_PAUSE_SECONDS_MAX = 0.1
TURNS_LOST = 3
"""After so many, the rivals are other processes'."""
REFERENCE_SECONDS = 1.0


class Command(Protocol):
    """A command: a struct that decides."""

    def decide(self, scene: DecisionView) -> list[Change]: ...


class CommandResult(msgspec.Struct, frozen=True, kw_only=True):
    """What a command did. `first` and `last` are None when its wish was true already and nothing was appended."""

    command_id: str
    first: int | None = None
    last: int | None = None
    recorded_at: datetime | None = None
    version: int = 0
    """The version of the command's own stream now: what If-Match compares."""
    created: bool = False
    """It began its own stream: what it is about is new. Not known of a repeated one."""
    repeated: bool = False

    @property
    def changed(self) -> bool:
        """Whether anything was appended, now or by the first try of this command."""
        return self.last is not None


class Book:
    """The write side. Thread-safe. `appended` is called after each commit, to wake whoever waits for news."""

    def __init__(
        self,
        log: Log,
        reader: Reader,
        channels: frozenset[str] = frozenset(),
        appended: Callable[[], None] | None = None,
        kinds: Kinds = MappingProxyType({}),
    ) -> None:
        self._log = log
        self._reader = reader
        self._channels = channels
        self._appended = appended
        self._kinds = kinds
        self._turns = StreamTurns()
        self._reference = EMPTY
        self._reference_seen = -REFERENCE_SECONDS

    def reference(self) -> Reference:
        """The reference state now."""
        self._reference = reference = self._reader.reference()
        self._reference_seen = time.monotonic()
        return reference

    def product(self, sku: str) -> tuple[Product | None, int]:
        """The product now and the version of its stream. Raises InvalidValue for a malformed SKU."""
        return self._log.load(f"product/{parse_sku(sku)}", evolve_product)

    def dry_run(self) -> DryRun:
        """A stand-in that decides on what this book holds now, and appends nothing."""
        return DryRun(self._log, self.reference(), self._channels, self._kinds)

    def _decide(self, command: Command) -> tuple[DecisionView, list[Change]]:
        """Decides on the reference as it was last seen, at most a second ago; a refusal is decided again on the newest.

        So is every definition, and this book's own definitions hold for its next command.
        Looking for news costs every command a round trip, and definitions change once in a thousand commands. A rule
        that somebody else tightened within that second may be missed, just as if this command had come first.
        """
        if time.monotonic() - self._reference_seen < REFERENCE_SECONDS:
            scene = DecisionView(self._log, self._reference, self._channels, self._kinds, self._reader.access)
            with suppress(NotFound, InvalidValue, Refused):
                changes = command.decide(scene)
                if changes[0].key != REFERENCE_KEY:
                    return scene, changes
        scene = DecisionView(self._log, self.reference(), self._channels, self._kinds, self._reader.access)
        return scene, command.decide(scene)

    def carry_out(
        self, command: Command, context: Context, *, expected_version: int | None = None, repeatable: bool = False
    ) -> CommandResult:
        """Carries the command out, once.

        `repeatable`: the caller chose the command id and may send the command again; the second time returns the first
        result. `expected_version`: the version of the command's stream on which the caller's wish rests; another one
        raises VersionConflict. Without it a conflict is decided anew on what is there now.
        Raises the domain's errors, CommandIdReused and Unavailable; nothing is recorded then.
        """
        # Kept with every command, whoever chose its id: ids are public, and one that comes back with another command
        # must be told from a retry.
        if context.command_hash is None:  # of a command about a person it is made with the person's key
            context = msgspec.structs.replace(context, command_hash=command_hash_of(command))
        if repeatable and (before := self.carried_out(context)):
            return before
        try:
            done = self._decide_and_append(command, context, expected_version)
        except Unavailable:
            raise
        except DaybookError:
            # The first try may still have been under way when this one began, and its own outcome then stands in the
            # way: the product exists already, the version moved on.
            if repeatable and (before := self.carried_out(context)):
                return before
            raise
        if not done.changed and repeatable and (before := self.carried_out(context)):
            return before
        if done.changed and self._appended is not None:
            self._appended()
        return done

    def carry_out_in_order(
        self, commands: Sequence[tuple[Command, Context]], streams: Iterable[str], fence: Fence
    ) -> int:
        """Carries out as many of them, from the first on, as can be decided side by side: all in one append, in order.

        `streams`: what they will look at, loaded together before.

        Returns how many; at least one when there is one. One whose states are changed by one before it waits for the
        next call. Raises what deciding raises, what the fence raises, VersionConflict after several tries, and
        Unavailable.
        """
        for attempt in count(1):
            happened, amount = self._decide_in_order(commands, streams)
            try:
                if happened:
                    self._log.append_in_order(happened, fence)
            except VersionConflict:
                if attempt >= TURNS_LOST:
                    raise
                continue
            if happened and self._appended is not None:
                self._appended()
            return amount
        raise AssertionError("unreachable")

    def load(self, streams: Iterable[str]) -> Loaded:
        """The states of these streams and their versions, in few round trips; what is loaded soon again is quick."""
        return self._log.load_many({one: FOLDS[one.partition("/")[0]].evolve for one in streams})

    def _decide_in_order(
        self, commands: Sequence[tuple[Command, Context]], streams: Iterable[str]
    ) -> tuple[list[tuple[Context, list[NewEvent]]], int]:
        reference, loaded = self.reference(), self.load(streams)
        decided: list[tuple[Context, list[NewEvent]]] = []
        changed: set[str] = set()
        for amount, (command, context) in enumerate(commands):
            scene = DecisionView(self._log, reference, self._channels, self._kinds, self._reader.access, loaded)
            changes = command.decide(scene)
            # Also what it only looked at: it would have decided on what was there before.
            if not changed.isdisjoint((*scene.versions, *(one.stream for one in changes))):
                return decided, amount
            happened = [one for change in changes for one in _happened(change, scene.version(change.stream))]
            if happened:
                decided.append((msgspec.structs.replace(context, command_hash=command_hash_of(command)), happened))
                changed |= {one.originator_id for one in happened}
        return decided, len(commands)

    def carried_out(self, context: Context) -> CommandResult | None:
        """What the command with this id did, if it was carried out before. Raises CommandIdReused."""
        before = self._log.carried_out(context)
        if before is None:
            return None
        return CommandResult(
            command_id=context.command_id,
            first=before.first,
            last=before.last,
            recorded_at=before.recorded_at,
            repeated=True,
        )

    def _decide_and_append(self, command: Command, context: Context, expected_version: int | None) -> CommandResult:
        deadline = time.monotonic() + CONFLICT_SECONDS_MAX
        wanted: frozenset[str] = frozenset()
        for attempt in count():
            # Rivals for one stream that all try again at once starve each other: those of this process take turns.
            with self._turns.at(wanted, deadline):
                scene, changes = self._decide(command)
                streams = frozenset(change.stream for change in changes if change.events)
                if expected_version is None and not wanted and self._turns.rivalled(streams):
                    wanted = streams
                    continue
                try:
                    return self._append(scene, changes, context, expected_version)
                except VersionConflict:
                    if expected_version is not None or time.monotonic() > deadline:
                        raise
            self._turns.lost(streams)
            wanted = streams
            if attempt >= TURNS_LOST:
                # They are other processes'; chance lets them pass one by one.
                time.sleep(random.uniform(0, min(CONFLICT_PAUSE_SECONDS_MAX, 0.001 * 2 ** min(attempt, 10))))
        raise AssertionError("unreachable")

    def _append(
        self, scene: DecisionView, changes: list[Change], context: Context, expected_version: int | None
    ) -> CommandResult:
        version = scene.version(changes[0].stream)
        if expected_version is not None and expected_version != version:
            raise VersionConflict(
                f"{changes[0].stream} is at version {version}, not {expected_version}: look, then decide again",
                expected=expected_version,
                actual=version,
            )
        happened = [one for change in changes for one in _happened(change, scene.version(change.stream))]
        if not happened:
            return CommandResult(command_id=context.command_id, version=version)
        result = self._log.append(happened, context)
        if changes[0].key == REFERENCE_KEY:
            self._reference_seen = -REFERENCE_SECONDS
        return CommandResult(
            command_id=context.command_id,
            first=result.first,
            last=result.last,
            recorded_at=result.recorded_at,
            version=version + len(changes[0].events),
            created=version == 0 and bool(changes[0].events) and not result.repeated,
            repeated=result.repeated,
        )


def command_hash_of(command: Command) -> int:
    """A hash of the command, stable across processes: tells a retry from another command under the same id."""
    body = type(command).__name__.encode() + msgspec.json.encode(command, order="deterministic")
    return int.from_bytes(hashlib.blake2b(body, digest_size=8).digest(), "big", signed=True)


def _happened(change: Change, version: int) -> list[NewEvent]:
    return [
        NewEvent(change.stream, version + number, event, change.sku, change.key)
        for number, event in enumerate(change.events, 1)
    ]
