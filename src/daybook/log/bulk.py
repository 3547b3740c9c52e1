"""Bulk append: hundreds of thousands of events at the speed of COPY, with the promises of a single append.

A command is whole or absent, one that conflicts or was carried out before leaves the others alone, and positions stay
dense and in the order of commits. The work is cut, between commands, into transactions of about `CHUNK_EVENTS`: each
holds the turn to append for a fraction of a second, so that other writers get theirs in between.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

import msgspec
import psycopg

from daybook.errors import InvalidValue, Unavailable
from daybook.ids import new_ids
from daybook.log import QUERIES
from daybook.log.group_commit import Outcome, trying_again
from daybook.log.pending import Context, PendingEvent
from daybook.postgres.pool import Connection, Pool

CHUNK_EVENTS = 10_000
Command = tuple[Context, Sequence[PendingEvent]]

# A uuid's binary form is its 16 bytes and a json's is its text: told as such, nothing has to be converted.
_TYPES = (
    "int8", "bytea", "text", "int8", "text", "text", "text", "timestamptz", "text", "text", "text", "text", "text",
    "text", "int8", "text",
)  # fmt: skip


class _Plan(msgspec.Struct):
    """What one transaction will do: an outcome for each command, and the rows of those that are appended."""

    outcomes: list[Outcome]
    rows: list[tuple[Any, ...]]
    head: int
    at: datetime


def append_bulk(pool: Pool, commands: Iterable[Command]) -> Iterator[Outcome]:
    """Appends the commands and yields their outcomes in order, chunk by chunk as they are committed.

    Nothing happens before the first outcome is asked for. Within a chunk a command sees the versions that earlier
    commands of the chunk made. Safe to repeat with the same command ids: what was committed comes back as `repeated`.
    Raises Unavailable, and InvalidValue at a command that Postgres can't hold or that has no event: what was yielded
    stands, that command and those behind it are not appended.
    """
    for chunk in _chunks(commands):
        if chunk:
            yield from _sent(pool, chunk)


def _sent(pool: Pool, chunk: list[Command]) -> Iterator[Outcome]:
    def send() -> list[Outcome]:
        with pool.connection() as conn:
            return _append(conn, chunk)

    try:
        # Whether a broken connection had committed is unknown; the command ids tell the next try.
        outcomes = trying_again(pool)(send)
    except psycopg.OperationalError as error:
        raise Unavailable(f"Postgres can't be reached: {error}. Repeat with the same command ids") from error
    except (psycopg.DataError, UnicodeError) as error:
        if len(chunk) == 1:
            reason = f"{chunk[0][0].command_id} holds something that Postgres can't: {error}"
            raise InvalidValue("command", reason) from error
        yield from _sent(pool, chunk[: len(chunk) // 2])
        yield from _sent(pool, chunk[len(chunk) // 2 :])
        return
    yield from outcomes


def _chunks(commands: Iterable[Command]) -> Iterator[list[Command]]:
    chunk: list[Command] = []
    amount = 0
    for command in commands:
        if not command[1]:
            yield chunk
            raise InvalidValue("command", f"{command[0].command_id} has no event to append")
        chunk.append(command)
        amount += len(command[1])
        if amount >= CHUNK_EVENTS:
            yield chunk
            chunk, amount = [], 0
    yield chunk


def _append(conn: Connection, chunk: list[Command]) -> list[Outcome]:
    # Everything that needs no turn is done before the turn is taken.
    prepared = [
        list(zip(new_ids(len(events)), [event.state.decode() for event in events], strict=True)) for _, events in chunk
    ]
    streams = sorted({str(event.originator_id) for _, events in chunk for event in events})
    ids = [context.command_id for context, _ in chunk]
    with conn.transaction():
        head, at = conn.execute(QUERIES["take_turn"]).fetchone() or (0, None)
        versions: dict[str, int] = dict(conn.execute(QUERIES["versions_of"], (streams,)).fetchall())
        known = {row[0]: row[1:] for row in conn.execute(QUERIES["of_commands"], (ids,))}
        plan = _Plan([], [], head, at)
        for (context, events), made in zip(chunk, prepared, strict=True):
            _place(plan, context, events, made, versions, known)
        if plan.rows:
            with conn.cursor() as cursor, cursor.copy(QUERIES["copy_in"]) as copy:
                copy.set_types(_TYPES)
                for row in plan.rows:
                    copy.write_row(row)
            conn.execute(QUERIES["move_head"], (plan.head, plan.at))
    return plan.outcomes


def _place(
    plan: _Plan,
    context: Context,
    events: Sequence[PendingEvent],
    made: list[tuple[bytes, str]],
    versions: dict[str, int],
    known: dict[str, Any],
) -> None:
    if context.command_id in known:
        first, last, intent, at = known[context.command_id]
        plan.outcomes.append(Outcome("repeated", first, last, intent, None, None, at))
        return
    reached: dict[str, int] = {}
    rows: list[tuple[Any, ...]] = []
    for number, (event, (event_id, data)) in enumerate(zip(events, made, strict=True), 1):
        stream = str(event.originator_id)
        before = reached.get(stream, versions.get(stream, 0))
        version = event.originator_version or before + 1
        if version != before + 1:
            actual = versions.get(stream, 0)
            plan.outcomes.append(Outcome("conflict", None, None, None, stream, actual, plan.at))
            return
        reached[stream] = version
        rows.append(
            (
                plan.head + number,
                event_id,
                stream,
                version,
                event.topic,
                event.sku,
                event.key,
                plan.at,
                context.actor,
                context.reason,
                context.source,
                context.correlation_id or context.command_id,
                context.causation_id,
                context.command_id,
                context.intent,
                data,
            )
        )
    first, last = plan.head + 1, plan.head + len(rows)
    plan.outcomes.append(Outcome("appended", first, last, None, None, None, plan.at))
    plan.rows += rows
    plan.head = last
    versions.update(reached)
    known[context.command_id] = (first, last, context.intent, plan.at)
