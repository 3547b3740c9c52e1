"""A loop ends when it is cancelled, also where the NATS client swallows the cancellation."""

import asyncio
import contextlib

from daybook.stream.connection import heed_cancellation


def test_a_cancellation_that_was_swallowed_ends_the_loop_in_its_next_round() -> None:
    async def main() -> None:
        rounds = 0

        async def work() -> None:
            nonlocal rounds
            while rounds < 5:
                heed_cancellation()
                rounds += 1
                with contextlib.suppress(asyncio.CancelledError):
                    await asyncio.sleep(60)

        task = asyncio.create_task(work())
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task], timeout=10)
        assert task.cancelled() and rounds == 1

    asyncio.run(main())
