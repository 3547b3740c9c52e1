"""A projection that keeps history is rebuilt with its history, and dropped with it."""

import asyncio

import psycopg
import pytest

from daybook.channel.rebuild.prune import prune
from daybook.commands import CountStock
from daybook.errors import Refused
from daybook.postgres.pool import connect_async
from daybook.queries.timeline import Folded, groups, past
from projections.timeline import manifest
from tests.fixtures.channels import toy
from tests.fixtures.pipeline import Line, product
from tests.fixtures.rebuilding import rebuilt


def tables(dsn: str) -> list[str]:
    with psycopg.connect(dsn) as conn:
        rows = conn.execute("SELECT relname FROM pg_class WHERE relkind = 'r' AND relname LIKE 'versions_%' ORDER BY 1")
        return [name for (name,) in rows]


def test_a_rebuilt_timeline_tells_every_moment_as_the_fold_does_and_goes_on(database: str, nats_url: str) -> None:
    async def main() -> None:
        async with Line(database, nats_url, manifest, toy()) as line:
            app = line.app
            await line.model()
            await line.say(product("A"), product("B"), CountStock(sku="A", quantity=1), product("A", "other"))
            runner = line.runner()
            await line.caught_up()
            await line.end(runner)
            with psycopg.connect(database) as conn:
                conn.execute("DROP TABLE versions_timeline_1")

            done = await rebuilt(database, manifest, apply=True)

            assert done.switched is not None and done.plan is not None and done.plan.empty
            line.runner()
            await line.say(CountStock(sku="B", quantity=9))
            await line.caught_up()
            for position in range(line.head() + 1):
                then = past(app.pool, app.reader, app.registry, position)
                assert then.indexed, then.reason
                assert list(groups(then)) == list(groups(Folded(app.reader, manifest, position))), position

    asyncio.run(main())


def test_versions_go_with_their_generation(database: str, nats_url: str) -> None:
    async def main() -> None:
        async with Line(database, nats_url, manifest, toy()) as line:
            await line.model()
            for _ in range(2):
                await rebuilt(database, manifest, apply=True, fresh=True)
            assert tables(database) == ["versions_timeline_2", "versions_timeline_3"]
            async with await connect_async(database, "test") as conn:
                assert await prune(conn, manifest.name, keep=0) == [1, 2]
            assert tables(database) == ["versions_timeline_3"]

    asyncio.run(main())


def test_a_past_state_is_asked_of_the_timeline_and_not_built(database: str, nats_url: str) -> None:
    async def main() -> None:
        async with Line(database, nats_url, manifest, toy()) as line:
            await line.model()
            with pytest.raises(Refused, match="keeps its history"):
                await rebuilt(database, manifest, upto=1)

    asyncio.run(main())
