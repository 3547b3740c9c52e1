"""A NATS without room, or that takes only small messages: told with its reason, and mended where that is safe."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from daybook.app import App
from daybook.channel.registry import Registry
from daybook.config import Settings
from daybook.events import AttributeDefined, AttributeOption
from daybook.log.pending import NewEvent
from daybook.queries import stream_state
from daybook.queries.stream_state import StreamState
from daybook.relay import mending
from daybook.stream import jetstream, sizing
from tests.fixtures.commandline import Daybook
from tests.fixtures.logs import context, opened, pool_of
from tests.fixtures.nats_servers import nats_server
from tests.fixtures.owner import client_of
from tests.fixtures.pipeline import until
from tests.fixtures.relays import fill, ids, published, relays

MIB = 2**20


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """What takes half a minute takes a second here."""
    monkeypatch.setattr(stream_state, "STUCK_SECONDS", 0.5)
    monkeypatch.setattr(stream_state, "UNREADY_SECONDS", 0.5)
    monkeypatch.setattr(mending, "STUCK_SECONDS", 1.0)
    monkeypatch.setattr(jetstream, "ANSWER_SECONDS_MAX", 0.4)


def state(dsn: str) -> StreamState:
    with opened(dsn, 1) as (log, _):
        return stream_state.read(pool_of(log))


async def told(dsn: str, what: Callable[[StreamState], object], timeout: float = 60.0) -> StreamState:
    """The state of the stream once it is as described."""
    seen: list[StreamState] = []

    def is_so() -> object:
        seen[:] = [state(dsn)]
        return what(seen[0])

    try:
        await until(is_so, "the stream's state is told", timeout)
    except AssertionError:
        raise AssertionError(f"it was told as {seen}") from None
    return seen[0]


async def test_the_stream_is_as_large_as_the_server_has_room_for(database: str) -> None:
    with nats_server(jetstream={"max_file_store": 300 * MIB}) as server:
        async with relays(database, f"nats://{server.address}") as running:
            await asyncio.to_thread(fill, database, 3)
            running.start()
            await running.reach(3)
            found = await told(database, lambda now: now.bytes_max)
            assert (found.state, found.bytes_max) == ("level", 256 * MIB)


async def test_the_stream_is_as_large_as_the_account_may_have(database: str) -> None:
    account = {"users": [{"user": "ada", "password": "pw"}], "jetstream": {"max_store": 200 * MIB, "max_mem": MIB}}
    with nats_server(accounts={"SHOP": account}) as server:
        async with relays(database, f"nats://ada:pw@{server.address}") as running:
            running.start()
            found = await told(database, lambda now: now.bytes_max)
            assert found.bytes_max == 200 * MIB


@pytest.mark.long
async def test_a_stream_that_can_not_be_made_is_told_everywhere_and_made_once_there_is_room(database: str) -> None:
    daybook = {"DAYBOOK_POSTGRES": database}
    with nats_server(jetstream={"max_file_store": sizing.STREAM_BYTES_MIN - MIB}) as server:
        url = f"nats://{server.address}"
        async with relays(database, url) as running:
            await asyncio.to_thread(fill, database, 3)
            running.start()
            found = await told(database, lambda now: now.state == "missing")
            assert found.reason is not None and "insufficient storage" in found.reason
            assert "max_file_store" in found.reason, "the next step"

            probe = await asyncio.to_thread(probed, database)
            assert probe[0] == 503 and "missing since" in probe[1] and "max_file_store" in probe[1]
            command = Daybook(daybook | {"DAYBOOK_NATS": url})
            listed = await asyncio.to_thread(command, "channel", "list")
            assert "the stream is missing since" in listed.stderr
            verified = await asyncio.to_thread(command, "log", "verify")
            assert verified.code == 6
            assert "the log holds, but the stream is missing since" in verified.stderr

            server.stop()
            server.configure(jetstream={"max_file_store": 1024 * MIB})
            server.start()
            await until(lambda: running.nats.connected, "NATS is back")
            await running.reach(3)
            await told(database, lambda now: now.state == "level")
            assert (await asyncio.to_thread(probed, database))[0] == 200
            assert (await asyncio.to_thread(command, "log", "verify")).code == 0


def probed(dsn: str) -> tuple[int, str]:
    settings = Settings(data=Path("/nowhere"), postgres=dsn)
    with App(settings, Registry([])) as app, client_of(app) as client:
        answer = client.get("/health/ready")
    return answer.status_code, str(answer.json()["checks"]["stream"])


async def test_a_stream_whose_disk_was_full_is_filled_again_by_itself(database: str) -> None:
    with nats_server() as server:
        async with relays(database, f"nats://{server.address}") as running:
            await asyncio.to_thread(fill, database, 20)
            running.start()
            await running.reach(20)
            server.limit_files(20_000)
            await asyncio.to_thread(fill, database, 100)
            found = await told(database, lambda now: now.state == "stuck")
            assert "JetStream stores nothing" in str(found.reason)
            server.limit_files(-1)
            await running.reach(120)
            await told(database, lambda now: now.state == "level")
            assert await published(running.stream) == ids(database)


async def test_a_disk_that_stays_full_is_told_and_the_stream_is_not_made_again_and_again(
    database: str, caplog: pytest.LogCaptureFixture
) -> None:
    with nats_server() as server:
        async with relays(database, f"nats://{server.address}") as running:
            await asyncio.to_thread(fill, database, 20)
            running.start()
            await running.reach(20)
            server.limit_files(20_000)
            await asyncio.to_thread(fill, database, 100)
            await until(lambda: "is made anew" in caplog.text, "it was mended once")
            await told(database, lambda now: now.state == "stuck" and (now.seconds or 0) > 3 * mending.STUCK_SECONDS)
            assert caplog.text.count("is made anew") == 1


async def test_a_nats_that_was_away_for_long_keeps_its_stream(database: str, caplog: pytest.LogCaptureFixture) -> None:
    with nats_server() as server:
        async with relays(database, f"nats://{server.address}") as running:
            await asyncio.to_thread(fill, database, 20)
            running.start()
            await running.reach(20)
            server.stop()
            await asyncio.to_thread(fill, database, 5)
            await told(database, lambda now: now.state == "stuck" and "NATS can't be reached" in str(now.reason))
            await told(database, lambda now: (now.seconds or 0) > 2 * mending.STUCK_SECONDS)
            server.start()
            await until(lambda: running.nats.connected, "NATS is back")
            await running.reach(25)
            assert "is made anew" not in caplog.text


def large() -> list[NewEvent]:
    options = tuple(AttributeOption(f"option-{n}", {"en": "x" * 80}) for n in range(1000))
    return [NewEvent("attribute/a", 1, AttributeDefined(code="a", type="select", options=options), None, "@reference")]


@pytest.mark.long
async def test_an_event_that_the_server_takes_for_too_large_is_told_and_goes_on_once_it_is_taken(database: str) -> None:
    with nats_server(max_payload=65_536) as server:
        async with relays(database, f"nats://{server.address}") as running:
            await asyncio.to_thread(fill, database, 3)
            with opened(database) as (log, _):
                log.append(large(), context())
            await asyncio.to_thread(fill, database, 3)
            running.start()
            found = await told(database, lambda now: now.state == "stuck")
            assert "the event at position 4 makes a message of" in str(found.reason)
            assert "set max_payload to 1,000,000 or more" in str(found.reason)
            assert await running.stream.last_sequence() == 3, "what comes before it is there"
            assert "takes messages of at most 65,536 bytes" in str(
                (await told(database, lambda now: now.warning)).warning
            )

            server.stop()
            server.configure(max_payload=MIB)
            server.start()
            await until(lambda: running.nats.connected, "NATS is back")
            await running.reach(7)
            assert await published(running.stream) == ids(database)
            await told(database, lambda now: now.state == "level" and now.warning is None)
