"""Undo over HTTP: what was done is taken back by new events."""

from functools import partial
from typing import Any, Literal

import msgspec
from litestar import Response, post
from litestar.params import FromQuery, JSONBody

from daybook import limits
from daybook.access.authority import NOTHING, Denied, Principal, decide
from daybook.app import App
from daybook.errors import Forbidden
from daybook.queries.reach import touched_at
from daybook.undo.selection import Selection
from daybook.undo.undo import Undo, UndoReport, sent
from daybook.web.authorise import authorised
from daybook.web.declared import ACTION
from daybook.web.dependencies import InjectedApp, InjectedAsker, InjectedPrincipal
from daybook.web.needs import needs


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

    All of it must be allowed to the caller, to see and to change. A field that was changed since by something else is
    refused with 409, unless `newer` says to `skip` it or to `force` it back. Sent again it changes nothing. To undo the
    undo, name the answer's `correlation_id`. More than 5,000 events are undone from the command line.
    """
    made = Undo(app.book, app.reader, data.select, data.newer, limits.UNDONE_BY_REQUEST)
    reads_log = not isinstance(decide(principal, "log.read"), Denied)
    _check(app, principal, made, reads_log=reads_log)
    mine = sent(asker.actor, data.select, asker.reason)
    sender = msgspec.structs.replace(mine, correlation_id=asker.correlation_id, access=asker.access)

    def allowed(command: Any) -> str | None:
        return authorised(app, principal, command)

    report = made.plan(sender, allowed) if dry_run else made.carry_out(sender, allowed)
    if not reads_log:
        report.others = {}
    return Response(report)


def _check(app: App, principal: Principal, made: Undo, *, reads_log: bool) -> None:
    """Raises Forbidden, always in the same words, unless all of it may be seen and taken back.

    Hazard: a plan tells values, who changed them and which event stands where, also where nothing would be written. A
    position is a guess that anybody can make, so whoever may not is not even told what is there.
    """
    if not made.groups and made.others and not reads_log:
        raise Forbidden(_OUTSIDE, permission="product.read")
    try:
        for key in made.groups:
            if isinstance(decide(principal, "product.read", NOTHING, partial(touched_at, app.reader, key)), Denied):
                raise Forbidden(_OUTSIDE, permission="product.read")
        made.check(lambda command: authorised(app, principal, command))
    except Forbidden as error:
        raise Forbidden(_OUTSIDE, permission=error.details.get("permission", "product.read")) from None


_OUTSIDE = (
    "something of it is outside of what your grants let you see and change, or is no change of a product: an undo is "
    "allowed whole or not at all. Name less, or ask an owner for a wider grant"
)


ROUTES: tuple[Any, ...] = (undo,)
