"""Undo over HTTP: what was done is taken back by new events."""

from typing import Any, Literal

import msgspec
from litestar import Response, post
from litestar.params import FromQuery, JSONBody

from daybook import limits
from daybook.http.authorise import authorised
from daybook.http.declared import ACTION
from daybook.http.dependencies import InjectedApp, InjectedAsker, InjectedPrincipal
from daybook.http.needs import needs
from daybook.undo.selection import Selection
from daybook.undo.undo import Undo, UndoReport, sent
from daybook.values import check_limit


class UndoWish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to undo, and what to do where somebody changed the same field since."""

    select: Selection
    newer: Literal["refuse", "skip", "force"] = "refuse"


@post(
    "/undo",
    **ACTION,
    **needs(*("product.change", "product.discontinue", "price.change", "stock.adjust", "listing.change"), command=True),
    summary="Undo what was done",
)
def undo(
    app: InjectedApp,
    principal: InjectedPrincipal,
    asker: InjectedAsker,
    data: JSONBody[UndoWish],
    dry_run: FromQuery[bool] = False,
) -> Response[UndoReport]:
    """Takes events of products back: one, those of a cause, or what somebody did in a while; nothing is removed.

    All or none of it must be allowed to the caller. A field that was changed since by something else is refused with
    409, unless `newer` says to `skip` it or to `force` it back. Sent again it changes nothing. To undo the undo, name
    the answer's `correlation_id`. More than 5,000 events are undone from the command line.
    """
    made = Undo(app.book, app.reader, data.select, data.newer)
    check_limit(limits.UNDONE_BY_REQUEST, made.events, "select")
    mine = sent(asker.actor, data.select, asker.reason)
    sender = msgspec.structs.replace(mine, correlation_id=asker.correlation_id, access=asker.access)

    def allowed(command: Any) -> str | None:
        return authorised(app, principal, command)

    return Response(made.plan(sender, allowed) if dry_run else made.carry_out(sender, allowed))


ROUTES: tuple[Any, ...] = (undo,)
