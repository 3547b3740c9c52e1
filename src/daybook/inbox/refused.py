"""Messages that could not be taken as they are: listed, looked at, tried again, corrected and dropped."""

from contextlib import suppress
from datetime import datetime
from typing import Any

import msgspec

from daybook import limits
from daybook.errors import DaybookError, Forbidden, InvalidValue, NotFound, Refused, Unavailable
from daybook.inbox.message import event_of, message_of
from daybook.inbox.store import QUERIES
from daybook.inbox.taker import Corrector, InboxTaker
from daybook.postgres.pool import Pool, fetch, reachable

NUMBER_MAX = 2**63 - 1


class RefusedMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message of the inbox that was refused."""

    number: int
    sender: str
    sku: str | None
    type: str | None
    refused_at: datetime
    code: str
    field: str | None
    reason: str
    message: Any = None
    """The CloudEvent as it came, where one message is shown; as text where it is no JSON."""


class RefusedMessages(msgspec.Struct, frozen=True):
    """Those that were refused, the oldest first, and the `after` of the next page; null on the last one."""

    messages: list[RefusedMessage]
    next: int | None


class TriedMessage(msgspec.Struct, frozen=True):
    """A message that was taken after all."""

    number: int
    position: int | None
    """Of its last event; null when it was so already."""


class DroppedMessage(msgspec.Struct, frozen=True):
    """A message that will not be taken."""

    number: int


class RefusedInbox:
    """What a person does about them. Thread-safe. Raises Unavailable."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def page(self, after: int = 0, limit: int = 50) -> RefusedMessages:
        """Those that were refused. Raises InvalidValue."""
        if not 1 <= limit <= limits.ROWS.most:
            raise InvalidValue("limit", f"must be between 1 and {limits.ROWS.most}", limit)
        if not 0 <= after <= NUMBER_MAX:
            raise InvalidValue("after", "must be the `next` of a page", after)
        found = [_shown(*row, whole=False) for row in fetch(self._pool, QUERIES["list"], (after, limit))]
        return RefusedMessages(found, found[-1].number if len(found) == limit else None)

    def show(self, number: int) -> RefusedMessage:
        """One of them, with what was sent. Raises NotFound."""
        return _shown(*self._row(number)[:8], whole=True)

    def retry(
        self, taker: InboxTaker, number: int, corrector: Corrector, data: Any = None, anyway: bool = False
    ) -> TriedMessage:
        """Takes it after all, as the user who sent it may now; with other `data`, as who corrects it may.

        Raises the reason when it is refused again, NotFound, and Refused when later messages about its SKU were taken
        meanwhile: it would bring an older state back. `anyway` says that this is meant.
        """
        row = self._row(number)
        sender, body, sequence = row[1], bytes(row[7]), row[9]
        try:
            message = message_of(sequence, sender, body if data is None else _corrected(sender, body, data))
            later = fetch(self._pool, QUERIES["later"], {"number": number, "sku": message.sku})[0][0]
            if later and not anyway:
                raise Refused(
                    f"{later} later messages about {message.sku} were taken since: taking this one now may bring back "
                    "what is old. Say --anyway (`anyway`) if it is meant",
                    number=number,
                )
            done = taker.carry_out(message, None if data is None else corrector)
        except (Unavailable, Refused, Forbidden):
            raise
        except DaybookError as error:
            field = error.details.get("field")
            said = {"number": number, "code": error.code, "field": field, "reason": error.message}
            with reachable(), self._pool.connection() as conn:
                conn.execute(QUERIES["still_refused"], said)
            raise
        fetch(self._pool, QUERIES["drop"], (number,))
        return TriedMessage(number, done.last)

    def drop(self, number: int) -> DroppedMessage:
        """It will not be taken. Raises NotFound."""
        self._row(number)
        fetch(self._pool, QUERIES["drop"], (number,))
        return DroppedMessage(number)

    def _row(self, number: int) -> Any:
        rows = fetch(self._pool, QUERIES["one"], (number,)) if 0 < number <= NUMBER_MAX else []
        if not rows:
            raise NotFound(f"no message {number} was refused; `daybook inbox list` shows them", number=number)
        return rows[0]


def _corrected(sender: str, body: bytes, data: Any) -> bytes:
    """The message with other data. Another id, as it is another command than the one that was refused."""
    event = event_of(sender, body)
    said = msgspec.json.encode(data)
    return msgspec.json.encode(msgspec.structs.replace(event, data=msgspec.Raw(said), id=f"{event.id[:180]}#corrected"))


def _shown(
    number: int,
    sender: str,
    sku: str | None,
    refused_at: datetime,
    code: str,
    field: str | None,
    reason: str,
    body: bytes,
    *,
    whole: bool,
) -> RefusedMessage:
    said: Any = bytes(body).decode("utf-8", "replace")
    with suppress(msgspec.DecodeError, UnicodeDecodeError):
        said = msgspec.json.decode(bytes(body))
    kind = said.get("type") if isinstance(said, dict) else None
    return RefusedMessage(
        number=number,
        sender=sender,
        sku=sku,
        type=kind if isinstance(kind, str) else None,
        refused_at=refused_at,
        code=code,
        field=field,
        reason=reason,
        message=said if whole else None,
    )
