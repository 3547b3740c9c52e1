"""Which pushes go by feed, and what became of each.

A feed takes minutes where a request takes a second, and Amazon takes one feed every two minutes: it pays from some
hundred pushes on. Only first tries go by feed. What has failed once goes by a request of its own, which tells why.
"""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence

from daybook.channel.calls import previewing
from daybook.channel.contract import (
    Accepted,
    ChannelUnavailable,
    Outcome,
    Push,
    Rejected,
    Throttled,
    Waiting,
)
from daybook_projections.amazon.api import RATES
from daybook_projections.amazon.definitions import Definitions
from daybook_projections.amazon.feeds import Failed, Feeds, Pending, Report
from daybook_projections.amazon.listing import FACETS
from daybook_projections.amazon.submission import outcome_of
from daybook_projections.amazon.writing import Write, listing_of, message_of, verb_of, write_of

FEED_MIN = 100
"""Fewer pushes than these are through one by one before a feed would be."""
GATHER_MAX = 2000
"""Messages of one feed. Amazon takes 25,000 and advises less than 10 MiB; a listing has 1 to 5 kB."""
DEMAND_SECONDS = 1.0
CHECK_SECONDS = 1.0
SUBMISSION = "feed/"


class Bulk:
    """The part of the connector that gathers. `single` brings one push by a request of its own."""

    def __init__(
        self, feeds: Feeds, definitions: Definitions, marketplace: str, single: Callable[[Push], Awaitable[Outcome]]
    ) -> None:
        self._feeds = feeds
        self._definitions = definitions
        self._marketplace = marketplace
        self._single = single
        self._asked: deque[float] = deque(maxlen=FEED_MIN)

    def gathers(self, push: Push) -> str | None:
        """`feed` for a push that may go by feed, while there are many of them; None for one that goes alone.

        The first of many go alone: at that time nobody knows that there are more.
        """
        if push.attempt > 1 or previewing.get() or self._feeds.paused:
            return None
        if FACETS[0] not in listing_of(push) and verb_of(push) != "delete":
            return None
        if not isinstance(write_of(push, self._marketplace), Write):
            return None
        self._asked.append(time.monotonic())
        many = len(self._asked) == FEED_MIN and self._asked[-1] - self._asked[0] <= DEMAND_SECONDS
        return "feed" if many else None

    async def push_all(self, pushes: Sequence[Push]) -> Sequence[Outcome]:
        """An outcome for each, in order: of one feed for all that can be written, or of their own requests if few.

        While no feed has its turn they go one by one if that is sooner.
        """
        if len(pushes) < FEED_MIN:
            return await asyncio.gather(*map(self._single, pushes))
        outcomes: dict[int, Outcome] = {}
        writes: dict[int, Write] = {}
        taken: set[str] = set()
        for index, push in enumerate(pushes):
            write = await self._writable(push, taken)
            if isinstance(write, Write):
                writes[index] = write
                taken.add(push.sku)
            else:
                outcomes[index] = write
        # A message's id is its place in the batch, counted from 1.
        messages = [message_of(write, pushes[index].sku, index + 1) for index, write in writes.items()]
        feed = await self._feeds.submit(messages) if messages else ""
        if isinstance(feed, Throttled) and feed.operation == "createFeed":
            seconds = feed.retry_after_seconds or 0.0
            if len(writes) / RATES["patchListingsItem"].per_second <= seconds:
                sent = await asyncio.gather(*(self._single(pushes[index]) for index in writes))
                return [(outcomes | dict(zip(writes, sent, strict=True)))[index] for index in range(len(pushes))]
        for index, write in writes.items():
            outcomes[index] = (
                Accepted(
                    submission=f"{SUBMISSION}{feed}/{index + 1}", covers=write.covers, check_after_seconds=CHECK_SECONDS
                )
                if isinstance(feed, str)
                else feed
            )
        return [outcomes[index] for index in range(len(pushes))]

    async def outcome_of(self, push: Push, submission: str) -> Outcome | Failed | None:
        """What the feed came to for this member; Failed when it came to nothing at all.

        None when Amazon took the message and its report does not show the listing as it was sent: then only reading
        the listing back tells.
        """
        feed_id, _, message_id = submission.removeprefix(SUBMISSION).rpartition("/")
        look = await self._feeds.look(feed_id)
        if isinstance(look, Pending):
            return Accepted(submission=submission, check_after_seconds=CHECK_SECONDS)
        if not isinstance(look, Report):
            return look
        errors = look.errors(int(message_id))
        if errors:
            return Rejected(errors)
        item = look.items.get(push.sku)
        # A rejection is never read from here: the report may be older than the end of the processing.
        found = outcome_of(push, f"{verb_of(push)}/", item, self._marketplace) if item is not None else None
        return None if isinstance(found, Rejected) else found

    async def _writable(self, push: Push, taken: set[str]) -> Write | Waiting | ChannelUnavailable | Rejected:
        if push.sku in taken:
            return Waiting(f"another facet of {push.sku} is in the same feed: Amazon promises no order among messages")
        write = write_of(push, self._marketplace)
        if isinstance(write, Write) and write.verb in ("create", "put") and write.body is not None:
            problems = await self._definitions.problems(write.body)
            if problems:
                return Rejected(problems)
        return write
