"""Whatever stands on the stream, a projection folds what the log says, and a message that is not the log's is told."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import psycopg
import pytest

from daybook.commands import ChangePrice
from daybook.events import Recorded
from daybook.log import reader
from daybook.postgres.migrate import migrate
from daybook.postgres.pool import connect_async
from daybook.projection.reading import Passed
from daybook.projection.source import Source
from daybook.stream import cloudevents
from daybook.stream.connection import Nats
from daybook.stream.jetstream import Message, Stream
from daybook.stream.subjects import subject
from tests.fixtures.channels import toy
from tests.fixtures.pipeline import Pipeline, product, until

FORGED = '{"price_list":"default","price":{"amount":1,"currency":"EUR"}}'
Row = Sequence[Any]


def message(row: Row, **changes: Any) -> Message:
    names = {"position": 0, "event_id": 1, "key": 6, "data": 15}
    changed = list(row)
    for name, value in changes.items():
        changed[names[name]] = value
    return Message(subject(changed[4], changed[6]), cloudevents.encode(changed))


async def rows(pipeline: Pipeline, after: int) -> list[Any]:
    async with await connect_async(pipeline.dsn, "test") as conn:
        return await reader.rows_after(conn, after, 1000)


async def published(pipeline: Pipeline, *messages: Message) -> None:
    """Somebody who reaches the NATS server publishes behind whatever is there."""
    nats = Nats(pipeline.nats_url, "forger")
    await nats.open()
    stream = Stream(nats)
    if await stream.last_sequence() is None:
        await stream.create()
    await stream.publish(messages, await stream.last_sequence() or 0)
    await nats.close()


def told(dsn: str) -> tuple[int, str] | None:
    with psycopg.connect(dsn) as conn:
        row = conn.execute("SELECT foreign_sequence, foreign_reason FROM stream_state").fetchone()
    assert row is not None
    return row if row[0] is not None else None


async def level_and_true(pipeline: Pipeline) -> None:
    """The listings are the log's; the relay, which stands still before a foreign message, is not needed for that."""
    await pipeline.caught_up()
    assert pipeline.listings() == pipeline.folded()


async def test_a_forged_event_behind_the_logs_head_is_not_folded_and_the_true_one_is(
    database: str, nats_url: str
) -> None:
    async with Pipeline(database, nats_url, toy()) as pipeline:
        relay = pipeline.relay()
        pipeline.runner()
        await pipeline.define_attributes()
        await pipeline.carry_out(product("A", price="49.95"))
        await pipeline.caught_up()
        await pipeline.end(relay)
        price = next(row for row in await rows(pipeline, 0) if row[4] == "product.price_changed.v1")
        head = pipeline.head()
        await published(pipeline, message(price, position=head + 1, event_id="0" * 8 + price[1][8:], data=FORGED))
        await until(lambda: told(database), "the forged message was found")
        assert told(database) == (head + 1, f"is beyond the log, which ends at position {head}")
        assert pipeline.position() == head and pipeline.listings() == pipeline.folded()
        await pipeline.carry_out(ChangePrice(sku="A", amount="59.95", currency="EUR"))
        await level_and_true(pipeline)
        assert pipeline.listings()["A", "price"] == {"price": 5995}


FORGERIES: dict[str, tuple[Callable[[Row], Message], str]] = {
    "right id, other data": (lambda row: message(row, data=FORGED), "other event"),
    "right data, other key": (lambda row: message(row, key="ELSE"), "other key"),
    "right data, other id": (lambda row: message(row, event_id="0" * 8 + row[1][8:]), "other event_id"),
    "a body that is none of ours": (lambda row: Message(message(row).subject, b"hello"), "no Daybook event"),
    "a foreign subject": (lambda row: Message("daybook.product.bought.1", message(row).body), "has the subject"),
}


async def sourced(pipeline: Pipeline) -> list[Recorded | Passed]:
    """Everything that a source hands on while the stream can be read all the time."""
    nats = Nats(pipeline.nats_url, "test")
    await nats.open()
    source, events = Source(nats), list[Recorded | Passed]()
    async with await connect_async(pipeline.dsn, "test") as conn:
        while len(events) < pipeline.head():
            events += await source.next(conn, len(events), wait=True)
    await source.drop()
    await nats.close()
    return events


@pytest.mark.parametrize("forgery", FORGERIES)
async def test_a_message_that_is_not_the_event_of_its_number_is_read_from_the_log_instead(
    database: str, nats_url: str, forgery: str
) -> None:
    """The messages behind it are true: the stream's end looks right, so only each batch's comparison finds it."""
    forged, words = FORGERIES[forgery]
    async with Pipeline(database, nats_url, toy()) as pipeline:
        await pipeline.define_attributes()
        await pipeline.carry_out(product("A", price="49.95"), product("B"))
        log = await rows(pipeline, 0)
        at = next(row[0] for row in log if row[4] == "product.price_changed.v1")
        await published(pipeline, *(forged(row) if row[0] == at else message(row) for row in log))
        assert await sourced(pipeline) == [reader.recorded(row) for row in log]
        found = told(database)
        assert found is not None and found[0] == at and words in found[1]


async def test_true_messages_are_handed_on_and_nothing_is_told(database: str, nats_url: str) -> None:
    async with Pipeline(database, nats_url, toy()) as pipeline:
        await pipeline.define_attributes()
        await pipeline.carry_out(product("A"), product("B"))
        log = await rows(pipeline, 0)
        await published(pipeline, *(message(row) for row in log))
        assert await sourced(pipeline) == [reader.recorded(row) for row in log]
        assert told(database) is None


async def test_a_message_that_was_published_twice_moves_nothing(database: str, nats_url: str) -> None:
    async with Pipeline(database, nats_url, toy()) as pipeline:
        await pipeline.define_attributes()
        await pipeline.carry_out(product("A"), product("B"))
        log = await rows(pipeline, 0)
        await published(pipeline, *(message(row) for row in [*log[:3], log[2], *log[3:-1]]))
        assert await sourced(pipeline) == [reader.recorded(row) for row in log]
        found = told(database)
        assert found is not None and found[0] in (4, len(log)) and "other position" in found[1]


async def test_a_stream_of_another_book_is_never_folded(database: str, empty_database: str, nats_url: str) -> None:
    await asyncio.to_thread(migrate, empty_database)
    async with Pipeline(empty_database, nats_url, toy()) as other:
        await other.define_attributes()
        await other.carry_out(*(product(f"OTHER-{n}", price="1.00") for n in range(5)))
        foreign = [message(row) for row in await rows(other, 0)]
    async with Pipeline(database, nats_url, toy()) as pipeline:
        await pipeline.define_attributes()
        await pipeline.carry_out(product("A", price="49.95"))
        await published(pipeline, *foreign[: pipeline.head() - 1])
        pipeline.runner()
        await level_and_true(pipeline)
        await published(pipeline, *foreign[pipeline.head() - 1 :])
        await pipeline.carry_out(product("B"))
        await level_and_true(pipeline)
        assert {sku for sku, _ in pipeline.listings()} == {"A", "B"}
        assert told(database)
