"""One piece of work for each channel that there is, started and ended as channels come and go.

What there is to do is looked up again and again. A channel that can't be started, or whose work ends by itself, is
tried again and shown; the others never hear of it.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Protocol

import msgspec

from daybook.errors import DaybookError

log = logging.getLogger("daybook.roles")


LOOK_SECONDS = 0.5
"""With `registry.SEEN_SECONDS`: a channel that came is at work within two seconds."""
AGAIN_SECONDS_MIN, AGAIN_SECONDS_MAX = 0.5, 10.0
SAID_SECONDS = 2.0
"""How often a failure that lasts is written down."""


class Work(Protocol):
    """What was begun for one channel. It costs no task while it has nothing to do."""

    ended: asyncio.Future[None]
    """Done once it has ended; with what went wrong when it failed."""

    def end(self) -> None:
        """Has it finish what is under way, and end."""


class Job(msgspec.Struct, frozen=True):
    """The work for one channel. `mark` tells another job from the same one: it is ended and begun anew then.

    `begin` starts the work, in the running loop. What it raises is told to people by `hush`, which takes
    secrets out.
    """

    mark: object
    begin: Callable[[], Work]
    hush: Callable[[str], str] = str


class NotStarted(msgspec.Struct, frozen=True):
    """Why there is no job for a channel just now. One that is at work goes on."""

    reason: str


Wanted = Mapping[str, Job | NotStarted]


class RunningJob:
    """A job that was begun."""

    def __init__(self, job: Job, work: Work) -> None:
        self.job = job
        self.work = work
        self.begun = time.monotonic()
        self.ending = False

    def end(self) -> None:
        """Has it end. Harmless when it was told already."""
        self.ending = True
        self.work.end()


class ChannelSupervisor:
    """Keeps the work of one role going. `wanted` is called in a thread and may raise: then all stays as it is."""

    def __init__(self, role: str, wanted: Callable[[], Wanted], note: Callable[[Mapping[str, str]], None]) -> None:
        self._role = role
        self._wanted = wanted
        self._note = note
        self._at_work: dict[str, RunningJob] = {}
        self._failed: dict[str, str] = {}
        self._again: dict[str, tuple[float, float, object]] = {}
        """Channel -> when it is tried again, the pause before that, and the mark that failed."""
        self._said_at = 0.0
        self._blind: str | None = None
        """Why it could not be looked up which channels there are, the last time."""

    async def run(self, stop: asyncio.Event) -> None:
        """Runs until `stop` is set, then lets every job finish what is under way."""
        while not stop.is_set():
            try:
                await self._look()
                self._blind = None
            except Exception as error:
                # Postgres is away, or not migrated yet: what is at work copes with that by itself.
                if str(error) != self._blind:
                    log.warning("%s can't see which channels there are: %s", self._role, error)
                self._blind = str(error)
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    await stop.wait()
        for one in self._at_work.values():
            one.end()
        await asyncio.gather(*(one.work.ended for one in self._at_work.values()), return_exceptions=True)

    async def _look(self) -> None:
        wanted = await asyncio.to_thread(self._wanted)
        self._end(wanted)
        self._collect()
        for name, job in wanted.items():
            if isinstance(job, NotStarted):
                self._fail(name, job.reason)
            elif name not in self._at_work:
                self._begin(name, job)
        for name in [name for name in self._failed if name not in wanted]:
            self._forget(name)
        now = time.monotonic()
        if self._failed and now - self._said_at >= SAID_SECONDS:
            self._said_at = now
            await asyncio.to_thread(self._note, dict(self._failed))

    def _end(self, wanted: Wanted) -> None:
        for name, one in self._at_work.items():
            job = wanted.get(name)
            if one.ending or isinstance(job, NotStarted) or (job is not None and job.mark == one.job.mark):
                continue
            what = "is gone" if job is None else "has other settings: it starts anew"
            log.info("%s: %s %s", self._role, name, what, extra={"channel": name})
            one.end()

    def _collect(self) -> None:
        """Takes what ended off the list. Ended by itself, it failed."""
        for name, one in list(self._at_work.items()):
            if not one.work.ended.done():
                if name in self._failed and time.monotonic() - one.begun > AGAIN_SECONDS_MIN:
                    self._forget(name)
                continue
            del self._at_work[name]
            error = None if one.work.ended.cancelled() else one.work.ended.exception()
            if error is not None:
                self._put_off(name, one.job, error)
            elif not one.ending:
                self._put_off(name, one.job, RuntimeError("it ended by itself"))

    def _begin(self, name: str, job: Job) -> None:
        due, _, mark = self._again.get(name, (0.0, 0.0, None))
        if time.monotonic() < due and mark == job.mark:
            return
        try:
            self._at_work[name] = RunningJob(job, job.begin())
        except Exception as error:
            self._put_off(name, job, error)

    def _put_off(self, name: str, job: Job, error: BaseException) -> None:
        said = error.message if isinstance(error, DaybookError) else f"{type(error).__name__}: {error}"
        _, pause, mark = self._again.get(name, (0.0, 0.0, None))
        pause = min(max(pause * 2, AGAIN_SECONDS_MIN), AGAIN_SECONDS_MAX) if mark == job.mark else AGAIN_SECONDS_MIN
        self._again[name] = (time.monotonic() + pause, pause, job.mark)
        self._fail(name, job.hush(said))

    def _fail(self, name: str, reason: str) -> None:
        if self._failed.get(name) != reason:
            text = "%s: %s can't be started, and is tried again: %s"
            log.warning(text, self._role, name, reason, extra={"channel": name})
            self._failed[name] = reason
            self._said_at = 0.0

    def _forget(self, name: str) -> None:
        self._failed.pop(name, None)
        self._again.pop(name, None)
