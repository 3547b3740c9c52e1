"""`daybook failover`: what the stream has and the log lost is kept and told before anything is removed."""

import asyncio
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import psycopg
import pytest

from daybook.errors import InvalidValue, Refused, StreamAhead
from daybook.failover import steps
from daybook.postgres.sessions import Timeline
from daybook.relay.relay import Relay
from daybook.stream.witness import spelled
from daybook.terminal.failover import shown
from tests.fixtures.channels import ToySandbox, toy
from tests.fixtures.failing_over import failover, saved, write_what_will_be_lost
from tests.fixtures.pipeline import Pipeline, product
from tests.fixtures.relays import fill, relays, restore, sequence
from tests.fixtures.toy_shop import shop

Case = tuple[Pipeline, ToySandbox, int]


@pytest.fixture
async def cut(database: str, nats_url: str) -> AsyncIterator[Case]:
    """A shop that shows what its log has lost since; nothing runs. The log's end."""
    async with shop(database, nats_url) as (pipeline, sandbox):
        await pipeline.carry_out(product("A"), product("B"))
        await pipeline.level()
        await pipeline.caught_up()
        head = pipeline.head()
        await write_what_will_be_lost(pipeline, sandbox)
        for stop, _ in list(pipeline._running):
            await pipeline.end(stop)
        await asyncio.to_thread(restore, database, head)
        yield pipeline, sandbox, head


async def test_what_was_lost_is_kept_and_told_and_everything_follows_the_log_again(
    cut: Case, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pipeline, sandbox, head = cut
    file = tmp_path / "lost.jsonl"
    with pytest.raises(StreamAhead, match="daybook failover"):
        await Relay(pipeline.dsn, pipeline.nats_url).run(asyncio.Event())

    planned = await failover(pipeline, sandbox, file, dry_run=True)
    assert (planned.first, planned.log, planned.dry_run) == (head + 1, head, True)
    assert not file.exists()

    done = await failover(pipeline, sandbox, file)
    assert [one.sequence for one in done.events] == list(range(head + 1, head + 1 + done.lost))
    told = {(one.type, one.sku, one.actor, one.reason) for one in done.events}
    assert ("product.price_changed.v1", "A", "paula", "the spring list") in told
    assert ("product.created.v1", "C", "carl", None) in told
    assert done.by_hand == ["C"] and done.rebuilt == ["toy"]
    assert {one["actor"] for one in saved(file)} >= {"paula", "carl"} and len(saved(file)) == done.lost
    assert stat.S_IMODE(file.stat().st_mode) == 0o600

    pipeline.relay()
    pipeline.runner()
    pipeline.delivery(sandbox.settings())
    await pipeline.caught_up()
    await pipeline.level()
    assert sandbox.offers["A"]["price"] == {"price": 1000}, "the shop is brought to what the log says"
    again = await failover(pipeline, sandbox, file)
    assert again.first is None, "nothing is left to do"


async def test_a_failover_that_was_cut_off_goes_on_with_the_same_file(
    cut: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline, sandbox, _ = cut
    file, other = tmp_path / "lost.jsonl", tmp_path / "other.jsonl"

    def power_cut(*_: object) -> None:
        raise KeyboardInterrupt

    for step in ("remove_stream", "rebuild_beyond", "compare_channels"):
        with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
            patched.setattr(steps, step, power_cut)
            await failover(pipeline, sandbox, file if step == "remove_stream" else other)
    done = await failover(pipeline, sandbox, other)
    assert done.resumed and done.file == str(file) and done.lost == len(saved(file)) > 0
    assert done.rebuilt == ["toy"] and not other.exists()
    assert (await failover(pipeline, sandbox, other)).first is None


async def test_a_file_that_is_there_is_not_written_over_and_nothing_is_removed(cut: Case, tmp_path: Path) -> None:
    pipeline, sandbox, _ = cut
    file = tmp_path / "lost.jsonl"
    file.write_text("mine")
    with pytest.raises(InvalidValue, match="can't be made"):
        await failover(pipeline, sandbox, file)
    with pytest.raises(Refused, match="--yes if that is meant"):
        await failover(pipeline, sandbox, file, yes=False)
    assert file.read_text() == "mine"
    assert (await failover(pipeline, sandbox, file, dry_run=True)).lost > 0


async def test_a_log_that_grew_again_beside_the_stream_is_told_apart_where_they_parted(
    database: str, nats_url: str, tmp_path: Path
) -> None:
    async with relays(database, nats_url) as running, Pipeline(database, nats_url, toy()) as pipeline:
        await asyncio.to_thread(fill, database, 10)
        running.start()
        await running.reach(10)
        await running.end()
        await asyncio.to_thread(restore, database, 6)
        await asyncio.to_thread(fill, database, 7)
        done = await failover(pipeline, None, tmp_path / "lost.jsonl")
        assert (done.first, done.lost, done.log, done.stream) == (7, 4, 13, 10)
        assert [one.sequence for one in done.events] == [7, 8, 9, 10]
        assert await sequence(running.stream) == 0
        running.start()
        await running.reach(13)


async def test_with_nothing_lost_nothing_is_done(database: str, nats_url: str, tmp_path: Path) -> None:
    async with relays(database, nats_url) as running, Pipeline(database, nats_url, toy()) as pipeline:
        await asyncio.to_thread(fill, database, 3)
        running.start()
        await running.reach(3)
        done = await failover(pipeline, None, tmp_path / "lost.jsonl")
        assert (done.first, done.lost, done.file) == (None, 0, None)
        assert await sequence(running.stream) == 3
        assert shown(done) is not None


async def test_on_an_old_primary_nothing_is_done_unless_it_was_restored_on_purpose(
    database: str, nats_url: str, tmp_path: Path
) -> None:
    file = tmp_path / "lost.jsonl"
    async with relays(database, nats_url) as running, Pipeline(database, nats_url, toy()) as pipeline:
        with psycopg.connect(database, autocommit=True) as conn:
            (system,) = conn.execute("SELECT server_system()").fetchone() or (0,)
            assert conn.execute("SELECT fence_server(9)").fetchone() == (True,)
        await running.stream.create(metadata=spelled(Timeline(system, 9)))
        with pytest.raises(Refused, match="it is the old primary"):
            await failover(pipeline, None, file)
        done = await failover(pipeline, None, file, restored=True)
        assert done.accepted and done.first is None and not file.exists()
        await asyncio.to_thread(fill, database, 2)
        running.start()
        await running.reach(2)
