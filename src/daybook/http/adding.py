"""Channels that come and go while everything runs."""

from typing import Any

import msgspec
from litestar import Response, delete, post
from litestar.params import FromPath, JSONBody

from daybook.channel.connecting import places
from daybook.commands import AddChannel, RemoveChannel
from daybook.http.answers import Receipt, carry_out
from daybook.http.given import TheApp, TheCaller

PATH = "/api/v1/channels"


class Added(Receipt, frozen=True, kw_only=True):
    """What the command did, and what the channel still waits for."""

    missing: dict[str, str]
    """Setting that the connector needs and this server does not see -> where to put it, where it is delivered."""


@post("/channels", sync_to_thread=True, status_code=201, summary="Add a channel")
def add(app: TheApp, caller: TheCaller, data: JSONBody[AddChannel]) -> Response[Any]:
    """A channel of an installed kind, from now on. Added again it gets exactly these settings. Never a credential."""
    answer = carry_out(app, caller, data, f"channel/{data.name}", f"{PATH}/{data.name}")
    receipt = msgspec.structs.asdict(answer.content)
    app.registry.refresh()
    body = Added(**receipt, missing=places(app.registry, app.settings, data.name))
    return Response(body, status_code=answer.status_code, headers=answer.headers)


@delete("/channels/{name:str}", sync_to_thread=True, status_code=200, summary="Remove a channel")
def remove(app: TheApp, caller: TheCaller, name: FromPath[str]) -> Response[Receipt]:
    """Nothing is sent to it any more. What it shows stays there, and its history stays here. X-Reason says why."""
    wish = RemoveChannel(name=name, reason=caller.context.reason)
    return carry_out(app, caller, wish, f"channel/{name}")


HANDLERS = (add, remove)
