"""One change followed from the command to the receipts, with the time of each step."""

import asyncio
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from daybook.app import App
from daybook.commands.book import Command, CommandResult
from daybook.demo.claims import until
from daybook.demo.marketplaces import Marketplaces
from daybook.events import ListingConfirmed
from daybook.log.pending import Context
from daybook.queries.channels import Channels
from daybook.stream.connection import Nats
from daybook.stream.jetstream import Stream

WAIT_SECONDS = 15.0


class ChannelTrace(msgspec.Struct, frozen=True, kw_only=True):
    """When one channel had the change, in milliseconds after the commit."""

    channel: str
    listing_ms: float
    call_ms: float | None
    call: str | None
    receipt_ms: float | None
    receipt_position: int | None


class Trace(msgspec.Struct, frozen=True, kw_only=True):
    """A change's way through the house."""

    sku: str
    command_id: str
    position: int
    commit_ms: float
    """From the call of the command to its answer."""
    sequence: int | None
    """The JetStream sequence at which the event was found; None when it was not."""
    channels: list[ChannelTrace]


def trace(
    app: App, channels: Channels, markets: Marketplaces, nats_url: str, command: Command, sku: str, facet: str
) -> Trace:
    """Carries the command out and watches it arrive everywhere."""
    names = list(markets.all())
    known = {name: len(markets.box(name).received) for name in names}
    started = time.perf_counter()
    done = app.book.carry_out(command, Context.new("demo", "demo", reason="autumn offer"))
    commit_ms = (time.perf_counter() - started) * 1000
    assert done.last is not None and done.recorded_at is not None
    listed = _listed(channels, names, sku, facet, done)
    until(
        f"the receipts of {sku}",
        lambda: all(_receipt(app, name, sku, done.last) is not None for name in names),
        WAIT_SECONDS,
    )
    steps = [_step(app, markets, name, sku, done, listed[name], known[name]) for name in names]
    return Trace(
        sku=sku,
        command_id=done.command_id,
        position=done.last,
        commit_ms=commit_ms,
        sequence=asyncio.run(_sequence(app, nats_url, done.last)),
        channels=steps,
    )


def _listed(channels: Channels, names: list[str], sku: str, facet: str, done: CommandResult) -> Mapping[str, float]:
    """When each channel's listing showed the change, in milliseconds after the commit."""
    seen: dict[str, float] = {}

    def look() -> bool:
        for name in names:
            if name not in seen and any(
                one.facet == facet and one.position == done.last for one in channels.listing(name, sku)
            ):
                seen[name] = _after(done, datetime.now(UTC))
        return len(seen) == len(names)

    until(f"the listings of {sku}", look, WAIT_SECONDS, every=0.001)
    return seen


def _step(
    app: App, markets: Marketplaces, name: str, sku: str, done: CommandResult, listing_ms: float, known: int
) -> ChannelTrace:
    # The change is a price, so the call that brings it is the first one that writes.
    calls = [one for one in list(markets.box(name).received)[known:] if one.method in ("PUT", "PATCH")]
    call: Any = calls[0] if calls else None
    receipt = _receipt(app, name, sku, done.last)
    return ChannelTrace(
        channel=name,
        listing_ms=listing_ms,
        call_ms=_after(done, datetime.fromtimestamp(call.at, UTC)) if call else None,
        call=f"{call.method} {call.path}" if call else None,
        receipt_ms=_after(done, receipt.recorded_at) if receipt else None,
        receipt_position=receipt.position if receipt else None,
    )


def _after(done: CommandResult, moment: datetime) -> float:
    assert done.recorded_at is not None
    return (moment - done.recorded_at).total_seconds() * 1000


def _receipt(app: App, name: str, sku: str, position: int | None) -> Any:
    for one in app.reader.of_stream(f"listing/{name}/{sku}"):
        event = one.event
        if isinstance(event, ListingConfirmed) and any(said.position == position for said in event.facets):
            return one
    return None


async def _sequence(app: App, nats_url: str, position: int) -> int | None:
    """The sequence of the event in the stream, found by looking at that very message."""
    nats = Nats(nats_url, "demo")
    await nats.open()
    try:
        body = await Stream(nats).message(position)
    finally:
        await nats.close()
    there = msgspec.json.decode(body)["id"] if body is not None else None
    return position if there == app.reader.after(position - 1, 1)[0].event_id else None
