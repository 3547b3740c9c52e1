"""A projection that keeps history is rebuilt with its history, and dropped with it."""

import asyncio

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from daybook.commands import CountStock
from daybook.commands.book import Command
from daybook.errors import Refused
from daybook.postgres.pool import connect_async
from daybook.queries.timeline import Folded, catalogue_at, groups
from daybook.rebuild.prune import prune
from daybook_projections.timeline import manifest
from tests.fixtures.channels import toy
from tests.fixtures.examples import examples
from tests.fixtures.pipeline import Pipeline, product
from tests.fixtures.rebuilding import commands, in_small_pieces, rebuilt, run_live, tell


def tables(dsn: str) -> list[str]:
    with psycopg.connect(dsn) as conn:
        rows = conn.execute("SELECT relname FROM pg_class WHERE relkind = 'r' AND relname LIKE 'versions_%' ORDER BY 1")
        return [name for (name,) in rows]


def versions(dsn: str, generation: int) -> list[tuple[object, ...]]:
    with psycopg.connect(dsn) as conn:
        return conn.execute(
            f"SELECT key, sku, facet, position, until, payload::text, held, hash, recorded_at, until_at "
            f"FROM versions_timeline_{generation} ORDER BY key, sku, facet, position".encode()
        ).fetchall()


@examples(few=3, many=100)
@given(history=st.lists(commands, min_size=5, max_size=25), page=st.integers(1, 9), parts=st.integers(1, 5))
def test_the_history_that_a_rebuild_fills_is_that_of_live_running_to_the_last_row(
    database: str, nats_url: str, history: list[Command], page: int, parts: int
) -> None:
    async def main() -> None:
        with pytest.MonkeyPatch.context() as patch:
            in_small_pieces(patch, page, parts)
            async with Pipeline(database, nats_url, manifest, toy()) as pipeline:
                await tell(pipeline, *history)
                done = await rebuilt(database, manifest, fresh=True)
                await run_live(database, manifest)
                assert versions(database, done.generation) == versions(database, 1)

    asyncio.run(main())


async def test_a_rebuilt_timeline_tells_every_moment_as_the_fold_does_and_goes_on(database: str, nats_url: str) -> None:
    async with Pipeline(database, nats_url, manifest, toy()) as pipeline:
        app = pipeline.app
        await pipeline.define_attributes()
        await pipeline.carry_out(product("A"), product("B"), CountStock(sku="A", quantity=1), product("A", "other"))
        runner = pipeline.runner()
        await pipeline.caught_up()
        await pipeline.end(runner)
        with psycopg.connect(database) as conn:
            conn.execute("DROP TABLE versions_timeline_1")

        done = await rebuilt(database, manifest, apply=True)

        assert done.switched is not None and done.plan is not None and done.plan.empty
        pipeline.runner()
        await pipeline.carry_out(CountStock(sku="B", quantity=9))
        await pipeline.caught_up()
        for position in range(pipeline.head() + 1):
            then = catalogue_at(app.pool, app.reader, app.registry, position)
            assert then.indexed, then.reason
            assert list(groups(then)) == list(groups(Folded(app.reader, manifest, position))), position


async def test_versions_go_with_their_generation(database: str, nats_url: str) -> None:
    async with Pipeline(database, nats_url, manifest, toy()) as pipeline:
        await pipeline.define_attributes()
        for _ in range(2):
            await rebuilt(database, manifest, apply=True, fresh=True)
        assert tables(database) == ["versions_timeline_2", "versions_timeline_3"]
        async with await connect_async(database, "test") as conn:
            assert await prune(conn, manifest.name, keep=0) == [1, 2]
        assert tables(database) == ["versions_timeline_3"]


async def test_a_past_state_is_asked_of_the_timeline_and_not_built(database: str, nats_url: str) -> None:
    async with Pipeline(database, nats_url, manifest, toy()) as pipeline:
        await pipeline.define_attributes()
        with pytest.raises(Refused, match="keeps its history"):
            await rebuilt(database, manifest, upto=1)
