"""The stream on three servers: each in turn is killed, and paused, while changes come; nothing is lost or doubled."""

import asyncio
import time
from collections.abc import Iterator

import pytest

from daybook.commands import ChangePrice
from daybook.stream.connection import Nats
from daybook.stream.jetstream import Stream
from daybook.stream.subjects import STREAM
from tests.fixtures.clusters import Node, nats_cluster, url_of
from tests.fixtures.pipeline import Pipeline, product, until
from tests.fixtures.toy_shop import shop

pytestmark = pytest.mark.long

BACK_SECONDS_MAX = 20.0
"""Until the stream has everything again: an election, and the relay's way to a server that lives."""
CHANGES = 15


@pytest.fixture
def cluster() -> Iterator[dict[str, Node]]:
    with nats_cluster() as nodes:
        yield nodes


async def stream_at(url: str) -> tuple[int, int, str | None]:
    """The last sequence, on how many servers the stream is, and which of them leads it; zeros when it is not there."""
    nats = Nats(url, "test")
    try:
        await nats.open()
        info = await nats.client.jetstream(timeout=1).stream_info(STREAM)
    except Exception:
        return 0, 0, None
    finally:
        await nats.close()
    assert info.cluster is not None
    return info.state.last_seq, info.config.num_replicas or 0, info.cluster.leader


async def change(pipeline: Pipeline, start: int) -> None:
    for cents in range(start, start + CHANGES):
        await pipeline.carry_out(ChangePrice(sku="A", amount=f"{10 + cents / 100:.2f}", currency="EUR"))


async def streamed(pipeline: Pipeline, url: str) -> float:
    """Returns once the stream has every event of the log; after how many seconds."""
    began = time.monotonic()
    while (await stream_at(url))[0] != pipeline.head():
        assert time.monotonic() - began < BACK_SECONDS_MAX, await stream_at(url)
        await asyncio.sleep(0.1)
    return time.monotonic() - began


async def made(nodes: dict[str, Node], url: str) -> None:
    """Returns once the cluster has a leader and takes streams."""
    deadline = time.monotonic() + 60
    while True:
        nats = Nats(url, "test")
        try:
            await nats.open()
            await nats.client.jetstream(timeout=2).account_info()
            return
        except Exception:
            assert time.monotonic() < deadline, "the cluster has formed"
            await asyncio.sleep(0.2)
        finally:
            await nats.close()


@pytest.mark.timeout(400)
async def test_each_server_is_killed_and_paused_in_turn_under_load_and_nothing_is_lost(
    cluster: dict[str, Node], database: str
) -> None:
    url = url_of(cluster)
    await made(cluster, url)
    async with shop(database, url) as (pipeline, sandbox):
        await pipeline.carry_out(product("A"))
        await pipeline.level()
        await streamed(pipeline, url)
        _, replicas, leader = await stream_at(url)
        assert replicas == 3 and leader is not None
        cents = 0
        for name in [leader, *(name for name in cluster if name != leader)]:
            for fail, mend in ((cluster[name].kill, cluster[name].start), (cluster[name].pause, cluster[name].resume)):
                fail()
                await change(pipeline, cents)
                took = await streamed(pipeline, url)
                await pipeline.level(BACK_SECONDS_MAX)
                print(f"{name}, {fail.__name__}: the stream has all of it {took:.1f} s after the changes")
                mend()
                cents += CHANGES
        await pipeline.level()
        assert sandbox.offers["A"]["price"] == {"price": 1000 + cents - 1}
        assert pipeline.listings() == pipeline.folded()
        await until(lambda: pipeline.position() == pipeline.head(), "the projection has all of it")


async def test_a_stream_that_is_made_anew_is_kept_on_as_many_servers(cluster: dict[str, Node], database: str) -> None:
    url = url_of(cluster)
    plain = url.partition("?")[0]
    await made(cluster, url)
    async with shop(database, url) as (pipeline, _):
        await pipeline.carry_out(product("A"))
        await streamed(pipeline, url)
    async with shop(database, plain) as (pipeline, _):
        nats = Nats(plain, "test")
        await nats.open()
        await Stream(nats).delete()
        await nats.close()
        await pipeline.carry_out(ChangePrice(sku="A", amount="11.00", currency="EUR"))
        await streamed(pipeline, url)
        assert (await stream_at(url))[1] == 3, "the settings say nothing any more: it is as it was"


async def test_a_server_that_says_that_it_shuts_down_is_left_at_once(cluster: dict[str, Node]) -> None:
    url = url_of(cluster)
    await made(cluster, url)
    nats = Nats(url, "test")
    await nats.open()
    first = port_of(nats)
    next(node for node in cluster.values() if node.port == first).leave()
    await until(lambda: nats.connected and port_of(nats) != first, "another server has the client", 5)
    await nats.close()


def port_of(nats: Nats) -> int | None:
    """Of the server that the client is at."""
    place = nats.client.connected_url
    return None if place is None else place.port
