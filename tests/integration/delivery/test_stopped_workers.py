"""A worker that is stopped for longer than its lease: an older state is never the last one that a channel is sent."""

import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from subprocess import Popen

import aiohttp
import psycopg
import pytest

from daybook.commands import ChangePrice, DelistProduct
from tests.fixtures.channels import ToySandbox, toy
from tests.fixtures.pipeline import Pipeline, product, until, worker_process

pytestmark = pytest.mark.long

SKUS = [f"S{number:02}" for number in range(12)]
"""More than the four that are sent at once: the others wait in the stopped worker's hands."""


def doubts(dsn: str) -> list[tuple[object, ...]]:
    with psycopg.connect(dsn) as conn:
        return conn.execute("SELECT lane, pid FROM doubts ORDER BY lane").fetchall()


def claimed(dsn: str) -> int:
    with psycopg.connect(dsn) as conn:
        row = conn.execute("SELECT count(*) FROM lanes WHERE owner IS NOT NULL").fetchone()
    assert row is not None
    return int(row[0])


def prices(sandbox: ToySandbox) -> set[object]:
    return {one["price"] for one in sandbox.shown().values()}


async def reprice(pipeline: Pipeline, amount: str) -> None:
    await pipeline.carry_out(*(ChangePrice(sku=sku, amount=amount, currency="EUR") for sku in SKUS))
    await pipeline.caught_up()


@asynccontextmanager
async def overtaken(pipeline: Pipeline, sandbox: ToySandbox) -> AsyncIterator["Popen[bytes]"]:
    """A worker that was stopped with full hands at price 20.00, while another one has brought 30.00 everywhere."""
    pipeline.relay()
    pipeline.runner()
    await pipeline.define_attributes()
    await pipeline.carry_out(*(product(sku) for sku in SKUS))
    await pipeline.caught_up()
    async with worker_process(pipeline, sandbox.settings()) as stopped:
        await pipeline.level()
        sandbox.gate.clear()
        await reprice(pipeline, "20.00")
        await until(lambda: claimed(pipeline.dsn) == len(SKUS), "every lane is in its hands")
        await until(lambda: len(sandbox.writes) > len(SKUS), "the first requests are under way")
        stopped.send_signal(signal.SIGSTOP)
        sandbox.gate.set()
        await reprice(pipeline, "30.00")
        pipeline.delivery(sandbox.settings())
        await until(lambda: prices(sandbox) == {3000}, "another worker has brought the newest price")
        await pipeline.level()
        yield stopped


async def test_a_worker_that_wakes_after_its_lease_sends_nothing_of_what_it_held(database: str, nats_url: str) -> None:
    sandbox = ToySandbox()
    await sandbox.start()
    async with Pipeline(database, nats_url, toy()) as pipeline, overtaken(pipeline, sandbox) as stopped:
        assert doubts(database), "what it may still do is written down"
        before = len(sandbox.writes)
        stopped.send_signal(signal.SIGCONT)
        await until(lambda: doubts(database) == [], "it has told what it did, and its lanes were brought anew")
        await pipeline.level()
        assert [one for one in sandbox.writes[before:] if "2000" in str(one)] == []
        assert prices(sandbox) == {3000}
    await sandbox.stop()


async def test_a_late_older_request_of_a_worker_that_dies_is_put_right(database: str, nats_url: str) -> None:
    sandbox = ToySandbox()
    await sandbox.start()
    async with Pipeline(database, nats_url, toy()) as pipeline, overtaken(pipeline, sandbox) as stopped:
        await late_request(sandbox, SKUS[-1], 2000)
        assert sandbox.shown()[SKUS[-1]]["price"] == 2000, "nobody can know of it yet"
        stopped.send_signal(signal.SIGKILL)
        stopped.wait()
        await until(lambda: doubts(database) == [], "its session is gone, so its lanes are brought anew")
        await until(lambda: prices(sandbox) == {3000}, "the newest state is the last one")
    await sandbox.stop()


async def test_a_listing_that_was_taken_off_meanwhile_is_taken_off_again(database: str, nats_url: str) -> None:
    sandbox = ToySandbox()
    await sandbox.start()
    async with Pipeline(database, nats_url, toy()) as pipeline, overtaken(pipeline, sandbox) as stopped:
        sku = SKUS[-1]
        shown = sandbox.shown()[sku]
        await pipeline.carry_out(DelistProduct(sku=sku, channel="toy"))
        await until(lambda: sku not in sandbox.shown(), "it is off the channel")
        await pipeline.level()
        await late_listing(sandbox, sku, shown)
        stopped.send_signal(signal.SIGKILL)
        stopped.wait()
        await until(lambda: sku not in sandbox.shown(), "it is taken off once more")
    await sandbox.stop()


@pytest.mark.parametrize("again", [False, True])
async def test_a_receipt_beyond_the_log_makes_its_lane_due_anew(database: str, nats_url: str, again: bool) -> None:
    """After a failover to a replica that lacked the newest events; and a lane that lost its time (`again`)."""
    sandbox = ToySandbox()
    await sandbox.start()
    async with Pipeline(database, nats_url, toy()) as pipeline:
        pipeline.relay()
        pipeline.runner()
        await pipeline.define_attributes()
        worker = pipeline.delivery(sandbox.settings())
        await pipeline.carry_out(product("A"))
        await pipeline.level()
        worker.set()
        with psycopg.connect(database) as conn:
            if again:
                conn.execute("UPDATE deliveries SET state = 'due', again = true WHERE facet = 'price'")
                conn.execute("UPDATE lanes SET next_try = NULL")
            else:
                conn.execute("UPDATE deliveries SET receipt_position = receipt_position + 1000")
        before = len(sandbox.writes)
        pipeline.delivery(sandbox.settings())
        await until(lambda: len(sandbox.writes) > before, "what stood still is brought")
        await pipeline.level()
    await sandbox.stop()


async def late_request(sandbox: ToySandbox, sku: str, cents: int) -> None:
    """As if the stopped worker's last request had been on its way: no test can stop it in that very moment."""
    url = f"{sandbox.settings()['url']}/offers/{sku}"
    async with aiohttp.ClientSession() as client, client.patch(url, json={"price": {"price": cents}}) as answer:
        assert answer.status < 300


async def late_listing(sandbox: ToySandbox, sku: str, shown: object) -> None:
    assert isinstance(shown, dict)
    sandbox.offers[sku] = {"offer": {"name": shown["name"]}, "price": {"price": 2000}, "stock": {"stock": 5}}
