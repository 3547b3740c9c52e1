"""Bulk append: hundreds of thousands of events at the speed of COPY, with the promises of a single append.

A command is whole or absent, one that conflicts or was carried out before leaves the others alone, and positions stay
dense and in the order of commits. The work is cut, between commands, into transactions of about `CHUNK_EVENTS`: each
holds the turn to append for a fraction of a second, so that other writers get theirs in between.
"""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from typing import Any

import msgspec
import psycopg

from daybook.errors import InvalidValue, Unavailable
from daybook.ids import new_ids
from daybook.log import QUERIES
from daybook.log.group_commit import Outcome, trying_again
from daybook.log.pending import Context, PendingEvent
from daybook.postgres.arrays import Array
from daybook.postgres.pool import Connection, Pool

CHUNK_EVENTS = 10_000
Command = tuple[Context, Sequence[PendingEvent]]

# In the order of the statement's columns. A uuid's binary form is its 16 bytes and a json's is its text: told as bytes,
# nothing has to be converted.
_TYPES = (
    "int8", "int8", "timestamptz",
    "bytea", "text", "text", "text", "text", "text", "text", "text", "text", "text", "text", "int8", "text", "bytea",
)  # fmt: skip


class _Prepared(msgspec.Struct):
    """A command, with all of its rows that needs no turn to append."""

    context: Context
    events: list[tuple[str, int, tuple[Any, ...]]]
    """Stream, expected version (0: whatever comes next) and the columns behind position, version and moment."""


class _Plan(msgspec.Struct):
    """What one transaction will do: an outcome for each command, and the rows of those that are appended."""

    outcomes: list[Outcome]
    rows: list[tuple[Any, ...]]
    head: int
    at: datetime


def append_bulk(pool: Pool, commands: Iterable[Command]) -> Iterator[Outcome]:
    """Appends the commands and yields their outcomes in order, chunk by chunk as they are committed.

    Nothing happens before the first outcome is asked for. Within a chunk a command sees the versions that earlier
    commands of the chunk made. While a chunk is on its way the next one is drawn from `commands` and prepared, as
    Postgres takes longer than we do: whoever stops asking may find up to a chunk appended behind the last outcome.
    Safe to repeat with the same command ids: what was committed comes back as `repeated`.
    Raises Unavailable, and InvalidValue at a command that Postgres can't hold or that has no event: what was yielded
    stands, that command and those behind it are not appended.
    """
    with ThreadPoolExecutor(1, "bulk append") as executor:
        chunks = _chunks(commands)
        under_way: Future[tuple[list[Outcome], InvalidValue | None]] | None = None
        while True:
            chunk, failure = _drawn(chunks)
            done: list[Outcome] = []
            if under_way is not None:
                done, refused = under_way.result()
                # What was drawn behind a command that is refused is not appended, nor does its failure matter.
                chunk, failure = ([], refused) if refused else (chunk, failure)
            under_way = executor.submit(_sent, pool, chunk) if chunk else None
            yield from done
            if under_way is None:
                if failure is not None:
                    raise failure
                return


def _drawn(chunks: Iterator[list[_Prepared]]) -> tuple[list[_Prepared], Exception | None]:
    """The next chunk; none at the end, or when the source failed, which is told once all before it is appended."""
    try:
        return next(chunks, []), None
    except Exception as error:
        return [], error


def _sent(pool: Pool, chunk: list[_Prepared]) -> tuple[list[Outcome], InvalidValue | None]:
    """Appends the chunk, up to the first command that Postgres can't hold."""

    def send() -> list[Outcome]:
        with pool.connection() as conn:
            return _append(conn, chunk)

    try:
        # Whether a broken connection had committed is unknown; the command ids tell the next try.
        return trying_again(pool)(send), None
    except psycopg.OperationalError as error:
        raise Unavailable(f"Postgres can't be reached: {error}. Repeat with the same command ids") from error
    except (psycopg.DataError, UnicodeError) as error:
        if len(chunk) == 1:
            reason = f"{chunk[0].context.command_id} holds something that Postgres can't: {error}"
            return [], InvalidValue("command", reason)
        before, refused = _sent(pool, chunk[: len(chunk) // 2])
        if refused:
            return before, refused
        behind, refused = _sent(pool, chunk[len(chunk) // 2 :])
        return before + behind, refused


def _chunks(commands: Iterable[Command]) -> Iterator[list[_Prepared]]:
    chunk: list[Command] = []
    amount = 0
    for command in commands:
        if not command[1]:
            yield _prepared(chunk, amount)
            raise InvalidValue("command", f"{command[0].command_id} has no event to append")
        chunk.append(command)
        amount += len(command[1])
        if amount >= CHUNK_EVENTS:
            yield _prepared(chunk, amount)
            chunk, amount = [], 0
    yield _prepared(chunk, amount)


def _prepared(chunk: list[Command], amount: int) -> list[_Prepared]:
    ids = iter(new_ids(amount))
    prepared = []
    for context, events in chunk:
        who = (context.actor, context.reason, context.source, context.correlation_id or context.command_id)
        why = (context.causation_id, context.command_id, context.command_hash, context.access)
        rows = []
        for event in events:
            stream = str(event.originator_id)
            columns = (next(ids), stream, event.topic, event.sku, event.key, *who, *why, event.state)
            rows.append((stream, event.originator_version, columns))
        prepared.append(_Prepared(context, rows))
    return prepared


def _append(conn: Connection, chunk: list[_Prepared]) -> list[Outcome]:
    streams = Array.texts(sorted({stream for command in chunk for stream, _, _ in command.events}))
    ids = Array.texts([command.context.command_id for command in chunk])
    with conn.transaction():
        head, at = conn.execute(QUERIES["take_turn"]).fetchone() or (0, None)
        versions: dict[str, int] = dict(conn.execute(QUERIES["versions_of"], (streams,), binary=True).fetchall())
        again = [one for (one,) in conn.execute(QUERIES["known_commands"], (ids,))]
        found = conn.execute(QUERIES["of_commands"], (Array.texts(again),)) if again else ()
        known: dict[str, Any] = {row[0]: row[1:] for row in found}
        plan = _Plan([], [], head, at)
        for command in chunk:
            _place(plan, command, versions, known)
        if plan.rows:
            with conn.cursor() as cursor, cursor.copy(QUERIES["copy_in"]) as copy:
                copy.set_types(_TYPES)
                for row in plan.rows:
                    copy.write_row(row)
            conn.execute(QUERIES["move_head"], (plan.head, plan.at))
    return plan.outcomes


def _place(plan: _Plan, command: _Prepared, versions: dict[str, int], known: dict[str, Any]) -> None:
    context = command.context
    if context.command_id in known:
        first, last, intent, at = known[context.command_id]
        plan.outcomes.append(Outcome("repeated", first, last, intent, None, None, at))
        return
    reached: dict[str, int] = {}
    rows: list[tuple[Any, ...]] = []
    position = plan.head
    for stream, expected, columns in command.events:
        position += 1
        version = (reached.get(stream) or versions.get(stream, 0)) + 1
        if expected and expected != version:
            actual = versions.get(stream, 0)
            plan.outcomes.append(Outcome("conflict", None, None, None, stream, actual, plan.at))
            return
        reached[stream] = version
        rows.append((position, version, plan.at, *columns))
    plan.outcomes.append(Outcome("appended", plan.head + 1, position, None, None, None, plan.at))
    plan.rows += rows
    known[context.command_id] = (plan.head + 1, position, context.command_hash, plan.at)
    plan.head = position
    versions.update(reached)
