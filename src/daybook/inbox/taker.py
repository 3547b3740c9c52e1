"""Takes messages into the book, each once, in order for each SKU.

A message is never decided on again once a later one about its SKU was: what was decided on is written down before the
next round begins, also what changed nothing. What was carried out and not yet written down is known by its command id.
"""

import hashlib
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple
from uuid import uuid5

import msgspec

from daybook.access.authority import Denied, Principal, allowed_in
from daybook.access.state import AccessState
from daybook.commands.book import Book, CommandResult
from daybook.errors import DaybookError, Forbidden, InvalidValue, Refused, Unavailable
from daybook.inbox.message import NAMES, InboxMessage, event_of, id_of, message_of
from daybook.inbox.rounds import Rounds
from daybook.inbox.store import InboxRefusal, InboxStore
from daybook.log.pending import Context
from daybook.stream.feed import Delivered
from daybook.stream.subjects import sender_of

log = logging.getLogger("daybook.inbox")

SOURCE = "inbox"
AT_ONCE = 8
Authorise = Callable[[Principal, object], str | None]
"""What the events say of how it was allowed. Raises Forbidden."""


class InboxAnswer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What became of a message, for who sent it."""

    id: str
    outcome: str
    """`taken`, `unchanged` (it was so already), `known` (it was decided on before) or `refused`."""
    position: int | None = None
    code: str | None = None
    field: str | None = None
    reason: str | None = None


class Corrector(NamedTuple):
    """Who corrects a message: what it says then is his or her word, and needs his or her permission."""

    actor: str
    authorise: Callable[[object], str | None]


Answered = tuple[str, InboxAnswer]
"""A subject, and what is answered there."""


class InboxTaker:
    """Decides on pages of messages. Raises Unavailable, and then the page is to be given again."""

    def __init__(self, book: Book, store: InboxStore, state: Callable[[], AccessState], authorise: Authorise) -> None:
        self._book = book
        self._store = store
        self._state = state
        self._authorise = authorise
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="daybook-inbox")

    def close(self) -> None:
        """Ends when what is under way has ended."""
        self._pool.shutdown()

    def take(self, page: Sequence[Delivered]) -> list[Answered]:
        """Decides on all of them; what is to be answered to whom."""
        answers: list[Answered] = []
        fresh, malformed, bodies = self._decoded(page, answers)
        self._store.record([], malformed)
        rounds = Rounds(fresh)
        while ready := rounds.ready():
            taken: list[InboxMessage] = []
            refused: list[InboxRefusal] = []
            for one, outcome in zip(ready, self._pool.map(self._decide, ready), strict=True):
                if isinstance(outcome, CommandResult):
                    taken.append(one)
                    answers += _answer(one, outcome)
                elif not rounds.hold(one):
                    refused.append(_refusal(one, bodies[one.sequence], outcome))
                    answers += _answer(one, outcome)
            self._store.record(taken, refused)
            done = {one.sequence for one in taken} | {one.sequence for one in refused}
            for one in ready:
                if one.sequence in done:
                    rounds.finish(one)
        return answers

    def carry_out(self, message: InboxMessage, corrector: Corrector | None = None) -> CommandResult:
        """Carries one message out, as the user who sent it, or who corrected it.

        Raises the domain's errors, Forbidden and Unavailable.
        """
        if corrector is not None:
            access = corrector.authorise(message.command)
            reason = f"corrects {message.event.id[:200]}, which {message.sender} sent"
            return self._append(message, corrector.actor, access, reason)
        user = self._state().user_of(message.sender)
        if user is None:
            raise Forbidden(f"there is no user {message.sender}: add it, and grant it a role", permission="none")
        principal = allowed_in(user, f"nats:{message.sender}"[:100])
        if isinstance(principal, Denied):
            raise Forbidden(principal.message, permission="none")
        return self._append(message, principal.login, self._authorise(principal, message.command), None)

    def _append(self, message: InboxMessage, actor: str, access: str | None, reason: str | None) -> CommandResult:
        context = Context.new(
            actor,
            SOURCE,
            reason=reason,
            command_id=str(message.command_id),
            correlation_id=message.event.correlationid,
        )
        return self._book.carry_out(message.command, msgspec.structs.replace(context, access=access), repeatable=True)

    def _decide(self, message: InboxMessage) -> CommandResult | DaybookError:
        try:
            return self.carry_out(message)
        except Unavailable:
            raise
        except DaybookError as error:
            return error
        except Exception as error:
            # A defect of ours must not hold up every message behind this one, for ever.
            log.exception("message %s of %s can't be decided", message.event.id, message.sender)
            return Refused(f"{type(error).__name__} in what decides it: please report it")

    def _decoded(
        self, page: Sequence[Delivered], answers: list[Answered]
    ) -> tuple[list[InboxMessage], list[InboxRefusal], dict[int, Delivered]]:
        """Those that are new and can be read, those that are new and can't, and all as they came."""
        found: list[InboxMessage] = []
        malformed: list[InboxRefusal] = []
        for one in page:
            try:
                found.append(message_of(one.sequence, sender_of(one.subject), one.body))
            except InvalidValue as error:
                malformed.append(_unreadable(one, error, answers))
        sent = {one.command_id: one.sequence for one in malformed}
        known = self._store.known(sent | {one.command_id: one.sequence for one in found})
        fresh: dict[object, InboxMessage] = {}
        for message in found:
            if message.command_id in known or message.command_id in fresh:
                answers += _known(message)
            else:
                fresh[message.command_id] = message
        unread = {one.command_id: one for one in malformed if one.command_id not in known}
        return list(fresh.values()), list(unread.values()), {one.sequence: one for one in page}


def _refusal(message: InboxMessage, came: Delivered, error: DaybookError) -> InboxRefusal:
    field = error.details.get("field")
    return InboxRefusal(
        command_id=message.command_id,
        sender=message.sender,
        subject=came.subject,
        body=came.body,
        sequence=message.sequence,
        sku=message.sku,
        code=error.code,
        field=None if field is None else str(field),
        reason=error.message,
    )


def _unreadable(came: Delivered, error: InvalidValue, answers: list[Answered]) -> InboxRefusal:
    """A message that says no command, as far as it can be read."""
    sender = sender_of(came.subject)
    try:
        event = event_of(sender, came.body)
        command_id = id_of(sender, event)
        if event.answerto is not None:
            field, reason = str(error.details["field"]), str(error.details["reason"])
            refused = InboxAnswer(id=event.id, outcome="refused", code=error.code, field=field, reason=reason)
            answers.append((event.answerto, refused))
    except InvalidValue:
        # Nothing names it, so it is named by its place: read again, it is the same.
        command_id = uuid5(NAMES, f"{came.sequence} {came.subject} {hashlib.sha256(came.body).hexdigest()}")
    return InboxRefusal(
        command_id=command_id,
        sender=sender,
        subject=came.subject,
        body=came.body,
        sequence=came.sequence,
        sku=None,
        code=error.code,
        field=str(error.details["field"]),
        reason=error.message,
    )


def _known(message: InboxMessage) -> list[Answered]:
    to = message.event.answerto
    return [] if to is None else [(to, InboxAnswer(id=message.event.id, outcome="known"))]


def _answer(message: InboxMessage, outcome: CommandResult | DaybookError) -> list[Answered]:
    to = message.event.answerto
    if to is None:
        return []
    if isinstance(outcome, CommandResult):
        said = "taken" if outcome.changed else "unchanged"
        return [(to, InboxAnswer(id=message.event.id, outcome=said, position=outcome.last))]
    field = outcome.details.get("field")
    refused = InboxAnswer(
        id=message.event.id,
        outcome="refused",
        code=outcome.code,
        field=None if field is None else str(field),
        reason=outcome.message,
    )
    return [(to, refused)]
