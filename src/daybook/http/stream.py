"""What the JetStream stream holds, as it is stored: for who compares it with the log, or keeps it before a reset."""

import asyncio
from typing import Any

from litestar import get

from daybook.errors import NotFound
from daybook.stream.copy import SavedPage, page
from daybook.web.declared import QUESTION
from daybook.web.dependencies import InjectedApp
from daybook.web.needs import needs
from daybook.web.pages import AfterPosition, RowLimit


@get("/stream/messages", **QUESTION, **needs("log.verify"), summary="Messages of the stream")
def list_stream_messages(app: InjectedApp, after: AfterPosition = 0, limit: RowLimit = 100) -> SavedPage:
    """Every message after a sequence that the stream still has, as `daybook stream save` writes them."""
    url = app.settings.nats
    found = None if url is None else asyncio.run(page(url, after, limit))
    if found is None:
        raise NotFound("there is no stream: the relay makes one and fills it from the log")
    return found


ROUTES: tuple[Any, ...] = (list_stream_messages,)
