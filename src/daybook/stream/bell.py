"""Waking whoever waits for news: a plain NATS message. A bell that was missed costs a poll interval, never an event."""

import asyncio
import contextlib
import threading

from nats.aio.msg import Msg
from nats.errors import Error as NatsError

from daybook.errors import Unavailable
from daybook.stream.connection import Nats, said


class Listener:
    """Waits for a bell. Rings that come while nobody waits are remembered as one."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()

    async def listen(self, nats: Nats, subject: str) -> None:
        """Hears the bell from now on, also after the connection broke and came back. Raises Unavailable."""

        async def hear(_: Msg) -> None:
            self._rung.set()

        try:
            await nats.client.subscribe(subject, cb=hear)
        except NatsError as error:
            raise Unavailable(f"NATS can't be reached: {said(error)}") from error

    def ring(self) -> None:
        """Rings from inside the process."""
        self._rung.set()

    async def wait(self, timeout: float) -> bool:
        """True when the bell rang within `timeout` seconds."""
        try:
            async with asyncio.timeout(timeout):
                await self._rung.wait()
        except TimeoutError:
            return False
        self._rung.clear()
        return True


class Listeners:
    """Waits for the bells of many: which of them rang. Rings that come while nobody waits are remembered."""

    def __init__(self) -> None:
        self._rung: set[str] = set()
        self._news = asyncio.Event()

    async def listen(self, nats: Nats, subjects: str) -> None:
        """Hears all bells of `subjects`, whose last token is the name. Raises Unavailable."""

        async def hear(message: Msg) -> None:
            self.ring(message.subject.rpartition(".")[2])

        try:
            await nats.client.subscribe(subjects, cb=hear)
        except NatsError as error:
            raise Unavailable(f"NATS can't be reached: {said(error)}") from error

    def ring(self, name: str) -> None:
        """Rings one from inside the process."""
        self._rung.add(name)
        self._news.set()

    def wake(self) -> None:
        """Ends the waiting, with no bell rung."""
        self._news.set()

    async def wait(self, timeout: float) -> set[str]:
        """The names that rang; waits up to `timeout` seconds for the first."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                await self._news.wait()
        self._news.clear()
        rung, self._rung = self._rung, set()
        return rung


async def ring(nats: Nats, subject: str) -> None:
    """Rings a bell. Never fails: without a connection the poll has to do."""
    if nats.connected:
        with contextlib.suppress(NatsError):
            await nats.client.publish(subject, b"")


class Ringer:
    """Rings one bell from ordinary threads: a connection of its own on a loop of its own.

    `ring` never waits and never fails. Rings that come faster than they can be sent become one.
    """

    def __init__(self, url: str, subject: str) -> None:
        self._url = url
        self._subject = subject
        self._loop = asyncio.new_event_loop()
        self._pressed = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name=f"ringer {subject}", daemon=True)
        self._closing = False
        self._thread.start()

    def ring(self) -> None:
        """Says that there is news."""
        if not self._pressed.is_set() and not self._closing:
            with contextlib.suppress(RuntimeError):  # the loop was closed meanwhile
                self._loop.call_soon_threadsafe(self._pressed.set)

    def close(self) -> None:
        """Stops the thread, after a last ring was sent."""
        self._closing = True
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._pressed.set)
        self._thread.join(timeout=5)

    def _run(self) -> None:
        with contextlib.closing(self._loop) as loop:
            loop.run_until_complete(self._serve())

    async def _serve(self) -> None:
        nats = Nats(self._url, "ringer")
        while True:
            await self._pressed.wait()
            self._pressed.clear()
            if not nats.connected and not nats.returning:
                with contextlib.suppress(Unavailable):
                    await nats.open()
            await ring(nats, self._subject)
            if self._closing:
                await nats.close()
                return
