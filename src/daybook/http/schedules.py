"""Changes that hold from a moment on: planned, shown, moved and withdrawn before they are due."""

from typing import Annotated, Any

import msgspec
from litestar import Response, delete, get, patch, post
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from daybook.access.authority import Principal, reach
from daybook.app import App
from daybook.clock.schedules import SchedulePage, ScheduleRow, ScheduleView, events_of, page, place_of, show, state_of
from daybook.commands.schedules import MoveSchedule, PlannableChange, WithdrawSchedule, change_of, plan
from daybook.errors import InvalidValue
from daybook.filters.visible import Visible, within_reach
from daybook.limits import ROWS
from daybook.schedule.decisions import known, parse_due
from daybook.web.authorise import may
from daybook.web.declared import COMMAND, QUESTION
from daybook.web.dependencies import InjectedApp, InjectedCaller, InjectedPrincipal
from daybook.web.needs import needs
from daybook.web.pages import RowLimit
from daybook.web.responses import Receipt, carry_out

PATH = "/api/v1/schedules"
ONE = "/schedules/{schedule:str}"
_SAYS = needs(
    *("product.change", "product.discontinue", "price.change", "listing.change"),
    *("stock.count", "stock.receive", "stock.adjust"),
    command=True,
)
"""What is planned decides which of these it needs: who may do it may say when."""
After = Annotated[
    str | None,
    QueryParameter(name="after", description="Go on behind this: the `next` of the page before."),
]


class NewSchedule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A change and the moment from which it holds."""

    effective_at: str
    """With its zone: `2026-12-01T00:00+01:00`."""
    change: PlannableChange
    """As an import says it, with its `type`: `change_price`, `set_attributes`, `list_product`, `count_stock`, ..."""


class EffectiveAt(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Another moment, with its zone."""

    effective_at: str


@post("/schedules", **(COMMAND | {"status_code": 201}), **_SAYS, summary="Plan a change")
def plan_change(app: InjectedApp, caller: InjectedCaller, data: JSONBody[NewSchedule]) -> Response[Receipt]:
    """From `effective_at` on, this is so. It is decided then: what is refused then waits for a person."""
    if caller.expected_version:
        raise InvalidValue("If-Match", "what is planned is decided when it is due: leave it out")
    wish = plan(data.change, parse_due(data.effective_at), caller.context.command_id)
    return carry_out(app, caller, wish, f"schedule/{wish.schedule}", f"{PATH}/{wish.schedule}")


@get("/schedules", **QUESTION, **needs("product.read", listed=True), summary="What is planned")
def list_schedules(
    app: InjectedApp,
    principal: InjectedPrincipal,
    refused: FromQuery[bool] = False,
    sku: FromQuery[str | None] = None,
    after: After = None,
    limit: RowLimit = 50,
) -> SchedulePage:
    """What is to come, the next one first; with `refused` what was refused when its moment came, and why."""

    def read(after: str | None, limit: int) -> tuple[list[ScheduleRow], str | None]:
        found = page(app.pool, state="refused" if refused else "planned", sku=sku, after=after, limit=limit)
        return found.schedules, found.next

    within = reach(principal, "product.read")
    if within.everything:
        return SchedulePage(*read(after, limit))
    if not 1 <= limit <= ROWS.most:
        raise InvalidValue("limit", f"must be between 1 and {ROWS.most}", limit)
    seen = Visible(app.reader, within)
    return SchedulePage(*within_reach(read, lambda one: _holds(seen, one.change), place_of, after, limit))


@get(ONE, **QUESTION, **needs("product.read", listed=True), summary="A planned change")
def show_schedule(app: InjectedApp, principal: InjectedPrincipal, schedule: FromPath[str]) -> ScheduleView:
    """Whatever became of it, and who did what."""
    found = show(app.reader, schedule)
    if not _holds(Visible(app.reader, reach(principal, "product.read")), found.change):
        known(None, schedule)
    return found


@patch(ONE, **COMMAND, **_SAYS, summary="Move a planned change")
def move_schedule(
    app: InjectedApp, caller: InjectedCaller, schedule: FromPath[str], data: JSONBody[EffectiveAt]
) -> Response[Receipt]:
    """It is due at another moment; one that was refused is planned again."""
    wish = MoveSchedule(
        schedule=schedule, due_at=parse_due(data.effective_at), change=_change(app, caller.principal, schedule)
    )
    return carry_out(app, caller, wish, f"schedule/{schedule}")


@delete(ONE, **COMMAND, **_SAYS, summary="Withdraw a planned change")
def withdraw_schedule(app: InjectedApp, caller: InjectedCaller, schedule: FromPath[str]) -> Response[Receipt]:
    """It will not be carried out."""
    wish = WithdrawSchedule(schedule=schedule, change=_change(app, caller.principal, schedule))
    return carry_out(app, caller, wish, f"schedule/{schedule}")


def _change(app: App, principal: Principal, schedule: str) -> PlannableChange:
    """What it says: who may do that may say when. Who neither may nor sees it is told what is told of none."""
    said = state_of(events_of(app.reader, schedule), schedule).change
    change = change_of(said)
    seen = _holds(Visible(app.reader, reach(principal, "product.read")), said)
    if not seen and not may(app, principal, change):
        known(None, schedule)
    return change


def _holds(seen: Visible, change: dict[str, Any]) -> bool:
    """Whether what is planned may be seen: as the product, or as its listing when it is about a channel."""
    return seen.holds(str(change["sku"]), change.get("channel"))


ROUTES: tuple[Any, ...] = (plan_change, list_schedules, show_schedule, move_schedule, withdraw_schedule)
