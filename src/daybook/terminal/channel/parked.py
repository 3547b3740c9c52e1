"""Parked groups and paused channels, for `daybook channel`."""

import asyncio
from collections.abc import Sequence

import msgspec

from daybook.app import App
from daybook.operations.channels import Paused
from daybook.projection import parking
from daybook.projection.parking import ParkedGroup
from daybook.terminal.carry_out import context
from daybook.terminal.options import CommonOptions
from daybook.terminal.render import Show, line
from daybook.terminal.tables import table


class RetriedView(msgspec.Struct, frozen=True):
    """What became of a group whose failing event was left out."""

    projection: str
    back: list[str]
    """Groups that go on."""
    parked: list[str]
    """Groups that failed again."""


def parked(on: App, name: str) -> list[ParkedGroup]:
    """The channel's parked groups."""
    return asyncio.run(parking.parked(on.settings.require_postgres(), on.registry.get(name)))


def discard(on: App, name: str, key: str, common: CommonOptions) -> RetriedView:
    """Leaves the failing event of a group out."""
    manifest = on.registry.get(name)
    dsn = on.settings.require_postgres()
    back = asyncio.run(parking.discard(dsn, manifest, on.log, key, context(common, "cli")))
    return RetriedView(name, back, [one.key for one in parked(on, name)])


def shown(found: Sequence[ParkedGroup]) -> Show:
    """For a person."""
    rows = [(one.key, one.position, one.sku, one.type, one.error, one.place, one.events) for one in found]
    return table(("group", "position", "SKU", "event", "error", "where", "events waiting"), rows, "nothing is parked")


def retried(found: RetriedView) -> Show:
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
