"""What each user of NATS may do: its role's work, and nothing beside it; what is denied is told in words."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from functools import partial

import pytest
from nats.errors import TimeoutError as NatsTimeout

from daybook.errors import Unavailable
from daybook.relay.relay import Relay
from daybook.stream.bell import Listener, Listeners, ring
from daybook.stream.connection import Nats
from daybook.stream.feed import Feed
from daybook.stream.jetstream import Message, Stream
from daybook.stream.permissions import USERS
from daybook.stream.subjects import STREAM, subject, wake_delivery, wake_log
from tests.fixtures.nats_servers import shipped_nats
from tests.fixtures.pipeline import until

FORGED = subject("product.price_changed.v1", "A-1")
API = f"$JS.API.STREAM.{{}}.{STREAM}"


AddressOf = Callable[[str], str]


@pytest.fixture(scope="module")
def guarded() -> Iterator[AddressOf]:
    """The server that the shipped configuration makes: its address for each user."""
    with shipped_nats() as url_of:
        yield url_of


@pytest.fixture(scope="module")
def stream(guarded: AddressOf) -> AddressOf:
    """The server with a stream of one message, which no test here can change."""

    async def make(relay: Nats) -> None:
        await Stream(relay).create()
        await Stream(relay).publish([Message(FORGED, b"one")], 0)

    asyncio.run(as_user(guarded, "relay", make))
    return guarded


async def as_user(server: AddressOf, user: str, work: Callable[[Nats], Awaitable[None]]) -> None:
    one = Nats(server(user), user)
    await one.open()
    try:
        await work(one)
    finally:
        await one.close()


async def last(server: AddressOf) -> tuple[int, int]:
    """The first and the last sequence."""
    found: list[tuple[int, int]] = []

    async def look(one: Nats) -> None:
        state = (await one.client.jetstream().stream_info(STREAM)).state
        found.append((state.first_seq, state.last_seq))

    await as_user(server, "operator", look)
    return found[0]


@pytest.mark.parametrize("user", sorted(set(USERS) - {"relay"}))
async def test_only_the_relay_can_publish_an_event(stream: AddressOf, user: str) -> None:
    async def forge(one: Nats) -> None:
        await one.client.publish(FORGED, b"0.01")
        with pytest.raises(Unavailable, match=f"does not permit it: .*[Pp]ublish.*{FORGED}"):
            await Stream(one).publish([Message(FORGED, b"0.01")], 1)

    await as_user(stream, user, forge)
    assert await last(stream) == (1, 1)


@pytest.mark.parametrize("user", sorted(set(USERS) - {"relay", "operator"}))
@pytest.mark.parametrize("verb", ["PURGE", "DELETE", "UPDATE", "MSG.DELETE", "SNAPSHOT", "CREATE"])
async def test_only_relay_and_operator_can_remove_the_stream_and_nobody_can_purge_it(
    stream: AddressOf, user: str, verb: str
) -> None:
    async def destroy(one: Nats) -> None:
        with pytest.raises(NatsTimeout):
            await one.client.request(API.format(verb), b"{}", timeout=0.2)

    await as_user(stream, user, destroy)
    assert await last(stream) == (1, 1)


async def test_even_the_relay_can_not_purge_nor_delete_a_message(stream: AddressOf) -> None:
    async def destroy(one: Nats) -> None:
        for verb in ("PURGE", "MSG.DELETE"):
            with pytest.raises(NatsTimeout):
                await one.client.request(API.format(verb), b"{}", timeout=0.2)

    await as_user(stream, "relay", destroy)
    assert await last(stream) == (1, 1)


@pytest.mark.parametrize("user", ["project", "audit", "operator"])
async def test_who_reads_the_stream_may_read_all_of_it(stream: AddressOf, user: str) -> None:
    async def read(one: Nats) -> None:
        assert await Stream(one).last_sequence() == 1
        assert await Stream(one).message(1) == b"one"
        feed = Feed(one)
        await feed.open(1)
        assert [message.body for message in await feed.take(10, 5.0)] == [b"one"]
        await feed.close()
        await one.client.flush()
        assert "Permissions" not in str(one.client.last_error), "closing is permitted too"

    await as_user(stream, user, read)


async def test_nobody_hears_what_another_one_is_answered(stream: AddressOf) -> None:
    heard: list[str] = []

    async def hear(message: object) -> None:
        heard.append("something")

    async def listen(one: Nats) -> None:
        for subjects in ("_INBOX.>", "_INBOX.relay.>", ">", "daybook.>"):
            await one.client.subscribe(subjects, cb=hear)
        await as_user(stream, "relay", ask)
        await one.client.flush()

    async def ask(relay: Nats) -> None:
        assert await Stream(relay).last_sequence() == 1

    await as_user(stream, "api", listen)
    assert heard == []


async def test_the_bells_ring_from_those_who_ring_to_those_who_listen(stream: AddressOf) -> None:
    async def rings(ringer: str, bell: str, listener: Nats, heard: Callable[[], Awaitable[object]]) -> None:
        async def press(one: Nats) -> None:
            await ring(one, bell)
            await one.client.flush()

        await listener.client.flush()
        await as_user(stream, ringer, press)
        assert await heard()

    async def as_relay(one: Nats) -> None:
        for ringer in ("api", "deliver", "clock", "operator"):
            listener = Listener()
            await listener.listen(one, wake_log())
            await rings(ringer, wake_log(), one, partial(listener.wait, 5.0))

    async def as_delivery(one: Nats) -> None:
        listeners = Listeners()
        await listeners.listen(one, wake_delivery("*"))
        await rings("project", wake_delivery("toy"), one, lambda: listeners.wait(5.0))

    await as_user(stream, "relay", as_relay)
    await as_user(stream, "deliver", as_delivery)


async def test_what_a_role_is_denied_is_in_its_log_once(stream: AddressOf, caplog: pytest.LogCaptureFixture) -> None:
    async def listen(one: Nats) -> None:
        for _ in range(3):
            await ring(one, wake_delivery("toy"))
        await one.client.flush()
        await one.client.flush()  # the client's first ping may overtake what it had not sent yet

    with caplog.at_level(logging.WARNING, "daybook.stream"):
        await as_user(stream, "api", listen)
    denied = [record.message for record in caplog.records if "does not permit what api needs" in record.message]
    assert len(denied) == 1 and "daybook-wake.delivery.toy" in denied[0]


@pytest.mark.long
async def test_a_relay_whose_user_may_too_little_says_which_subject_it_lacks(
    database: str, guarded: AddressOf, caplog: pytest.LogCaptureFixture
) -> None:
    async def remove(one: Nats) -> None:
        await Stream(one).delete()

    await as_user(guarded, "operator", remove)
    stop = asyncio.Event()
    with caplog.at_level(logging.WARNING, "daybook.relay"):
        running = asyncio.create_task(Relay(database, guarded("api")).run(stop))
        await until(lambda: "$js.api.stream.create.daybook" in caplog.text, "it is told", 20)
        stop.set()
        await running
