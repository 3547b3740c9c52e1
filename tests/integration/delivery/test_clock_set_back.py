"""Postgres's clock is set back an hour: what waits for a time goes on within seconds, and nothing is sent for ever."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
import psycopg
import pytest

from daybook.channel.contract import Manifest
from daybook.delivery import care, process
from daybook.postgres.pool import connect_async
from daybook.projection import leases
from tests.fixtures.channels import ToySandbox, toy
from tests.fixtures.clocks import movable_clock, set_clock
from tests.fixtures.pipeline import Pipeline, product, until
from tests.fixtures.toy_shop import shop

HOUR = 3600


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a worker looks after, it looks after several times a second."""
    monkeypatch.setattr(process, "LEASE_SECONDS", 0.6)
    monkeypatch.setattr(care, "SWEEP_SECONDS", 0.2)
    monkeypatch.setattr(care, "REFRESH_LOOK_SECONDS", 0.2)


@asynccontextmanager
async def movable_shop(database: str, nats_url: str, manifest: Manifest) -> AsyncIterator[tuple[Pipeline, ToySandbox]]:
    """A channel at work, on a clock that the test sets."""
    movable_clock(database)
    async with shop(database, nats_url, manifest) as (pipeline, sandbox):
        yield pipeline, sandbox


def execute(dsn: str, *statements: str) -> None:
    with psycopg.connect(dsn) as conn:
        for one in statements:
            conn.execute(one.encode())


async def test_what_waits_for_a_time_and_what_a_dead_worker_had_goes_on(database: str, nats_url: str) -> None:
    async with movable_shop(database, nats_url, toy()) as (pipeline, sandbox):
        await pipeline.carry_out(product("waits"), product("leased"))
        await pipeline.level()
        before = len(sandbox.writes)
        execute(
            database,
            "UPDATE lanes SET next_try = clock_timestamp() + interval '60 seconds'",
            "UPDATE lanes SET next_try = clock_timestamp(), owner = 'dead', "
            "leased_until = clock_timestamp() + interval '5 seconds' WHERE lane = 'leased'",
            "UPDATE deliveries SET state = 'due', again = true WHERE facet = 'price'",
        )
        set_clock(database, -HOUR)
        await until(lambda: len(sandbox.writes) == before + 2, "both are brought", 10.0)
        await pipeline.level()


async def test_a_submission_that_hangs_is_given_up_when_its_time_is_over(database: str, nats_url: str) -> None:
    manifest = msgspec.structs.replace(toy(), submission_seconds_max=0.3)
    async with movable_shop(database, nats_url, manifest) as (pipeline, sandbox):
        sandbox.asynchronous = sandbox.pending = True
        await pipeline.carry_out(product("A"))
        await until(lambda: sandbox.count("A") == 1, "it is submitted")
        set_clock(database, -HOUR)
        await until(lambda: sandbox.count("A") >= 2, "the watchdog gave the submission up", 10.0)


async def test_what_was_confirmed_before_is_refreshed_once(database: str, nats_url: str) -> None:
    manifest = msgspec.structs.replace(toy(), refresh_seconds=2.0 * HOUR)
    async with movable_shop(database, nats_url, manifest) as (pipeline, sandbox):
        await pipeline.carry_out(product("A"))
        await pipeline.level()
        before = sandbox.count("A")
        set_clock(database, -HOUR)
        await until(lambda: sandbox.count("A") > before, "it is brought again", 10.0)
        await pipeline.level()
        with psycopg.connect(database) as conn:
            row = conn.execute("SELECT bool_and(confirmed_at <= clock_timestamp()) FROM deliveries").fetchone()
        assert row == (True,), "so that it is not brought again and again"


async def test_a_lease_of_before_is_taken_over(database: str) -> None:
    movable_clock(database)
    async with await connect_async(database, "test") as conn:
        assert await leases.acquire(conn, "project:a", "dead") is not None
        assert await leases.take(conn, {"project:b": "dead"})
        assert await leases.acquire(conn, "project:a", "next") is None, "it is held"
        set_clock(database, -HOUR)
        taken = await leases.acquire(conn, "project:a", "next")
        assert taken is not None and taken.token == 2
        assert (await leases.take(conn, {"project:b": "next"}))["project:b"].token == 2
