"""One request for many SKUs: pushes of different lanes that wait at the same time are brought together.

Stands between the lanes and a connector that gathers. A lane sees no difference: it pushes one facet and gets its
outcome. What can't go together goes alone, no more at once than the manifest says.
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence

from daybook.channel.calls import Exchange, exchanges, may_send
from daybook.channel.contract import ChannelUnavailable, Connector, Manifest, Outcome, Push, SendsBatches, Throttled

GATHER_SECONDS = 0.01
"""How long the first of a request waits for others. Lanes of one claim start together, so it need not be long."""
REQUESTS_MAX = 2
"""Requests of many that may be under way at once."""

_Member = tuple[Push, "asyncio.Future[tuple[Outcome, Sequence[Exchange]]]", Callable[[], bool] | None]


class Gathering:
    """A connector whose pushes share requests where they can."""

    def __init__(self, manifest: Manifest, connector: Connector, gathers: SendsBatches) -> None:
        self._manifest = manifest
        self._connector = connector
        self._gathers = gathers
        self._alone = asyncio.Semaphore(manifest.in_flight_max)
        self._together = asyncio.Semaphore(REQUESTS_MAX)
        self._waiting: dict[str, list[_Member]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def push(self, push: Push) -> Outcome:
        """Brings the facet, with others or alone."""
        batch = self._gathers.gathers(push)
        if batch is None:
            return await self._single(push)
        future: asyncio.Future[tuple[Outcome, Sequence[Exchange]]] = asyncio.get_running_loop().create_future()
        waiting = self._waiting.setdefault(batch, [])
        waiting.append((push, future, may_send.get()))
        if len(waiting) == 1:
            self._start(self._later(batch))
        elif len(waiting) >= self._manifest.gather_max:
            self._start(self._send(self._waiting.pop(batch)))
        outcome, seen = await future
        kept = exchanges.get()
        if kept is not None:
            kept.extend(seen)
        return outcome

    async def confirm(self, push: Push, submission: str) -> Outcome:
        """Asks after a submission."""
        async with self._alone:
            return await self._connector.confirm(push, submission)

    async def close(self) -> None:
        """Ends what is under way and closes the connector."""
        for task in self._tasks:
            task.cancel()
        await self._connector.close()

    async def _single(self, push: Push) -> Outcome:
        async with self._alone:
            return await self._connector.push(push)

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _later(self, batch: str) -> None:
        await asyncio.sleep(GATHER_SECONDS)
        members = self._waiting.pop(batch, None)
        if members is not None:
            await self._send(members)

    async def _send(self, members: Sequence[_Member]) -> None:
        seen: list[Exchange] = []
        token = exchanges.set(seen)
        # Each came in a lane of its own: a lane that was lost goes without its batch, and the rest is asked once more
        # when the request leaves.
        checks = [held for _, _, held in members if held is not None]
        kept = [one for one in members if one[2] is None or one[2]()]
        for _, future, _ in members:
            if all(future is not other for _, other, _ in kept) and not future.done():
                future.set_result((Throttled(0.0, "lease"), ()))
        members, pushes = kept, [push for push, _, _ in kept]
        if not pushes:
            exchanges.reset(token)
            return
        may_send.set(lambda: all(held() for held in checks))
        try:
            if len(pushes) == 1:
                outcomes: Sequence[Outcome] = [await self._single(pushes[0])]
            else:
                async with self._together:
                    outcomes = await self._gathers.push_all(pushes)
                if len(outcomes) != len(pushes):
                    raise ValueError(f"push_all gave {len(outcomes)} outcomes for {len(pushes)} pushes")
        except Exception as error:
            outcomes = [ChannelUnavailable(f"the connector failed: {type(error).__name__}: {error}")] * len(pushes)
        finally:
            exchanges.reset(token)
        for (_, future, _), outcome in zip(members, outcomes, strict=True):
            if not future.done():
                future.set_result((outcome, seen))


def gathering(manifest: Manifest, connector: Connector) -> Connector:
    """The connector as it is, or one that gathers when it can."""
    if manifest.gather_max > 1 and isinstance(connector, SendsBatches):
        return Gathering(manifest, connector, connector)
    return connector
