"""Work for channels that come and go: each by itself, whatever becomes of the others."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

import pytest

from daybook.errors import BadConfiguration
from daybook.roles import channel_supervisor
from daybook.roles.channel_supervisor import ChannelSupervisor, Job, NotStarted, Work
from tests.fixtures.pipeline import until


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looks are a hundred times as frequent."""
    monkeypatch.setattr(channel_supervisor, "LOOK_SECONDS", 0.005)
    monkeypatch.setattr(channel_supervisor, "AGAIN_SECONDS_MIN", 0.005)
    monkeypatch.setattr(channel_supervisor, "SAID_SECONDS", 0.005)


class Running:
    """Work that is a task."""

    def __init__(self, run: Callable[[asyncio.Event], Coroutine[Any, Any, None]]) -> None:
        self._stop = asyncio.Event()
        self.ended: asyncio.Future[None] = asyncio.create_task(run(self._stop))

    def end(self) -> None:
        self._stop.set()


class Desk:
    """A role in a test: what is wanted may be changed, what was done is noted."""

    def __init__(self) -> None:
        self.wanted: dict[str, Job | NotStarted] = {}
        self.begun: list[str] = []
        self.ended: list[str] = []
        self.noted: dict[str, str] = {}
        self.away = False
        self.missed = 0

    def want(self, name: str, mark: object = 1) -> None:
        """Work that goes on until it is told to stop."""
        self.wanted[name] = Job(mark, lambda: self._begin(name))

    def fail(self, name: str, error: Exception, **how: Any) -> None:
        """Work that can't be begun."""

        def begin() -> Work:
            self.begun.append(name)
            raise error

        self.wanted[name] = Job(1, begin, **how)

    def _begin(self, name: str) -> Work:
        self.begun.append(name)

        async def run(stop: asyncio.Event) -> None:
            await stop.wait()
            self.ended.append(name)

        return Running(run)

    def look(self) -> Mapping[str, Job | NotStarted]:
        if self.away:
            self.missed += 1
            raise ConnectionError("the database is away")
        return dict(self.wanted)

    def note(self, failures: Mapping[str, str]) -> None:
        self.noted = dict(failures)


def working(test: Any) -> None:
    """Runs the test beside an channel_supervisor, and checks that all that was begun has ended then."""

    async def main() -> None:
        desk, stop = Desk(), asyncio.Event()
        task = asyncio.create_task(ChannelSupervisor("testing", desk.look, desk.note).run(stop))
        try:
            await test(desk)
        finally:
            stop.set()
            await task

    asyncio.run(main())


def test_work_begins_and_ends_as_channels_come_and_go_and_the_others_are_left_alone() -> None:
    async def test(desk: Desk) -> None:
        desk.want("a")
        await until(lambda: desk.begun == ["a"], "a begins")
        desk.want("b")
        await until(lambda: desk.begun == ["a", "b"], "b begins")
        del desk.wanted["b"]
        await until(lambda: desk.ended == ["b"], "b ends")
        desk.want("b")
        await until(lambda: desk.begun == ["a", "b", "b"], "b is back")
        assert "a" not in desk.ended

    working(test)


def test_work_that_has_changed_ends_before_it_begins_anew() -> None:
    async def test(desk: Desk) -> None:
        desk.want("a", mark="old")
        await until(lambda: desk.begun, "a begins")
        desk.want("a", mark="new")
        await until(lambda: len(desk.begun) == 2, "a begins anew")
        assert desk.ended == ["a"]

    working(test)


def test_what_can_not_begin_is_told_and_tried_again_while_the_others_work() -> None:
    async def test(desk: Desk) -> None:
        desk.fail("bad", BadConfiguration("bad has no key: s3cret"), hush=lambda text: text.replace("s3cret", "***"))
        desk.want("good")
        await until(lambda: desk.begun.count("bad") > 2, "bad is tried again")
        assert desk.noted == {"bad": "bad has no key: ***"}
        assert desk.begun.count("good") == 1
        desk.want("bad", mark=2)
        seen = len(desk.begun)
        await until(lambda: len(desk.begun) == seen + 1, "bad begins")

    working(test)


def test_work_that_ends_by_itself_is_begun_again() -> None:
    async def test(desk: Desk) -> None:
        async def dies(_stop: asyncio.Event) -> None:
            desk.ended.append("dies")
            raise ValueError("its own fault")

        desk.wanted["dies"] = Job(1, lambda: Running(dies))
        desk.want("good")
        await until(lambda: len(desk.ended) > 2, "it is begun again")
        await until(lambda: desk.noted == {"dies": "ValueError: its own fault"}, "it is told")
        assert "good" not in desk.ended

    working(test)


def test_what_is_at_work_goes_on_while_nobody_can_say_what_there_is_to_do() -> None:
    async def test(desk: Desk) -> None:
        desk.want("a")
        await until(lambda: desk.begun == ["a"], "a begins")
        desk.away = True
        del desk.wanted["a"]
        desk.want("b")
        await until(lambda: desk.missed > 1, "it was looked in vain")
        desk.wanted["a"] = NotStarted("its file is half written")
        desk.away = False
        await until(lambda: "b" in desk.begun, "b begins")
        await until(lambda: desk.noted == {"a": "its file is half written"}, "the trouble is told")
        assert desk.ended == []

    working(test)


async def test_a_role_that_is_cut_off_waits_for_nothing() -> None:
    desk = Desk()
    desk.want("a")
    task = asyncio.create_task(ChannelSupervisor("testing", desk.look, desk.note).run(asyncio.Event()))
    await until(lambda: desk.begun, "a begins")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert desk.ended == []
