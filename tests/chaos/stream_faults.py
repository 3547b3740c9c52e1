"""Faults of the stream: taken away, emptied, and messages in it that are none of the log's."""

import asyncio
import contextlib
import random
import uuid
from collections.abc import Awaitable, Callable

import msgspec
import nats
import nats.errors
from nats.js import JetStreamContext
from nats.js.errors import Error

from daybook.stream import cloudevents
from daybook.stream.subjects import STREAM, subject
from tests.chaos.faults import Fault, Undo, nothing
from tests.chaos.person import follow, waiting
from tests.chaos.world import World, until

TOLD_SECONDS_MAX = 15.0


def _at_the_stream(world: World, work: Callable[[JetStreamContext], Awaitable[object]]) -> None:
    """Does something to the stream, past the relay; a server that is away, or forbids it, is left alone."""

    async def main() -> None:
        client = await nats.connect(world.servers.nats_url, allow_reconnect=False, connect_timeout=2, error_cb=_unheard)
        try:
            await work(client.jetstream(timeout=2))
        finally:
            await client.close()

    with contextlib.suppress(nats.errors.Error, Error, OSError, TimeoutError):
        asyncio.run(main())


async def _unheard(_: Exception) -> None:
    """The server's refusal."""


def wipe(world: World, dice: random.Random) -> Undo:
    """The stream is removed, or emptied."""
    how = dice.choice(("delete_stream", "purge_stream"))
    _at_the_stream(world, lambda js: getattr(js, how)(STREAM))
    return nothing


def foreign_messages(world: World, dice: random.Random) -> Undo:
    """Somebody else publishes: prices of 0.01 that look as if they were the log's next events, or plain rubbish."""
    bodies = [_forged(world, number) if dice.random() < 0.7 else b"{}" for number in range(1, dice.randrange(2, 4))]

    async def publish(js: JetStreamContext) -> None:
        for body in bodies:
            await js.publish(subject("product.price_changed.v1", "HOT-1"), body)

    _at_the_stream(world, publish)
    return lambda: _wait_for_the_person(world)


def _wait_for_the_person(world: World) -> None:
    """The status tells of it, and a person does what it says; what is not told by then is told at the quiet point."""
    until(lambda: follow(world, waiting(world) or []), TOLD_SECONDS_MAX, 1.0)


def _forged(world: World, ahead: int) -> bytes:
    rows = world.rows(
        "SELECT position, event_id::text, stream, version, type, sku, key, recorded_at, actor, reason, source,"
        " correlation_id, causation_id, command_id, access, data::text FROM events"
        " WHERE type = 'product.price_changed.v1' ORDER BY position DESC LIMIT 1"
    )
    ((head,),) = world.rows("SELECT position FROM head")
    if not rows:
        return b"{}"
    data = msgspec.json.decode(rows[0][15])
    data["price"]["amount"] = 1
    row = (head + ahead, str(uuid.uuid4()), *rows[0][2:15], msgspec.json.encode(data).decode())
    return cloudevents.encode(row)


OF_THE_STREAM = (Fault("wiped stream", wipe), Fault("foreign messages", foreign_messages, (2.0, 6.0)))
