"""Orders that arrive by themselves: what channels send, and what of it could not be taken."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
from litestar import Request, get, post
from litestar.concurrency import sync_to_thread
from litestar.exceptions import HTTPException
from litestar.params import FromPath, JSONBody, QueryParameter

from daybook import limits
from daybook.access.authority import reach
from daybook.app import App
from daybook.channel.connection import connection_of
from daybook.channel.orders import Forged, HeardOrder, OrderMessage, takes_orders
from daybook.errors import BadConfiguration, NotFound, Unauthenticated, Unavailable
from daybook.events.access import AccessRefused
from daybook.intake.heard import Dismissed, RefusedPage, Retaken
from daybook.queries.reach import channels_within
from daybook.web.declared import ACTION, QUESTION, problems
from daybook.web.dependencies import InjectedApp, InjectedPrincipal
from daybook.web.needs import SIGNED, needs
from daybook.web.pages import RowLimit
from daybook.web.problems import ClientGone
from daybook.web.undeclared import ANYTHING, RAW_BODY

AnyRequest = Request[Any, Any, Any]
AfterRow = Annotated[
    int,
    QueryParameter(name="after", description="Go on here: the `next` of the page before.", schema_extra={"minimum": 0}),
]


class Heard(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a channel's message."""

    heard: Literal["kept", "known", "nothing"]
    """`kept`: it is decided on now. `known`: it, or something newer, was heard before. `nothing`: it is of no order."""
    order: str | None = None


class ChosenOrders(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which of the orders that were refused."""

    orders: list[str] | None = None
    """Such as `webshop:1001`; all of them when it is left out."""


class NamedOrders(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which of the orders that were refused."""

    orders: list[str]


@post(
    "/channels/{channel:str}/heard",
    **SIGNED,
    **ANYTHING,
    **RAW_BODY,
    status_code=200,
    request_max_body_size=limits.HEARD.most,
    responses=problems(400, 401, 404, 413, 422, 500, 503),
    summary="Hear of an order from its channel",
)
async def hear_order(app: InjectedApp, request: AnyRequest, channel: FromPath[str]) -> Heard:
    """For the channel's own webhooks, which sign what they send: kept before it is answered, decided on afterwards.

    A message that comes twice, late or in another order does no harm. 401 for one that the channel's secrets did not
    sign; 404 where the channel takes no orders, or is none.
    """
    try:
        body = await request.body()
    except HTTPException as error:
        if error.status_code >= 500:
            raise ClientGone from error
        raise
    headers: Mapping[str, str] = {name.lower(): value for name, value in request.headers.items()}
    found = await sync_to_thread(_hear, app, channel, OrderMessage(headers, body))
    if isinstance(found, Forged):
        await app.access.refuse(AccessRefused(reason="bad_signature", asked={"channel": channel[:100]}))
        raise Unauthenticated(f"{channel} did not sign this: {found.reason}", reason="bad_signature")
    return found


def _hear(app: App, channel: str, message: OrderMessage) -> Heard | Forged:
    unknown = NotFound(f"no channel {channel} takes orders here", channel=channel)
    try:
        manifest = app.registry.get(channel)
        connection = connection_of(app.registry, app.settings, manifest)
    except NotFound:
        raise unknown from None
    except BadConfiguration as error:
        raise Unavailable(f"the settings of {channel} can't be read: {error.message}") from None
    if manifest.orders is None or manifest.orders.hear is None or not takes_orders(connection):
        raise unknown
    found = manifest.orders.hear(connection, message)
    if isinstance(found, Forged):
        return found
    if not isinstance(found, HeardOrder):
        return Heard(heard="nothing")
    kept = app.heard.hear(channel, found, "message")
    return Heard(heard="kept" if kept else "known", order=f"{channel}:{found.number}")


@get("/orders/refused", **QUESTION, **needs("order.read", listed=True), summary="Orders that could not be taken")
def list_refused_orders(
    app: InjectedApp, principal: InjectedPrincipal, after: AfterRow = 0, limit: RowLimit = 50
) -> RefusedPage:
    """What channels told and nobody could take: which field, why, since when, and the next step. The oldest first."""
    within = channels_within(reach(principal, "order.read"))
    return app.heard.refused(channels=within, after=after, limit=limit)


@post("/orders/refused/retake", **ACTION, **needs("order.place", listed=True), summary="Take refused orders once more")
def retake_orders(app: InjectedApp, principal: InjectedPrincipal, data: JSONBody[ChosenOrders]) -> Retaken:
    """Those that are named, or all: what is still wrong is refused again."""
    return app.heard.retake(data.orders, channels=channels_within(reach(principal, "order.place")))


@post("/orders/refused/dismiss", **ACTION, **needs("order.place", listed=True), summary="Leave refused orders out")
def dismiss_orders(app: InjectedApp, principal: InjectedPrincipal, data: JSONBody[NamedOrders]) -> Dismissed:
    """They will not be taken, and what they told is removed. A change at their channel tells them anew."""
    return app.heard.dismiss(data.orders, channels=channels_within(reach(principal, "order.place")))


ROUTES: tuple[Any, ...] = (hear_order, list_refused_orders, retake_orders, dismiss_orders)
