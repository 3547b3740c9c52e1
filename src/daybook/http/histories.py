"""What happened to a product, and what differs between two moments."""

from typing import Any

import msgspec
from litestar import get
from litestar.params import FromPath, FromQuery

from daybook.access.authority import reach
from daybook.queries.diff import diff
from daybook.queries.fields import FieldChange
from daybook.queries.history import HistoryChange, history
from daybook.queries.reach import channels_within
from daybook.web.declared import QUESTION
from daybook.web.dependencies import InjectedApp, InjectedPrincipal
from daybook.web.moments import From, To, either
from daybook.web.needs import needs
from daybook.web.pages import AfterPosition, RowLimit


class HistoryAnswer(msgspec.Struct, frozen=True):
    """Changes, oldest first, and the `after` of the next page; null on the last one."""

    changes: list[HistoryChange]
    next: int | None


class Diff(msgspec.Struct, frozen=True):
    """What differs between two positions."""

    from_position: int
    to_position: int
    changes: list[FieldChange]


@get("/products/{sku:str}/history", **QUESTION, **needs("product.read", sku="sku"), summary="A product's history")
def show_history(
    app: InjectedApp,
    principal: InjectedPrincipal,
    sku: FromPath[str],
    after: AfterPosition = 0,
    limit: RowLimit = 100,
    inherited: FromQuery[bool] = False,
    receipts: FromQuery[bool] = False,
) -> HistoryAnswer:
    """What changed, who did it, why, and which channels saw it. `inherited` adds the parents' changes."""
    channels = channels_within(reach(principal, "product.read"))
    changes = history(
        app.reader, sku, limit=limit, after=after, inherited=inherited, receipts=receipts, channels=channels
    )
    return HistoryAnswer(changes, changes[-1].position if len(changes) == limit else None)


@get(
    "/products/{sku:str}/diff",
    **QUESTION,
    **needs("product.read", sku="sku"),
    summary="What differs between two moments",
)
def compare_moments(
    app: InjectedApp, principal: InjectedPrincipal, sku: FromPath[str], since: From, until: To = None
) -> Diff:
    """Inherited values included."""
    first, last = either(app.reader, since, "from"), either(app.reader, until, "to")
    channels = channels_within(reach(principal, "product.read"))
    changes = [one for one in diff(app.reader, sku, first, last) if _told(one, channels)]
    return Diff(first.position, last.position, changes)


def _told(change: FieldChange, channels: frozenset[str] | None) -> bool:
    noun, _, name = change.field.partition(".")
    return channels is None or noun != "channels" or name in channels


ROUTES: tuple[Any, ...] = (show_history, compare_moments)
