"""Carries out `daybook inbox retry`."""

from functools import partial

import msgspec

from daybook.errors import InvalidValue
from daybook.inbox.refused import RefusedInbox, TriedMessage
from daybook.inbox.store import InboxStore
from daybook.inbox.taker import Corrector, InboxTaker
from daybook.terminal.carry_out import actor
from daybook.terminal.context import app_for_queries
from daybook.terminal.options import CommonOptions
from daybook.web.authorise import authorised


def retried(common: CommonOptions, number: int, data: str | None, anyway: bool) -> TriedMessage:
    """Takes the message. Raises what refuses it again."""
    try:
        said = None if data is None else msgspec.json.decode(data)
    except msgspec.DecodeError as error:
        raise InvalidValue("data", f"is no JSON: {error}") from error
    with app_for_queries(common) as on:
        taker = InboxTaker(on.book, InboxStore(on.pool), on.access.state, partial(authorised, on))
        try:
            return RefusedInbox(on.pool).retry(taker, number, Corrector(actor(common), _owner), said, anyway)
        finally:
            taker.close()


def _owner(command: object) -> None:
    """On this machine who may read the data folder may do everything."""
