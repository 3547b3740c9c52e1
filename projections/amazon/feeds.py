"""Many writes in one file: JSON_LISTINGS_FEED over the Feeds API 2021-06-30.

A feed is a document that is uploaded, a request to process it, and a report on what came of each message. All members
of a feed share one look at it: Amazon allows two looks a second and a report every 45 seconds, for all feeds together.

Hazard: a feed that was given up is not gone. One that hangs, or whose id was lost with the answer to `createFeed`, may
still be processed hours later, and then it puts back what its members were when it was handed in, over whatever was
brought singly since. Amazon cancels only what is still queued, and no message can say "not if it is newer". Reading
the listings back is what finds it.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

import msgspec

from daybook.channel.calls import Answer, Early
from daybook.channel.contract import ChannelUnavailable, Rejected, Throttled
from daybook.channel.pacing import TooSoon
from daybook.events import Rejection
from daybook_projections.amazon.api import Api, unexpected
from daybook_projections.amazon.signed_files import SignedFiles

FEEDS = "/feeds/2021-06-30"
CONTENT_TYPE = "application/json; charset=UTF-8"
REPORTED = ("summaries", "attributes", "issues", "offers", "fulfillmentAvailability")
"""What the report shall say of each listing: enough to tell whether buyers see what was sent."""
LOOK_SECONDS = 1.0
"""An answer about a feed serves all its members for so long."""
REPORTS_KEPT_MAX = 4
FEEDS_KEPT_MAX = 256
PAUSE_SECONDS = 600.0
"""After a feed failed nothing goes by feed for so long."""


class Report(msgspec.Struct, frozen=True):
    """What Amazon says of a feed that it processed."""

    feed_id: str
    issues: Mapping[int, tuple[Mapping[str, Any], ...]]
    """Issues by message id; those that name no message are in none."""
    items: Mapping[str, Mapping[str, Any]]
    """Listings by SKU, as getListingsItem shows them, once the feed was processed. Not every SKU need be there."""

    def errors(self, message_id: int) -> tuple[Rejection, ...]:
        """Why the message was refused, in Amazon's own words; nothing for one that was taken."""
        return tuple(
            Rejection(str(one.get("code", "")), str(one.get("message", "")), one.get("attributeName"))
            for one in self.issues.get(message_id, ())
            if one.get("severity") == "ERROR"
        )


class Failed(msgspec.Struct, frozen=True):
    """The feed came to nothing, or nobody can say to what: its members have to be brought one by one."""

    reason: str


class Pending(msgspec.Struct, frozen=True):
    """The feed is queued or being processed."""


Look = Report | Failed | Pending | Throttled | ChannelUnavailable


class _Feed:
    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.look: Look = Pending()
        self.until = float("-inf")


class Feeds:
    """One seller's feeds in one marketplace."""

    def __init__(
        self, api: Api, files: SignedFiles, seller: str, marketplace: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._api = api
        self._files = files
        self._seller = seller
        self._marketplace = marketplace
        self._clock = clock
        self._known: OrderedDict[str, _Feed] = OrderedDict()
        self._paused_until = float("-inf")

    @property
    def paused(self) -> bool:
        """Whether feeds are left alone for now, as one has failed lately."""
        return self._clock() < self._paused_until

    async def submit(self, messages: Sequence[Mapping[str, Any]]) -> str | Throttled | ChannelUnavailable | Rejected:
        """Hands the messages in; the feed's id once Amazon took it. Nothing is uploaded before a feed has its turn."""
        try:
            await self._api.pace.turn("createFeed")
        except TooSoon as said:
            return Early(said).outcome()
        asked = await self._api.ask(
            "createFeedDocument", "POST", f"{FEEDS}/documents", {"contentType": CONTENT_TYPE}, secret=True
        )
        if not isinstance(asked, Answer):
            return asked
        if asked.status != 201:
            return unexpected(asked)
        header = {
            "sellerId": self._seller,
            "version": "2.0",
            "issueLocale": "en_US",
            "report": {"includedData": list(REPORTED), "apiVersion": "2021-08-01"},
        }
        data = msgspec.json.encode({"header": header, "messages": messages})
        refused = await self._files.put(str(asked.body.get("url")), data, CONTENT_TYPE)
        if refused is not None:
            return refused
        created = await self._api.ask(
            "createFeed",
            "POST",
            f"{FEEDS}/feeds",
            {
                "feedType": "JSON_LISTINGS_FEED",
                "marketplaceIds": [self._marketplace],
                "inputFeedDocumentId": asked.body.get("feedDocumentId"),
            },
            cost=0.0,  # its turn was taken above
        )
        if not isinstance(created, Answer):
            return created
        return str(created.body["feedId"]) if created.status == 202 else unexpected(created)

    async def look(self, feed_id: str) -> Look:
        """How the feed is doing. One request for all who ask within a second; an end is kept and not asked for again.

        Reports of the latest feeds are kept; an older one is read again when somebody asks.
        """
        feed = self._known.setdefault(feed_id, _Feed())
        self._known.move_to_end(feed_id)
        async with feed.lock:
            if self._clock() >= feed.until:
                feed.look = await self._ask(feed_id)
                ended = isinstance(feed.look, Report | Failed)
                feed.until = float("inf") if ended else self._clock() + LOOK_SECONDS
                if isinstance(feed.look, Failed):
                    self._paused_until = self._clock() + PAUSE_SECONDS
                self._forget()
            return feed.look

    def _forget(self) -> None:
        reports = [name for name, feed in self._known.items() if isinstance(feed.look, Report)]
        for name in [*reports[:-REPORTS_KEPT_MAX], *list(self._known)[:-FEEDS_KEPT_MAX]]:
            self._known.pop(name, None)

    async def _ask(self, feed_id: str) -> Look:
        answer = await self._api.ask("getFeed", "GET", f"{FEEDS}/feeds/{quote(feed_id, safe='')}")
        if not isinstance(answer, Answer):
            return answer
        if answer.status in (400, 404):
            return Failed(f"Amazon does not know the feed {feed_id} any more")
        if answer.status != 200:
            return ChannelUnavailable(f"HTTP {answer.status} when asked for the feed {feed_id}")
        match answer.body.get("processingStatus"):
            case "DONE" if answer.body.get("resultFeedDocumentId"):
                return await self._report(feed_id, str(answer.body["resultFeedDocumentId"]))
            case "DONE":
                return Failed(f"the feed {feed_id} ended without a report")
            case "FATAL" | "CANCELLED" as status:
                return Failed(f"the feed {feed_id} ended as {status}")
            case _:
                return Pending()

    async def _report(self, feed_id: str, document_id: str) -> Look:
        path = f"{FEEDS}/documents/{quote(document_id, safe='')}"
        answer = await self._api.ask("getFeedDocument", "GET", path, secret=True)
        if not isinstance(answer, Answer):
            return answer
        if answer.status != 200:
            return Failed(f"the report of the feed {feed_id} can't be had: HTTP {answer.status}")
        gzipped = answer.body.get("compressionAlgorithm") == "GZIP"
        content = await self._files.get(str(answer.body.get("url")), gzipped=gzipped)
        return content if isinstance(content, ChannelUnavailable) else _read(feed_id, content)


def _read(feed_id: str, content: bytes) -> Report | Failed:
    try:
        body = msgspec.json.decode(content, type=_Body)
    except msgspec.DecodeError as error:
        return Failed(f"the report of the feed {feed_id} can't be read: {error}")
    issues: dict[int, tuple[Mapping[str, Any], ...]] = {}
    for one in body.issues:
        if isinstance(one.get("messageId"), int):
            issues[one["messageId"]] = (*issues.get(one["messageId"], ()), one)
    if body.summary.messagesAccepted == 0 and not issues:
        said = "; ".join(str(one.get("message")) for one in body.issues)
        return Failed(f"the feed {feed_id} was refused as a whole: {said or 'no message was taken'}")
    return Report(feed_id, issues, {str(item["sku"]): item for item in _named(body.items)})


def _named(items: Iterable[Mapping[str, Any]]) -> Iterable[Mapping[str, Any]]:
    return (item for item in items if "sku" in item)


class _Summary(msgspec.Struct):
    messagesAccepted: int  # noqa: N815


class _Body(msgspec.Struct):
    summary: _Summary
    issues: list[dict[str, Any]] = []
    items: list[dict[str, Any]] = []
