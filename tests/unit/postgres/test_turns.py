"""Work that is done whenever there is a reason to, one at a time."""

import asyncio
from contextvars import ContextVar, copy_context

import pytest

from daybook.errors import Unavailable
from daybook.postgres import turns
from daybook.postgres.turns import Turns
from tests.fixtures.pipeline import until

whose: ContextVar[str] = ContextVar("whose", default="nobody's")


def nothing() -> None:
    pass


async def test_a_reason_that_comes_while_the_work_is_under_way_has_it_done_once_more() -> None:
    done: list[int] = []
    gate = asyncio.Event()

    async def work() -> bool:
        await gate.wait()
        done.append(len(done))
        return False

    one = Turns("work", work, nothing)
    one.start()
    await asyncio.sleep(0)
    one.start()
    one.start()
    gate.set()
    await until(lambda: not one.running, "it has nothing to do")
    assert done == [0, 1]


async def test_work_that_fails_is_tried_again_until_it_succeeds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "AGAIN_SECONDS_MIN", 0.001)
    monkeypatch.setattr(turns, "FAILED_SECONDS", 0.001)
    troubles: list[Exception] = [Unavailable("Postgres is away"), ValueError("a fault")]
    over: list[str] = []

    async def work() -> bool:
        if troubles:
            raise troubles.pop()
        return False

    one = Turns("work", work, lambda: over.append("over"))
    one.start()
    await until(lambda: over, "it is over")
    assert troubles == [] and not one.running


async def test_the_work_belongs_to_who_made_it_and_not_to_who_says_that_there_is_some() -> None:
    seen: list[str] = []

    async def work() -> bool:
        seen.append(whose.get())
        return False

    mine = copy_context()
    mine.run(whose.set, "toy's")
    one = mine.run(Turns, "work", work, nothing)
    one.start()
    await until(lambda: not one.running, "it is done")
    assert seen == ["toy's"]
