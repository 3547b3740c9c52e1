"""`log verify`: a book that holds is told from one that somebody spoilt, and the first thing that is wrong is named."""

import asyncio
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import psycopg
import pytest

from daybook.audit import messages
from daybook.audit.findings import Verified
from daybook.audit.verify import verify
from daybook.errors import Unavailable
from daybook.events import StockCounted
from daybook.log import reader
from daybook.postgres.pool import connect_async
from daybook.relay.relay import Relay
from daybook.stream import cloudevents
from daybook.stream.connection import Nats
from daybook.stream.jetstream import Message, Stream
from daybook.stream.subjects import subject
from tests.fixtures.commandline import Daybook
from tests.fixtures.logs import context, happened, opened

EVENTS = 12
"""Positions 1, 4, 7, 10 are stock/A; 2, 5, 8, 11 stock/B; 3, 6, 9, 12 stock/C. Each is a command of its own."""


@pytest.fixture
def filled(database: str) -> str:
    fill(database)
    return database


def fill(dsn: str, events: int = EVENTS) -> None:
    with opened(dsn) as (log, _):
        log.record(
            [
                (
                    context(f"command-{number}"),
                    happened(f"stock/{'ABC'[number % 3]}", 0, 1, StockCounted("main", number)),
                )
                for number in range(events)
            ]
        )


def checked(dsn: str, nats_url: str | None = None) -> Verified:
    return asyncio.run(verify(dsn, nats_url))


def spoil(dsn: str, *statements: str) -> None:
    """What only a superuser can do, and only on purpose."""
    with psycopg.connect(dsn) as conn:
        conn.execute("ALTER TABLE events DISABLE TRIGGER events_append_only")
        for statement in statements:
            conn.execute(statement.encode())
        conn.execute("ALTER TABLE events ENABLE ALWAYS TRIGGER events_append_only")


COPY = (
    "INSERT INTO events (position, event_id, stream, version, type, sku, key, recorded_at, actor, source,"
    " correlation_id, command_id, data) SELECT {position}, event_id, stream, {version}, type, sku, key, recorded_at,"
    " actor, source, correlation_id, {command}, data FROM events WHERE position = 12"
)

SPOILT: dict[str, tuple[Sequence[str], int, str | None, str]] = {
    "a hole": (["DELETE FROM events WHERE position = 5"], 5, None, "position 5 is missing: 6 comes after 4"),
    "a hole at the beginning": (["DELETE FROM events WHERE position < 3"], 1, None, "position 1 is missing"),
    "a lost tail": (["DELETE FROM events WHERE position > 10"], 11, None, "ends at position 10, but its head says 12"),
    "a version too far": (
        ["UPDATE events SET version = 9 WHERE position = 7"], 7, "stock/A", "version 9 where 3 belongs",
    ),
    "a stream that begins with 2": (
        ["UPDATE events SET version = version + 1 WHERE stream = 'stock/C' AND version > 3",
         "UPDATE events SET stream = 'stock/D' WHERE position = 12"], 12, "stock/D", "version 5 where 1 belongs",
    ),
    "a body of another shape": (
        ["""UPDATE events SET data = '{"location": 7}' WHERE position = 6"""], 6, "stock/C", "does not decode",
    ),
    "a body that is no object": (["UPDATE events SET data = '[]' WHERE position = 6"], 6, "stock/C", "does not decode"),
    "a body with a member more": (
        ["UPDATE events SET data = jsonb_set(data::jsonb, '{note}', '1')::json WHERE position = 6"], 6, "stock/C",
        "has note, there is no such member",
    ),
    "a body with a member twice": (
        ["""UPDATE events SET data = '{"location": "main", "quantity": 1, "quantity": 6}' WHERE position = 6"""], 6,
        "stock/C", "has quantity, stands twice",
    ),
    "another hash of one command's event": (
        [COPY.format(position=13, version=5, command="'command-11'"), "UPDATE head SET position = 13",
         "UPDATE events SET intent = 7 WHERE position = 13"], 12, None, "different hashes",
    ),
    "an event at the end, with the head moved but not its time": (
        [COPY.format(position=13, version=5, command="'foreign'"), "UPDATE head SET position = 13",
         "UPDATE events SET recorded_at = recorded_at + interval '1 second' WHERE position = 13"], 13, None,
        "time could go back",
    ),
    "an unknown type": (
        ["UPDATE events SET type = 'stock.stolen.v1' WHERE position = 8"], 8, "stock/B", "unknown event type",
    ),
    "time that goes back": (
        ["UPDATE events SET recorded_at = recorded_at - interval '1 second' WHERE position = 9"], 9, "stock/C",
        "before the event in front of it",
    ),
    "a head behind its time": (
        ["UPDATE head SET recorded_at = recorded_at - interval '1 second'"], 12, None, "time could go back",
    ),
    "a head too low": (["UPDATE head SET position = 11"], 12, "stock/C", "is behind the head"),
    "a head too high": (["UPDATE head SET position = 14"], 13, None, "ends at position 12, but its head says 14"),
    "no head": (["DELETE FROM head"], 0, None, "has no row"),
    "an event far behind the head": (
        [COPY.format(position=99, version=5, command="'foreign'")], 99, "stock/C", "is behind the head",
    ),
    "an event before the beginning": (
        [COPY.format(position=0, version=5, command="'foreign'")], 0, "stock/C", "before the log's beginning",
    ),
    "a command that was carried out twice": (
        [COPY.format(position=13, version=5, command="'command-2'"), "UPDATE head SET position = 13"], 3, None,
        "command-2 do not stand together, they reach up to position 13",
    ),
}  # fmt: skip


KEEP = ("CREATE TABLE kept_events AS TABLE events", "CREATE TABLE kept_head AS TABLE head")
MEND = (
    "DELETE FROM events",
    "DELETE FROM head",
    "INSERT INTO events TABLE kept_events",
    "INSERT INTO head TABLE kept_head",
)


def test_what_is_wrong_is_named_with_its_place(filled: str) -> None:
    spoil(filled, *KEEP)
    for how, (statements, position, stream, words) in SPOILT.items():
        spoil(filled, *statements)
        found = checked(filled)
        assert found.problem is not None and words in found.problem, how
        assert (found.ok, found.position, found.stream) == (False, position, stream), how
        spoil(filled, *MEND)
        assert checked(filled).ok, how


def test_the_first_of_several_problems_is_said(filled: str) -> None:
    spoil(
        filled, "UPDATE events SET type = 'x.y.v1' WHERE position IN (4, 8)", "DELETE FROM events WHERE position = 11"
    )
    found = checked(filled)
    assert (found.position, found.events) == (4, 3)


def test_a_log_that_holds_is_counted(filled: str) -> None:
    assert checked(filled) == Verified(events=EVENTS, streams=3, messages=None, problem=None)


def test_an_empty_log_holds(database: str, nats_url: str) -> None:
    assert checked(database, nats_url) == Verified(events=0, streams=0, messages=None, problem=None)


def test_the_check_goes_on_while_writers_append_and_says_nothing_wrong(filled: str, nats_url: str) -> None:
    stop = threading.Event()
    failures: list[BaseException] = []

    def write(number: int) -> None:
        try:
            with opened(filled, 1) as (log, _):
                version = 0
                while not stop.is_set():
                    log.append(happened(f"stock/W{number}", version + 1, 2), context())
                    version += 2
        except BaseException as error:
            failures.append(error)

    async def main() -> None:
        ended = asyncio.Event()
        relay = asyncio.create_task(Relay(filled, nats_url).run(ended))
        stream = nats_url
        try:
            found = [await verify(filled, stream) for _ in range(6)]
        finally:
            ended.set()
            await relay
        assert [one.problem for one in found] == [None] * 6
        assert found[-1].events > found[0].events, "the log grew meanwhile"
        assert (found[-1].messages or 0) > EVENTS

    threads = [threading.Thread(target=write, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    try:
        asyncio.run(main())
    finally:
        stop.set()
        for thread in threads:
            thread.join(20)
    assert not failures


def test_a_server_that_does_not_answer_is_no_corrupt_log(filled: str) -> None:
    with pytest.raises(Unavailable, match="NATS"):
        checked(filled, NOBODY)
    with pytest.raises(Unavailable, match="Postgres"):
        checked("postgresql://nobody@127.0.0.1:1/none")


# The stream beside it.


def published(
    dsn: str, url: str, *, first: int = 1, last: int = EVENTS, change: dict[int, Message | None] | None = None
) -> None:
    """A stream built by hand: the messages of these positions, some of them changed; None for one that is removed."""

    async def main() -> None:
        nats = Nats(url, "test")
        await nats.open()
        async with await connect_async(dsn, "test") as conn:
            rows = await reader.rows_after(conn, first - 1, 1000, last)
        stream = Stream(nats)
        if await stream.last_sequence() is None:
            await stream.create(first)
        for row in rows:
            message = (change or {}).get(row[0]) or message_of(row)
            await stream.publish([message], row[0] - 1)
        for sequence, changed in (change or {}).items():
            if changed is None:
                await remove(nats, sequence)
        await nats.close()

    asyncio.run(main())


async def remove(nats: Nats, sequence: int) -> None:
    answer = await nats.client.request("$JS.API.STREAM.MSG.DELETE.DAYBOOK", b'{"seq": %d}' % sequence)
    assert b'"success":true' in answer.data, answer.data


def message_of(row: Sequence[Any], **changes: Any) -> Message:
    names = {"actor": 8, "data": 15, "event_id": 1}
    changed = list(row)
    for name, value in changes.items():
        changed[names[name]] = value
    return Message(subject(row[4], row[6]), cloudevents.encode(changed))


def row_of(dsn: str, position: int) -> Sequence[Any]:
    async def main() -> Sequence[Any]:
        async with await connect_async(dsn, "test") as conn:
            found: Sequence[Any] = (await reader.rows_after(conn, position - 1, 1))[0]
            return found

    return asyncio.run(main())


def test_a_stream_that_holds_every_event_holds(filled: str, nats_url: str) -> None:
    published(filled, nats_url)
    assert checked(filled, nats_url) == Verified(events=EVENTS, streams=3, messages=EVENTS, problem=None)


def test_without_a_stream_the_log_alone_is_checked(filled: str, nats_url: str) -> None:
    assert checked(filled, nats_url).messages is None


@pytest.mark.parametrize(("first", "last"), [(5, 12), (1, 7), (4, 9), (12, 12)])
def test_a_stream_may_begin_later_and_end_earlier_than_the_log(
    filled: str, nats_url: str, first: int, last: int
) -> None:
    published(filled, nats_url, first=first, last=last)
    found = checked(filled, nats_url)
    assert (found.problem, found.messages) == (None, last - first + 1)


def test_a_stream_without_any_message_holds(filled: str, nats_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(messages, "SILENCE_SECONDS", 0.6)
    published(filled, nats_url, first=9, last=8)
    assert checked(filled, nats_url).messages == 0


NOBODY = "nats://127.0.0.1:1"
FOREIGN = Message("daybook.stock.counted.3", b"hello")


def test_messages_that_are_not_the_event_of_their_number_are_named(filled: str, nats_url: str) -> None:
    row = row_of(filled, 6)
    right = message_of(row)
    spoilt = {
        "no Daybook event": FOREIGN,
        "other event": message_of(row, data='{"location":"main","quantity":999}'),
        "other actor": message_of(row, actor="mallory"),
        "other event_id": message_of(row, event_id="00000000-0000-7000-8000-000000000000"),
        "has the subject daybook.stock.stolen.1 instead of": Message("daybook.stock.stolen.1", right.body),
        "other position": message_of(row_of(filled, 3)),
    }
    for words, message in spoilt.items():
        published(filled, nats_url, change={6: message})
        found = checked(filled, nats_url)
        assert (found.ok, found.position, found.stream) == (False, 6, "stock/C"), words
        assert found.problem is not None and words in found.problem, found.problem
        check_that_nothing_is_thrown_away(found.problem)
        asyncio.run(_delete(nats_url))


def test_the_same_event_in_other_bytes_is_the_same_event(filled: str, nats_url: str) -> None:
    right = message_of(row_of(filled, 6))
    published(filled, nats_url, change={6: Message(right.subject, right.body.replace(b",", b" ,\n", 1))})
    assert checked(filled, nats_url).ok


@pytest.mark.parametrize("gone", [6, EVENTS])
def test_a_message_that_was_removed_from_the_stream_is_named(
    filled: str, nats_url: str, gone: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(messages, "SILENCE_SECONDS", 0.6)

    async def build() -> None:
        nats = Nats(nats_url, "test")
        await nats.open()
        await nats.client.jetstream().add_stream(name="DAYBOOK", subjects=["daybook.*.*.*"])  # one that allows it
        await nats.close()

    asyncio.run(build())
    published(filled, nats_url, change={gone: None})
    found = checked(filled, nats_url)
    assert (found.ok, found.position) == (False, gone)
    assert f"sequence {gone} is missing" in str(found.problem)


def test_a_stream_that_is_ahead_of_the_log_is_named(filled: str, nats_url: str) -> None:
    published(filled, nats_url)

    async def more() -> None:
        nats = Nats(nats_url, "test")
        await nats.open()
        await Stream(nats).publish([FOREIGN], EVENTS)
        await nats.close()

    asyncio.run(more())
    found = checked(filled, nats_url)
    assert found.problem is not None
    assert "the stream is at sequence 13, the log only at position 12" in found.problem
    advice = found.problem
    assert 0 < advice.index("`daybook failover` keeps it") < advice.index("daybook stream save FILE")
    assert "stream reset" not in advice


def check_that_nothing_is_thrown_away(advice: str) -> None:
    """Whoever follows the advice keeps what he found before he removes any of it."""
    assert 0 < advice.index("daybook stream save FILE") < advice.index("daybook stream reset")


async def _delete(url: str) -> None:
    nats = Nats(url, "test")
    await nats.open()
    await Stream(nats).delete()
    await nats.close()


# The command line.


@pytest.fixture
def daybook(filled: str, nats_url: str) -> Iterator[Daybook]:
    yield Daybook({"DAYBOOK_POSTGRES": filled, "DAYBOOK_NATS": nats_url})


def test_the_command_says_what_holds(daybook: Daybook, filled: str, nats_url: str) -> None:
    published(filled, nats_url)
    assert daybook.json("log", "verify")["messages"] == EVENTS
    assert daybook.json("log", "verify", "--no-stream")["messages"] is None
    assert "12 events in 3 streams hold, and so do 12 messages" in daybook("log", "verify").stdout
    assert "no stream was compared" in daybook("log", "verify", "--no-stream").stdout


def test_the_command_ends_with_1_and_says_what_is_wrong_to_people_and_programs(daybook: Daybook, filled: str) -> None:
    spoil(filled, "UPDATE events SET type = 'stock.stolen.v1' WHERE position = 8")

    machine, person = daybook("log", "verify", "--json"), daybook("log", "verify")

    assert (machine.code, person.code) == (1, 1)
    assert machine.json["events"] == 7
    problem = machine.problem
    assert (problem["code"], problem["details"]) == ("corrupt_log", {"position": 8, "stream": "stock/B"})
    assert "stock.stolen.v1" in problem["message"]
    assert "position 8 (stock/B, version 3): unknown event type 'stock.stolen.v1'" in person.stderr
    assert "7 events in 3 streams hold before the first problem" in person.stdout


def test_no_stream_needs_no_nats(filled: str) -> None:
    assert Daybook({"DAYBOOK_POSTGRES": filled, "DAYBOOK_NATS": NOBODY})("log", "verify", "--no-stream").code == 0
