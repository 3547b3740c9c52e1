"""Parked groups and paused channels, for `daybook channel`."""

import asyncio
from collections.abc import Sequence

import msgspec

from daybook.app import App
from daybook.channel import parking
from daybook.channel.parking import ParkedGroup
from daybook.channel.status import Channels
from daybook.cli.grammar import Given
from daybook.cli.render import line, table
from daybook.cli.views import Show
from daybook.cli.writing import context


class Retried(msgspec.Struct, frozen=True):
    """What became of a group whose failing event was left out."""

    projection: str
    back: list[str]
    """Groups that go on."""
    parked: list[str]
    """Groups that failed again."""


class Paused(msgspec.Struct, frozen=True):
    """Whether deliveries wait."""

    channel: str
    paused: bool


def parked(on: App, name: str) -> list[ParkedGroup]:
    """The channel's parked groups."""
    return asyncio.run(parking.parked(on.settings.require_postgres(), on.registry.get(name)))


def discard(on: App, name: str, key: str, given: Given) -> Retried:
    """Leaves the failing event of a group out."""
    manifest = on.registry.get(name)
    dsn = on.settings.require_postgres()
    back = asyncio.run(parking.discard(dsn, manifest, on.log, key, context(given, "cli")))
    return Retried(name, back, [one.key for one in parked(on, name)])


def pause(on: App, name: str, paused: bool) -> Paused:
    """Holds the channel's deliveries, or lets them go."""
    Channels(on.pool, on.registry).pause(name, paused)
    return Paused(name, paused)


def shown(found: Sequence[ParkedGroup]) -> Show:
    """For a person."""
    rows = [(one.key, one.position, one.sku, one.type, one.error, one.place, one.events) for one in found]
    return table(("group", "position", "SKU", "event", "error", "where", "events waiting"), rows, "nothing is parked")


def retried(found: Retried) -> Show:
    """For a person."""
    back = ", ".join(found.back) or "none"
    still = ", ".join(found.parked) or "none"
    return line(f"{found.projection}: back in line: {back}; still parked: {still}")


def paused(found: Paused) -> Show:
    """For a person."""
    return line(
        f"{found.channel} is paused: nothing is sent until `channel resume`"
        if found.paused
        else f"{found.channel} goes on"
    )
