"""A rebuilt generation is the fold of the log, as the live one is: whatever the history, the cut and the interruption."""

import asyncio
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql

from daybook.channel.contract import Manifest
from daybook.channel.parking import discard
from daybook.channel.rebuild import fill, ranges
from daybook.channel.rebuild.code import Code
from daybook.channel.rebuild.run import Options, Rebuilt, rebuild
from daybook.commands.book import Decides
from daybook.events import EventDiscarded, Recorded
from daybook.log.pending import Context, Happened
from tests.fixtures.channels import POISON, toy
from tests.fixtures.pipeline import Line, folded, product, until
from tests.fixtures.rebuilding import commands, label, rename, rows_of, tell

NOWHERE = "nats://127.0.0.1:1"
"""Without NATS every batch is read from the log."""


async def rebuilt(dsn: str, manifest: Manifest | None = None, **options: Any) -> Rebuilt:
    return await rebuild(dsn, Code(manifest or toy()), "", Options(**options))


@settings(max_examples=12, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=st.lists(commands, min_size=5, max_size=40), page=st.integers(1, 9), parts=st.integers(1, 5))
def test_rebuilt_live_and_folded_are_the_same(
    database: str, history: list[Decides], page: int, parts: int
) -> None:
    async def main() -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(fill, "PAGE_EVENTS", page)
            patch.setattr(ranges, "amount", lambda events: parts)
            async with Line(database, NOWHERE, toy()) as line:
                await tell(line, *history)
                done = await rebuilt(database, fresh=True)
                line.runner()
                await line.caught_up()
                assert rows_of(database, done.generation) == line.folded(line.head())
                assert line.listings() == line.folded(line.head())
                again = await rebuilt(database)
                assert again.plan is not None and (again.plan.empty, again.resumed) == (True, True)

    asyncio.run(main())
