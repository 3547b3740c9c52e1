"""The tree of one cause with its times: commands, their events, what channels should show of them, calls, answers.

All of it is read from where it is kept anyway: the log's column of correlation, and the delivery's journal. A change
that a later one overtook before it was sent has no call of its own: the later change's has it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, Literal

import msgspec

from daybook.errors import NotFound
from daybook.events import (
    ListingEvent,
    Recorded,
    StockCounted,
    StockReceived,
    StockReleased,
    StockReserved,
    StockReturned,
    StockShipped,
)
from daybook.events.envelope import ORDER_KEY
from daybook.log.reader import recorded
from daybook.orders.state import channel_of
from daybook.postgres.pool import Pool, fetch
from daybook.postgres.sql import beside
from daybook.queries.receipts import outcome_of
from daybook.queries.sentences import sentence

QUERIES = beside(__file__)
EVENTS_MAX = 2_000
CALLS_MAX = 2_000


class TraceStep(msgspec.Struct, frozen=True, kw_only=True):
    """One step, and those that it led to."""

    kind: Literal["command", "event", "listing", "call", "answer"]
    what: str
    """For a person: `2 × MUG ordered`, `shop: stock of MUG`, `PATCH 200`."""
    at: datetime | None = None
    """When; a listing has no time of its own."""
    after_ms: float | None = None
    """Since the first event of the tree."""
    milliseconds: float | None = None
    """How long a call took."""
    position: int | None = None
    stream: str | None = None
    channel: str | None = None
    sku: str | None = None
    facet: str | None = None
    state: str | None = None
    """Of a listing: `due`, `accepted`, `confirmed`, `rejected`; of a call or answer: what became of it."""
    payload: dict[str, Any] | None = None
    """Of a listing: what the channel should show."""
    steps: list[TraceStep] = []


class CauseTrace(msgspec.Struct, frozen=True, kw_only=True):
    """All that one cause led to."""

    correlation_id: str
    began_at: datetime
    took_ms: float
    """From the first event to the last step."""
    events: int
    more: bool
    """There is more of it than one answer holds."""
    steps: list[TraceStep]


Where = tuple[str, str, str]
"""Channel, SKU and facet."""


def trace(pool: Pool, correlation_id: str) -> CauseTrace:
    """The tree. A command that named no correlation is found by its command id. Raises NotFound.

    A number that is nobody's correlation id is the position of an event: the tree that it is part of.
    """
    rows = _of(pool, correlation_id)
    if not rows and (position := position_in(correlation_id)) is not None:
        for (correlation_id,) in fetch(pool, QUERIES["correlation_at"], {"position": position}):
            rows = _of(pool, correlation_id)
    if not rows:
        raise NotFound(
            f"nothing has the correlation id, or the position, {correlation_id}: "
            "receipts of commands and histories name it",
            correlation_id=correlation_id,
        )
    events = [recorded(row) for row in rows[:EVENTS_MAX]]
    tree = _Tree(pool, events)
    steps = list(tree.commands())
    began = events[0].recorded_at
    last = max((one.after_ms or 0.0 for one in _all(steps)), default=0.0)
    return CauseTrace(
        correlation_id=correlation_id,
        began_at=began,
        took_ms=last,
        events=len(events),
        more=len(rows) > EVENTS_MAX,
        steps=steps,
    )


def _of(pool: Pool, correlation_id: str) -> list[Any]:
    return fetch(pool, QUERIES["of_correlation"], {"correlation": correlation_id, "limit": EVENTS_MAX + 1})


def position_in(text: str) -> int | None:
    """The position that a text is, or None. Positions are bigints."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 18 else None


def _all(steps: Iterable[TraceStep]) -> Iterator[TraceStep]:
    for one in steps:
        yield one
        yield from _all(one.steps)


class _Tree:
    """The parts of a tree, by what they belong to."""

    def __init__(self, pool: Pool, events: Sequence[Recorded]) -> None:
        self._began = events[0].recorded_at
        self._events = [one for one in events if not isinstance(one.event, ListingEvent)]
        self._listings: dict[int, dict[Where, TraceStep]] = {}
        self._below: dict[tuple[int, Where], list[TraceStep]] = {}
        answers = [one for one in events if isinstance(one.event, ListingEvent)]
        named = {one.sku for one in events if one.sku} | {one.key.removeprefix(ORDER_KEY) for one in events}
        given = {
            "skus": sorted(named),
            "positions": [one.position for one in self._events],
            "limit": CALLS_MAX,
        }
        for channel, sku, facet, position, state, body in fetch(pool, QUERIES["listings"], given):
            self._listing(position, (channel, sku, facet), state, body)
        for row in fetch(pool, QUERIES["calls"], given):
            self._call(row)
        for one in answers:
            self._answer(one)

    def commands(self) -> Iterator[TraceStep]:
        """Each command with its events. What was caused by one of them stands below it."""
        by_command: dict[str, list[Recorded]] = {}
        for one in self._events:
            by_command.setdefault(one.command_id, []).append(one)
        ids = {one.event_id: one.command_id for one in self._events} | {name: name for name in by_command}
        children: dict[str | None, list[str]] = {}
        for name, events in by_command.items():
            cause = ids.get(events[0].causation_id or "")
            children.setdefault(cause if cause != name else None, []).append(name)
        done: set[str] = set()

        def step(name: str) -> TraceStep:
            done.add(name)
            events = by_command[name]
            first = events[0]
            return TraceStep(
                kind="command",
                what=f"{first.actor} by {first.source}{f': {first.reason}' if first.reason else ''}",
                steps=[*(self._event(one) for one in events), *(step(one) for one in children.get(name, ()))],
                **self._time(first.recorded_at),
            )

        for name in children.get(None, ()):
            yield step(name)
        yield from (step(name) for name in by_command if name not in done)

    def _event(self, one: Recorded) -> TraceStep:
        listings = self._listings.get(one.position, {})
        return TraceStep(
            kind="event",
            what=_said(one),
            position=one.position,
            stream=one.stream,
            sku=one.sku,
            channel=channel_of(one.key.removeprefix(ORDER_KEY)) if one.key.startswith(ORDER_KEY) else None,
            steps=[
                msgspec.structs.replace(listing, steps=sorted(self._below.get((one.position, where), []), key=_when))
                for where, listing in sorted(listings.items())
            ],
            **self._time(one.recorded_at),
        )

    def _listing(self, position: int, where: Where, state: str | None, body: str | None) -> None:
        channel, sku, facet = where
        before = self._listings.setdefault(position, {}).get(where)
        if before is not None and (body is None or before.payload is not None):
            return
        self._listings[position][where] = TraceStep(
            kind="listing",
            what=f"{channel}: {facet} of {sku}",
            channel=channel,
            sku=sku,
            facet=facet,
            state=state if before is None else before.state,
            payload=None if body is None else msgspec.json.decode(body),
        )

    def _call(self, row: Sequence[Any]) -> None:
        channel, sku, facet, position, at, outcome, detail, method, status, milliseconds, body = row
        where = channel, sku, facet
        self._listing(position, where, None, body)
        answered = f"{method or 'no request'} {status or ''}".strip()
        step = TraceStep(
            kind="call",
            what=f"{answered}{f': {detail}' if detail else ''}",
            milliseconds=milliseconds,
            state=outcome,
            **self._time(at),
        )
        self._below.setdefault((position, where), []).append(step)

    def _answer(self, one: Recorded) -> None:
        event = one.event
        assert isinstance(event, ListingEvent)
        for facet in event.facets:
            where = event.channel, event.sku, facet.facet
            self._listing(facet.position, where, None, None)
            step = TraceStep(
                kind="answer",
                what=f"{event.channel} {outcome_of(event)} it",
                position=one.position,
                stream=one.stream,
                state=outcome_of(event),
                **self._time(one.recorded_at),
            )
            self._below.setdefault((facet.position, where), []).append(step)

    def _time(self, at: datetime) -> dict[str, Any]:
        return {"at": at, "after_ms": round((at - self._began).total_seconds() * 1000, 3)}


def _when(step: TraceStep) -> float:
    return step.after_ms or 0.0


def _said(one: Recorded) -> str:
    """The event in words, which know nothing of what was before it."""
    noun, _, name = one.stream.partition("/")
    verb = one.type.split(".")[1].replace("_", " ")
    match one.event:
        case StockReserved() | StockReleased() | StockShipped() | StockReturned() | StockCounted() | StockReceived():
            return f"stock {name}: {one.event.quantity} {verb} at {one.event.location}"
    said = sentence(one.event, ())
    return f"{noun} {name} {verb}" if said.startswith("nothing changed") else f"{noun} {name}: {said}"
