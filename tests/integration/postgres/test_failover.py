"""A primary with a standby: killed, hung, promoted, woken. Every role goes on; nothing is appended to the old one."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress

import psycopg
import pytest

from daybook.commands import ChangePrice
from daybook.embedded.postgres import PostgresServer
from daybook.errors import Unavailable
from daybook.postgres.migrate import migrate
from daybook.postgres.pool import Pool, connect, fetch, pool
from tests.fixtures.pipeline import ROOT, Pipeline, product
from tests.fixtures.relays import fill, relays, sequence
from tests.fixtures.standbys import Replicated, replicated
from tests.fixtures.toy_shop import shop
from tests.fixtures.waiting import until

pytestmark = pytest.mark.long

BACK_SECONDS_MAX = 20.0
"""After the promotion, until a change has gone the whole way: four times what it takes, as tests share their cores."""
HUNG_SECONDS_MAX = 20.0
"""Until a statement gives up a server that was stopped in the middle of it."""


@pytest.fixture
def pair() -> Iterator[Replicated]:
    with replicated() as servers:
        migrate(servers.primary.dsn)  # alone: who names both watches both from then on
        yield servers


def head(dsn: str) -> int:
    with psycopg.connect(dsn) as conn:
        (position,) = conn.execute("SELECT position FROM head").fetchone() or (-1,)
    return int(position)


async def priced(pipeline: Pipeline, amount: str, patience: float) -> float:
    """Changes a price, as a client that repeats a command does; how many seconds it took."""
    began = time.monotonic()
    while True:
        try:
            await pipeline.carry_out(ChangePrice(sku="A", amount=amount, currency="EUR"))
            return time.monotonic() - began
        except Unavailable:
            assert time.monotonic() - began < patience, "the write side is back"


def waiting_for_ever(dsn: str) -> list[tuple[object, ...]]:
    """What is due and has nobody who will look at it."""
    with psycopg.connect(dsn) as conn:
        return conn.execute(
            "SELECT d.sku, d.facet FROM deliveries d JOIN lanes l ON l.channel = d.channel AND l.lane = d.lane "
            "WHERE d.state = 'due' AND l.next_try IS NULL AND l.leased_until IS NULL"
        ).fetchall()


@pytest.mark.parametrize("synchronous", [False, True], ids=["asynchronous", "synchronous"])
@pytest.mark.parametrize("way", ["killed", "hung"])
async def test_every_role_goes_on_with_the_promoted_standby(
    pair: Replicated, nats_url: str, way: str, synchronous: bool
) -> None:
    if synchronous:
        pair.synchronous()
    async with shop(pair.dsn, nats_url) as (pipeline, sandbox):
        await pipeline.carry_out(product("A", price="10.00"))
        await pipeline.level()
        await asyncio.to_thread(pair.level)

        await asyncio.to_thread(pair.primary.kill if way == "killed" else pair.hang)
        if way == "hung":
            with pytest.raises(Unavailable):  # nobody has been promoted yet
                await asyncio.wait_for(pipeline.carry_out(ChangePrice(sku="A", amount="10.50", currency="EUR")), 40)
        pipeline.dsn = pair.standby.dsn  # where this test looks
        before = await asyncio.to_thread(head, pair.standby.dsn)
        await asyncio.to_thread(pair.promote)
        promoted = time.monotonic()
        await priced(pipeline, "11.00", BACK_SECONDS_MAX)
        assert head(pair.standby.dsn) > before
        await pipeline.level(30)
        took = time.monotonic() - promoted

        if way == "hung":
            await asyncio.to_thread(pair.wake)
            old = await asyncio.to_thread(head, pair.primary.dsn)
            for cents in range(20, 30):
                await pipeline.carry_out(ChangePrice(sku="A", amount=f"11.{cents}", currency="EUR"))
            await pipeline.level()
            assert head(pair.primary.dsn) == old, "nothing is appended to the old primary"
        await pipeline.caught_up()
        assert sandbox.shown()["A"]["price"], "the shop has a price"
        assert waiting_for_ever(pair.standby.dsn) == []
        print(f"{way}, {'synchronous' if synchronous else 'asynchronous'}: level {took:.1f} s after the promotion")
        assert took < BACK_SECONDS_MAX


def test_an_idle_process_learns_of_a_promotion_and_no_longer_uses_its_connections_to_the_woken_primary(
    pair: Replicated,
) -> None:
    with pool(pair.dsn, "test", 4, 4) as connections:
        assert serving(connections) == name(pair.primary)
        pair.hang()
        pair.promote()
        pair.wake()
        until(lambda: serving(connections) == name(pair.standby), "the process learns of the promotion", 5)
        assert {serving(connections) for _ in range(20)} == {name(pair.standby)}


def serving(connections: Pool) -> str:
    """Which server answers."""
    return str(fetch(connections, "SELECT current_setting('cluster_name')")[0][0])


def name(server: PostgresServer) -> str:
    """What this server calls itself."""
    with psycopg.connect(server.dsn) as conn:
        (found,) = conn.execute("SELECT current_setting('cluster_name')").fetchone() or ("",)
    return str(found)


def test_a_process_that_begins_beside_a_woken_primary_takes_the_new_one(pair: Replicated) -> None:
    pair.hang()
    pair.promote()
    pair.wake()
    code = (
        "import sys; from daybook.postgres.pool import connect; "
        "print(connect(sys.argv[1], 'test').execute(\"SELECT current_setting('cluster_name')\").fetchone()[0])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, pair.dsn], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout.strip() == name(pair.standby), done.stderr


def refuses_appends(server: PostgresServer) -> bool:
    """Whether it refuses what moves the head, to a client that knows nothing of timelines."""
    with psycopg.connect(server.dsn) as conn:
        try:
            conn.execute("UPDATE head SET position = position")
        except psycopg.errors.CannotConnectNow:
            return True
    return False


def beside(dsn: str, nats_url: str) -> subprocess.CompletedProcess[str]:
    """A process that begins now, asks the stream if one is named, and appends an event to this server."""
    code = (
        "import sys\n"
        "from daybook.stream.witness import witnessed\n"
        "from tests.fixtures.relays import fill\n"
        "with witnessed(sys.argv[2] or None): fill(sys.argv[1], 1)\n"
    )
    command = [sys.executable, "-c", code, dsn, nats_url]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, cwd=ROOT)


def test_an_old_primary_that_was_met_takes_no_append_from_anybody_any_more(pair: Replicated, nats_url: str) -> None:
    with pool(pair.dsn, "test", 2, 2) as connections:
        connections.wait()
        pair.hang()
        pair.promote()
        assert not refuses_appends(pair.standby)
        pair.wake()
        until(lambda: refuses_appends(pair.primary), "the old primary was told", 20)
        done = beside(pair.primary.dsn, nats_url)
        assert done.returncode != 0 and "timeline 2 has begun elsewhere" in done.stderr, done.stderr
        assert head(pair.primary.dsn) == 0
        assert beside(pair.standby.dsn, nats_url).returncode == 0


async def test_a_process_that_reaches_the_old_primary_alone_is_told_by_the_stream(
    pair: Replicated, nats_url: str
) -> None:
    async with relays(pair.standby.dsn, nats_url) as running:
        assert (await asyncio.to_thread(beside, pair.primary.dsn, nats_url)).returncode == 0
        await asyncio.to_thread(pair.level)
        await asyncio.to_thread(pair.promote)
        running.start()
        await running.reach(1)
        assert not refuses_appends(pair.primary), "nobody who knows has met it"
        done = await asyncio.to_thread(beside, pair.primary.dsn, nats_url)
        assert done.returncode != 0 and "was the primary until another server was promoted" in done.stderr, done.stderr
        assert head(pair.primary.dsn) == 1 and refuses_appends(pair.primary), "and it was told in turn"
        assert (await asyncio.to_thread(beside, pair.standby.dsn, nats_url)).returncode == 0
        await running.reach(2)


async def test_a_relay_on_the_old_primary_publishes_nothing(pair: Replicated, nats_url: str) -> None:
    async with relays(pair.standby.dsn, nats_url) as running:
        await asyncio.to_thread(pair.promote)
        running.start()
        await running.reach(0)
        await asyncio.to_thread(fill, pair.standby.dsn, 1)
        await running.reach(1)
        for _ in range(2):
            assert (await asyncio.to_thread(beside, pair.primary.dsn, "")).returncode == 0, "nobody has told it"
        code = (
            "import asyncio, sys; from daybook.relay.relay import Relay; "
            "asyncio.run(Relay(*sys.argv[1:]).run(asyncio.Event()))"
        )
        old = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", code, pair.primary.dsn, nats_url),
            stderr=asyncio.subprocess.PIPE,
            cwd=ROOT,
        )
        try:
            assert old.stderr is not None
            said = ""
            async with asyncio.timeout(60):
                while "timeline 2 has begun" not in said and (line := await old.stderr.readline()):
                    said += line.decode()
        finally:
            with suppress(ProcessLookupError):
                old.kill()
            await old.wait()
        assert "timeline 2 has begun" in said, said
        assert await sequence(running.stream) == 1


def test_a_statement_under_way_gives_up_a_hung_server_and_one_that_only_takes_long_is_waited_for(
    pair: Replicated,
) -> None:
    with connect(pair.primary.dsn, "test") as conn:
        assert conn.execute("SELECT pg_sleep(7), 1").fetchone() == ("", 1)
        pair.hang()
        began = time.monotonic()
        with pytest.raises(psycopg.OperationalError, match="hangs"):
            conn.execute("SELECT 1")
        assert time.monotonic() - began < HUNG_SECONDS_MAX
        pair.wake()
