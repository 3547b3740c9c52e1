"""The inbox: messages of other systems that could not be taken, and what a person does about them."""

from functools import partial
from typing import Annotated, Any

import msgspec
from litestar import get, post
from litestar.params import FromPath, JSONBody, QueryParameter

from daybook.app import App
from daybook.inbox.refused import DroppedMessage, RefusedInbox, RefusedMessage, RefusedMessages, TriedMessage
from daybook.inbox.store import InboxStore
from daybook.inbox.taker import Corrector, InboxTaker
from daybook.web.authorise import authorised
from daybook.web.declared import ACTION, QUESTION
from daybook.web.dependencies import InjectedApp, InjectedPrincipal
from daybook.web.needs import needs
from daybook.web.pages import RowLimit

ONE = "/inbox/refused/{number:str}"
AfterNumber = Annotated[
    int,
    QueryParameter(name="after", description="Go on here: the `next` of the page before.", schema_extra={"minimum": 0}),
]


class RetriedMessage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a message is taken after all: `{}` takes it as it came."""

    data: dict[str, Any] | None = None
    """The command's fields, corrected: this needs your own permission to say them."""
    anyway: bool = False
    """Also when later messages about its SKU were taken since."""


@get("/inbox/refused", **QUESTION, **needs("inbox.read"), summary="Messages that could not be taken")
def list_refused_messages(app: InjectedApp, after: AfterNumber = 0, limit: RowLimit = 50) -> RefusedMessages:
    """What other systems sent and the book refused: who, which field, why, since when. The oldest first."""
    return RefusedInbox(app.pool).page(after, limit)


@get(ONE, **QUESTION, **needs("inbox.read"), summary="A message that could not be taken")
def show_refused_message(app: InjectedApp, number: FromPath[int]) -> RefusedMessage:
    """As it came, and why it was refused."""
    return RefusedInbox(app.pool).show(number)


@post(f"{ONE}/retry", **ACTION, **needs("inbox.operate"), summary="Take a refused message after all")
def retry_message(
    app: InjectedApp, principal: InjectedPrincipal, number: FromPath[int], data: JSONBody[RetriedMessage]
) -> TriedMessage:
    """As the user who sent it; with other data, as you. What is still wrong is the answer, and the message stays."""
    taker = _taker(app)
    corrector = Corrector(principal.login, partial(authorised, app, principal))
    try:
        return RefusedInbox(app.pool).retry(taker, number, corrector, data.data, data.anyway)
    finally:
        taker.close()


@post(f"{ONE}/drop", **ACTION, **needs("inbox.operate"), summary="Leave a refused message out")
def drop_message(app: InjectedApp, number: FromPath[int]) -> DroppedMessage:
    """It will not be taken."""
    return RefusedInbox(app.pool).drop(number)


def _taker(app: App) -> InboxTaker:
    return InboxTaker(app.book, InboxStore(app.pool), app.access.state, partial(authorised, app))


ROUTES: tuple[Any, ...] = (list_refused_messages, show_refused_message, retry_message, drop_message)
