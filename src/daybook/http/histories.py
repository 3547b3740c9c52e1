"""What happened to a product, and what differs between two moments."""

from typing import Any

import msgspec
from litestar import get
from litestar.params import FromPath, FromQuery

from daybook.http.declared import QUESTION
from daybook.http.dependencies import InjectedApp
from daybook.http.moments import From, To, either
from daybook.http.pages import AfterPosition, RowLimit
from daybook.queries.diff import diff
from daybook.queries.fields import FieldChange
from daybook.queries.history import HistoryChange, history


class HistoryAnswer(msgspec.Struct, frozen=True):
    """Changes, oldest first, and the `after` of the next page; null on the last one."""

    changes: list[HistoryChange]
    next: int | None


class Diff(msgspec.Struct, frozen=True):
    """What differs between two positions."""

    from_position: int
    to_position: int
    changes: list[FieldChange]


@get("/products/{sku:str}/history", **QUESTION, summary="A product's history")
def show_history(
    app: InjectedApp,
    sku: FromPath[str],
    after: AfterPosition = 0,
    limit: RowLimit = 100,
    inherited: FromQuery[bool] = False,
    receipts: FromQuery[bool] = False,
) -> HistoryAnswer:
    """What changed, who did it, why, and which channels saw it. `inherited` adds the parents' changes."""
    changes = history(app.reader, sku, limit=limit, after=after, inherited=inherited, receipts=receipts)
    return HistoryAnswer(changes, changes[-1].position if len(changes) == limit else None)


@get("/products/{sku:str}/diff", **QUESTION, summary="What differs between two moments")
def compare_moments(app: InjectedApp, sku: FromPath[str], since: From, until: To = None) -> Diff:
    """Inherited values included."""
    first, last = either(app.reader, since, "from"), either(app.reader, until, "to")
    return Diff(first.position, last.position, diff(app.reader, sku, first, last))


ROUTES: tuple[Any, ...] = (show_history, compare_moments)
