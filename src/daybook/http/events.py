"""The log itself."""

from typing import Any

from litestar import get

from daybook.queries.events import EventPage, page
from daybook.web.declared import QUESTION
from daybook.web.dependencies import InjectedApp
from daybook.web.needs import needs
from daybook.web.pages import AfterPosition, RowLimit


@get("/events", **QUESTION, **needs("log.read"), summary="The log")
def list_events(app: InjectedApp, after: AfterPosition = 0, limit: RowLimit = 100) -> EventPage:
    """Every event after a position, in order. Go on from `next`: positions have no holes."""
    return page(app.reader, after, limit)


ROUTES: tuple[Any, ...] = (list_events,)
