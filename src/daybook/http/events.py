"""The log itself."""

from typing import Any

from litestar import get

from daybook.http.declared import QUESTION
from daybook.http.dependencies import InjectedApp
from daybook.http.needs import needs
from daybook.http.pages import AfterPosition, RowLimit
from daybook.queries.events import EventPage, page


@get("/events", **QUESTION, **needs("log.read"), summary="The log")
def list_events(app: InjectedApp, after: AfterPosition = 0, limit: RowLimit = 100) -> EventPage:
    """Every event after a position, in order. Go on from `next`: positions have no holes."""
    return page(app.reader, after, limit)


ROUTES: tuple[Any, ...] = (list_events,)
