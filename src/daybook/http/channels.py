"""Channels: which there are, how each reads the catalogue, and how they are doing."""

from typing import Any

import msgspec
from litestar import Response, delete, get, post, put
from litestar.params import FromPath, JSONBody, RawBody

from daybook.access.authority import reach
from daybook.channel.connection import places
from daybook.commands import AddChannel, ConfigureChannel, RemoveChannel
from daybook.events import ChannelConfigured
from daybook.queries import connections
from daybook.queries.channel_history import ChannelChange, history
from daybook.queries.channels import Channels, ChannelStatus
from daybook.web.declared import COMMAND, DEFINITION, QUESTION, created
from daybook.web.dependencies import InjectedApp, InjectedCaller, InjectedPrincipal
from daybook.web.needs import needs
from daybook.web.pages import AfterPosition, RowLimit
from daybook.web.responses import Receipt, carry_out, part_of, same

PATH = "/api/v1/channels"


class ChannelHistory(msgspec.Struct, frozen=True):
    """What was done to a channel, oldest first, and the `after` of the next page; null on the last one."""

    changes: list[ChannelChange]
    next: int | None


class Added(Receipt, frozen=True, kw_only=True):
    """What the command did, and what the channel still waits for."""

    missing: dict[str, str]
    """Setting that the connector needs and this server does not see -> where to put it, where it is delivered."""
    warning: str | None = None
    """That Postgres has hardly a connection left, with the numbers; null while it has enough."""


@get("/channels", **QUESTION, **needs("channel.read", listed=True), summary="The channels")
def list_channels(app: InjectedApp, principal: InjectedPrincipal) -> list[ChannelStatus]:
    """Every channel and read model that ever ran: what it shows, what is on its way, and what is wrong."""
    within = reach(principal, "channel.read")
    return [one for one in Channels(app.pool, app.registry).all() if within.channel(one.name)]


@get("/channels/{name:str}", **QUESTION, **needs("channel.read", channel="name"), summary="A channel")
def show_channel(app: InjectedApp, name: FromPath[str]) -> ChannelStatus:
    """What it shows, what is on its way, and what is wrong. 404 also for one that never ran."""
    return Channels(app.pool, app.registry).status(name)


@get(
    "/channels/{name:str}/history",
    **QUESTION,
    **needs("channel.read", channel="name"),
    summary="What was done to a channel",
)
def show_channel_history(
    app: InjectedApp, name: FromPath[str], after: AfterPosition = 0, limit: RowLimit = 100
) -> ChannelHistory:
    """Who added, configured, paused, retried or switched it, when, why, and with which key. Also of a removed one."""
    changes = history(app.reader, app.registry, name, after=after, limit=limit)
    return ChannelHistory(changes, changes[-1].position if len(changes) == limit else None)


@post(
    "/channels",
    **(COMMAND | {"responses": COMMAND["responses"] | created(Added)}),
    **needs("channel.add", command=True),
    summary="Add a channel",
)
def add_channel(app: InjectedApp, caller: InjectedCaller, data: JSONBody[AddChannel]) -> Response[Added]:
    """A channel of an installed kind, from now on. Added again it gets exactly these settings. Never a credential."""
    answer = carry_out(app, caller, data, f"channel/{data.name}", f"{PATH}/{data.name}")
    receipt = msgspec.structs.asdict(answer.content)
    app.registry.refresh()
    missing, warning = places(app.registry, app.settings, data.name), connections.read(app.pool).warning
    body = Added(**receipt, missing=missing, warning=warning)
    return Response(body, status_code=answer.status_code, headers=answer.headers)


@put("/channels/{name:str}", **DEFINITION, **needs("channel.configure", command=True), summary="Configure a channel")
def configure_channel(
    app: InjectedApp, caller: InjectedCaller, name: FromPath[str], data: JSONBody[ChannelConfigured], body: RawBody
) -> Response[Receipt]:
    """How the channel reads the catalogue, from now on. What is left out stays. Never a credential."""
    stream = f"channel/{same(name, data.name, 'name')}"
    return carry_out(app, caller, part_of(ConfigureChannel(channel=data), body), stream, f"{PATH}/{name}")


@delete("/channels/{name:str}", **COMMAND, **needs("channel.remove", command=True), summary="Remove a channel")
def remove_channel(app: InjectedApp, caller: InjectedCaller, name: FromPath[str]) -> Response[Receipt]:
    """Nothing is sent to it any more. What it shows stays there, and its history stays here. X-Reason says why."""
    wish = RemoveChannel(name=name, reason=caller.context.reason)
    return carry_out(app, caller, wish, f"channel/{name}")


ROUTES: tuple[Any, ...] = (
    list_channels,
    show_channel,
    show_channel_history,
    add_channel,
    configure_channel,
    remove_channel,
)
