"""Many channels in one process: connections and waiting grow with the process, not with their number."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, asynccontextmanager, suppress
from pathlib import Path
from uuid import uuid4

import msgspec
import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from daybook.app import App
from daybook.channel.contract import Manifest
from daybook.channel.registry import Registry
from daybook.commands import ChangePrice, CreateProduct
from daybook.config import Settings
from daybook.delivery import process
from daybook.delivery.process import DeliveryProcess
from daybook.log.pending import Context
from daybook.postgres import connections
from daybook.projection.process import ProjectionProcess
from daybook.roles.processes import API_CONNECTIONS_KEPT
from tests.fixtures.channels import ToySandbox, toy
from tests.fixtures.pipeline import Pipeline, product, until

CHANNELS = 12
CONNECTIONS_MAX = 14
"""Of both processes: three to fold, three to claim, three to record, and those of the leases and the feed."""


def toys(number: int) -> list[Manifest]:
    """So many channels that show the same products."""
    return [msgspec.structs.replace(toy(), name=f"toy{n}" if n else "toy") for n in range(number)]


@asynccontextmanager
async def many(
    database: str, nats_url: str, manifests: list[Manifest], away: Mapping[str, str] | None = None
) -> AsyncIterator[Pipeline]:
    """These channels with one product, in one process to fold and one to deliver; those that are `away` elsewhere."""
    elsewhere = away or {}
    sandbox = ToySandbox()
    await sandbox.start()
    try:
        async with Pipeline(database, nats_url, *manifests) as pipeline:
            projections = ProjectionProcess(database, nats_url)
            deliveries = DeliveryProcess(database, nats_url, pipeline.app.log, pipeline.ringer.ring)
            for one in manifests:
                projections.add(one)
                deliveries.add(one, one.connect({"url": elsewhere.get(one.name, sandbox.url)}))
            pipeline.relay()
            pipeline.start(projections.run)
            pipeline.start(deliveries.run)
            await pipeline.define_attributes()
            await pipeline.carry_out(product("A"))
            there = len(manifests) - len(elsewhere)
            await until(lambda: has_price(database, 1000) == there, "all that are there are level", 60.0)
            yield pipeline
    finally:
        await sandbox.stop()


def has_price(dsn: str, price: int) -> int:
    """How many channels have taken the price."""
    with psycopg.connect(dsn) as conn:
        row = conn.execute(
            "SELECT count(*) FROM deliveries d JOIN bodies b ON b.hash = d.acknowledged "
            "WHERE d.sku = 'A' AND d.facet = 'price' AND (b.body ->> 'price')::int = %s",
            (price,),
        ).fetchone()
    assert row is not None
    return int(row[0])


def names(dsn: str) -> list[str]:
    """What the processes' connections are called."""
    with psycopg.connect(dsn) as conn:
        rows = conn.execute(
            "SELECT application_name FROM pg_stat_activity WHERE datname = current_database()"
        ).fetchall()
    ours = [f"daybook {one}" for one in ("project", "feed", "leases", "deliver", "record")]
    return sorted(name for (name,) in rows if name in ours)


@pytest.mark.long
async def test_twelve_channels_take_no_more_connections_than_a_process_has(database: str, nats_url: str) -> None:
    async with many(database, nats_url, toys(CHANNELS)) as pipeline:
        await pipeline.carry_out(ChangePrice(sku="A", amount="12.00", currency="EUR"))
        most: list[str] = []

        def told() -> bool:
            nonlocal most
            most = max(most, names(database), key=len)
            return has_price(database, 1200) == CHANNELS

        await until(told, "every channel has the new price")
        assert len(most) <= CONNECTIONS_MAX, most


async def test_channels_that_wait_for_a_lock_hold_up_no_other(
    database: str, nats_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More of them than there are connections: each gives its connection back soon, and tries again."""
    monkeypatch.setattr(connections, "_WAIT_SHORTLY", "SET lock_timeout = '100ms'")
    manifests = toys(6)
    async with many(database, nats_url, manifests) as pipeline:
        with psycopg.connect(database) as holder:
            hold(holder, [one.name for one in manifests[:-1]])
            await pipeline.carry_out(ChangePrice(sku="A", amount="12.00", currency="EUR"))
            await until(lambda: has_price(database, 1200) == 1, "the one that is free has the new price")
        await until(lambda: has_price(database, 1200) == len(manifests), "the others have it later")


@pytest.mark.long
async def test_a_channel_that_does_not_answer_holds_up_no_other(
    database: str, nats_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "STOP_SECONDS_MAX", 0.1)  # what it waits for at the end
    deaf = await asyncio.start_server(_never_answers, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{deaf.sockets[0].getsockname()[1]}"
    async with many(database, nats_url, toys(3), {"toy": url}) as pipeline:
        await pipeline.carry_out(ChangePrice(sku="A", amount="12.00", currency="EUR"))
        await until(lambda: has_price(database, 1200) == 2, "the others have the new price")
    deaf.close()


def test_the_write_side_goes_on_when_everything_else_has_taken_what_the_server_gives(database: str) -> None:
    role = sql.Identifier(f"writer_{uuid4().hex}")
    with psycopg.connect(database, autocommit=True) as conn, ExitStack() as others:
        conn.execute(sql.SQL("CREATE ROLE {} LOGIN CONNECTION LIMIT {}").format(role, API_CONNECTIONS_KEPT + 3))
        conn.execute(sql.SQL("GRANT pg_read_all_data, pg_write_all_data TO {}").format(role))
        dsn = make_conninfo(database, user=role.as_string(conn).strip('"'))
        try:
            with App(Settings(data=Path("unused"), postgres=dsn), Registry([]), kept=API_CONNECTIONS_KEPT) as app:
                app.pool.wait()
                with pytest.raises(psycopg.OperationalError, match="too many connections"):
                    while True:
                        others.enter_context(psycopg.connect(dsn))
                with ThreadPoolExecutor(API_CONNECTIONS_KEPT * 2) as threads:
                    made = threads.map(
                        lambda n: app.book.carry_out(CreateProduct(sku=f"P{n}"), Context.new("anna", "test")), range(12)
                    )
                    assert all(one.changed for one in made)
        finally:
            others.close()
            conn.execute(sql.SQL("DROP ROLE {}").format(role))


async def _never_answers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while await reader.read(1024):
            pass
    writer.close()


def hold(conn: psycopg.Connection, channels: Iterable[str]) -> None:
    """Locks all that these channels have to write."""
    conn.execute("SELECT 1 FROM lanes WHERE channel = ANY(%s) FOR UPDATE", (list(channels),))
    conn.execute("SELECT 1 FROM deliveries WHERE channel = ANY(%s) FOR UPDATE", (list(channels),))
