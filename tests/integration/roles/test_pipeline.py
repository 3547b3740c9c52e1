"""Statements of one pipeline: one trip, one transaction."""

import asyncio
from typing import Any

import psycopg
import pytest

from daybook.postgres.pool import _Burst, connect_async, pipeline


def test_statements_are_sent_together_and_not_one_by_one(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rests on psycopg's own methods: when they are called otherwise, this fails and `pipeline` must be looked at."""
    talks = 0
    original = psycopg.AsyncPipeline._communicate_gen

    def counted(self: Any) -> Any:
        nonlocal talks
        talks += 1
        return (yield from original(self))

    monkeypatch.setattr(psycopg.AsyncPipeline, "_communicate_gen", counted)

    async def main() -> list[Any]:
        async with await connect_async(database, "test") as conn:
            async with pipeline(conn) as burst:
                assert isinstance(burst, _Burst)
                answers = [await conn.execute("SELECT %s::int", (number,)) for number in range(20)]
            return [(await answer.fetchone() or [None])[0] for answer in answers]

    assert asyncio.run(main()) == list(range(20))
    assert talks == 1


async def test_what_is_sent_between_two_syncs_is_one_transaction(empty_database: str) -> None:
    async with await connect_async(empty_database, "test") as conn:
        await conn.execute("CREATE TABLE kept (n int PRIMARY KEY)")
        with pytest.raises(psycopg.errors.UniqueViolation):
            async with pipeline(conn):
                for number in (1, 2, 2, 3):
                    await conn.execute("INSERT INTO kept VALUES (%s)", (number,))
        async with pipeline(conn):
            for number in (4, 5):
                await conn.execute("INSERT INTO kept VALUES (%s)", (number,))
        rows = await (await conn.execute("SELECT n FROM kept ORDER BY n")).fetchall()
        assert rows == [(4,), (5,)]
