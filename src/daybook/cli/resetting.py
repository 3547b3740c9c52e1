"""Removing the stream."""

import asyncio

from daybook.stream.connection import Nats
from daybook.stream.jetstream import Stream


def delete(url: str) -> None:
    """Removes the stream if it is there. Raises Unavailable."""

    async def work() -> None:
        nats = Nats(url, "cli")
        await nats.open()
        try:
            await Stream(nats).delete()
        finally:
            await nats.close()

    asyncio.run(work())
