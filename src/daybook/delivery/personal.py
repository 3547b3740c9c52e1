"""People's data in the journal: marked with their ids when it is written, cleared by id when one of them is erased.

A payload holds ids alone, as a rendering never sees the vault. A connector that has to tell a channel a name or an
address asks the vault when it sends, and names whose it is to `Calls.request(people=…)`.

Hazard: a channel's refusal may repeat a name, and a refusal is an event, which is kept for ever, and a line in a log.
So of an exchange about people the channel's words stay in the journal's answer, where they can be cleared; whatever is
made of the outcome says where they are.
"""

import hashlib
from collections.abc import Sequence

from msgspec.structs import replace

from daybook.channel.calls import Exchange
from daybook.channel.contract import ChannelUnavailable, Lost, Outcome, Rejected, Stopped, Waiting
from daybook.delivery.lane_results import Result
from daybook.postgres.pool import AsyncConnection
from daybook.postgres.sql import beside

QUERIES = beside(__file__)

ELSEWHERE = "the channel's words are in the delivery journal, as they may hold a person's data"


def people_of(result: Result) -> tuple[str, ...]:
    """Whose data anything of the result may hold."""
    return tuple(sorted({person for call in result.exchanges for person in call.people}))


def discreet(outcome: Outcome, seen: Sequence[Exchange]) -> Outcome:
    """The outcome without words that may hold a person's data: events, lanes and logs are made of it."""
    if not any(call.people for call in seen):
        return outcome
    match outcome:
        case Rejected(reasons=reasons):
            own = {"finding_not_kept"}
            kept = (one if one.code in own else replace(one, message=ELSEWHERE) for one in reasons)
            return Rejected(tuple(kept), outcome.findings)
        case ChannelUnavailable() | Waiting() | Stopped() | Lost():
            return replace(outcome, reason=ELSEWHERE)
    return outcome


Attempt = tuple[tuple[object, ...], Exchange, tuple[str, ...]]
"""The journal's own row, the exchange that it is of, and the people whom its result is about."""


async def put(conn: AsyncConnection, channel: str, attempts: Sequence[Attempt]) -> None:
    """Writes down attempts about people."""
    rows = []
    for row, call, people in attempts:
        body = call.request.decode() if call.request is not None else None
        rows.append((*row, f"{{{','.join(people)}}}", body))
    columns = [list(column) for column in zip(*rows, strict=True)]
    await conn.execute(QUERIES["put_personal_attempts"], (*columns, channel))


def request_hash(call: Exchange) -> bytes | None:
    """By which the body that was sent is known."""
    return hashlib.sha256(call.request).digest() if call.request is not None else None
