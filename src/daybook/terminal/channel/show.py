"""One channel with what it refused and what it can't show."""

from __future__ import annotations

from collections import defaultdict

import msgspec

from daybook.app import App
from daybook.events import Rejection
from daybook.queries.channel_history import ChannelChange, newest
from daybook.queries.channels import Channels, ChannelStatus
from daybook.terminal.channel import views
from daybook.terminal.render import Show, line, stacked
from daybook.terminal.tables import table


class RejectedSku(msgspec.Struct, frozen=True):
    """What the channel refused."""

    sku: str
    facet: str
    position: int
    reasons: tuple[Rejection, ...]


class HeldFor(msgspec.Struct, frozen=True):
    """How many SKUs can't be shown for this reason, and the first of them."""

    reason: str
    count: int
    skus: list[str]


class ChannelDetails(msgspec.Struct, frozen=True):
    """A channel; `rejected` and the SKUs of `held` are the first ones, `status` has the numbers of all."""

    status: ChannelStatus
    rejected: list[RejectedSku]
    held: list[HeldFor]
    done: list[ChannelChange]
    """What was done to it last and by whom, the newest first."""


def of(app: App, name: str, first: int) -> ChannelDetails:
    """Raises NotFound for a channel that does not exist or never ran."""
    channels = Channels(app.pool, app.registry)
    status = channels.status(name)
    skus: dict[str, dict[str, None]] = defaultdict(dict)
    for sku, _, reasons in channels.held(name):
        for reason in reasons:
            skus[reason][sku] = None
    held = [HeldFor(reason, len(found), list(found)[:first]) for reason, found in skus.items()]
    held.sort(key=lambda one: (-one.count, one.reason))
    rejected = [RejectedSku(*one) for one in channels.rejected(name)[:first]]
    done = newest(app.reader, app.registry, name, first)
    return ChannelDetails(status, rejected, held[:first], done)


def shown(found: ChannelDetails) -> Show:
    """For a person."""
    status = found.status
    rejected = [(one.sku, one.facet, one.position, views.reasons(one.reasons)) for one in found.rejected]
    held = [(one.count, one.reason, one.skus) for one in found.held]
    return stacked(
        line(f"{status.title}: generation {status.generation}, at position {status.position}"),
        views.channels([status]),
        table(("SKU", "facet", "#position", "rejected because"), rejected, "nothing was rejected"),
        table(("#SKUs", "can't be shown because", "first"), held, "everything can be shown"),
        views.history(found.done),
    )
