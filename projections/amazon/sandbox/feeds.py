"""The sandbox's Feeds API 2021-06-30: queue, processing and report of JSON_LISTINGS_FEED.

Switches: `queue_seconds` and `work_seconds`, how long a feed waits and is worked on; `fatal_next`, so many of the next
feeds end as FATAL with no report; `lag_seconds`, how long after its end a feed's changes are seen, so that its report
shows the listings as they were. The shared faults `keep_pending` (the feed stays IN_PROGRESS) and `fail_members`
(every second message is refused) hold for feeds that are handed in while they are on.
"""

import gzip
import secrets
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from daybook.channel.sandbox import Faults
from daybook_projections.amazon.sandbox.files import File, Files
from daybook_projections.amazon.sandbox.marketplace import SKU_LENGTH_MAX, Issue, Marketplace, patched, problems, view

_OPERATIONS = {"UPDATE": "attributes", "PARTIAL_UPDATE": "attributes", "PATCH": "patches", "DELETE": None}
MESSAGES_MAX = 25_000


class Feed(msgspec.Struct):
    """One feed as `GET` shows it."""

    id: str
    document: File
    created_at: str
    status: str = "IN_QUEUE"
    started_at: str | None = None
    ended_at: str | None = None
    report: File | None = None
    fail_members: bool = False

    def view(self, marketplace_id: str) -> dict[str, Any]:
        """The answer of getFeed."""
        found = {
            "feedId": self.id,
            "feedType": "JSON_LISTINGS_FEED",
            "marketplaceIds": [marketplace_id],
            "createdTime": self.created_at,
            "processingStatus": self.status,
            "processingStartTime": self.started_at,
            "processingEndTime": self.ended_at,
            "resultFeedDocumentId": self.report.id if self.report else None,
        }
        return {name: value for name, value in found.items() if value is not None}


class FeedQueue:
    """Feeds by id. They go on as the market does: at the next look, when their time has come."""

    def __init__(self, market: Marketplace, files: Files, seller: str, faults: Callable[[], Faults]) -> None:
        self.queue_seconds = 0.05
        self.work_seconds = 0.05
        self.lag_seconds = 0.0
        self.fatal_next = 0
        self.feeds: dict[str, Feed] = {}
        self._market = market
        self._files = files
        self._seller = seller
        self._faults = faults

    def create(self, document: File) -> Feed:
        """Takes a feed whose document was uploaded."""
        faults = self._faults()
        feed = Feed(secrets.token_hex(6), document, _now(), fail_members=faults.fail_members)
        self.feeds[feed.id] = feed
        stuck = faults.keep_pending
        fatal, self.fatal_next = self.fatal_next > 0, max(0, self.fatal_next - 1)

        def start() -> None:
            if feed.status == "IN_QUEUE":
                feed.status, feed.started_at = "IN_PROGRESS", _now()
                if not stuck:
                    self._market.later(self.work_seconds, end)

        def end() -> None:
            feed.status = "FATAL" if fatal or not self._work(feed) else "DONE"
            feed.ended_at = _now()

        self._market.later(self.queue_seconds, start)
        return feed

    def _work(self, feed: Feed) -> bool:
        """Processes the messages and writes the report; False when the feed can't be processed at all."""
        try:
            body = msgspec.json.decode(feed.document.content or b"")
            header, messages = body["header"], body["messages"]
            ids = [message["messageId"] for message in messages]
        except (msgspec.DecodeError, KeyError, TypeError):
            return False
        if (header.get("sellerId"), header.get("version")) != (self._seller, "2.0"):
            return False
        if not 0 < len(ids) <= MESSAGES_MAX or len({*ids}) < len(ids):
            return False
        issues: list[dict[str, Any]] = []
        taken: list[str] = []
        for number, message in enumerate(messages, start=1):
            found = self._judge(message) if not (feed.fail_members and number % 2 == 0) else [_NOT_ENOUGH]
            if found:
                issues += [_reported(one, message) for one in found]
            else:
                taken.append(message["sku"])
                self._carry_out(message)
        reported = {"report": header["report"]} if header.get("report") else {}
        report: dict[str, Any] = {
            "header": {"sellerId": self._seller, "version": "2.0", "feedId": feed.id} | reported,
            "issues": issues,
            "summary": {
                "errors": len(issues),
                "warnings": 0,
                "messagesProcessed": len(messages),
                "messagesAccepted": len(taken),
                "messagesInvalid": len(messages) - len(taken),
            },
        }
        if reported:
            report |= self._items(header["report"]["includedData"], taken)
        feed.report = self._files.add("application/json", gzip.compress(msgspec.json.encode(report), 1))
        return True

    def _items(self, included: list[str], skus: list[str]) -> dict[str, Any]:
        listings = self._market.listings()
        known = [listings[sku] for sku in dict.fromkeys(skus) if sku in listings]
        items = [view(listing, included, self._market.marketplace_id, []) for listing in known]
        return {"items": items} if items else {}

    def _judge(self, message: Mapping[str, Any]) -> list[Issue]:
        operation = message.get("operationType")
        if operation not in _OPERATIONS or (_OPERATIONS[operation] or "sku") not in message:
            return [_issue("4000000", f"The operation {operation!r} is not valid for this message.")]
        if len(message["sku"]) > SKU_LENGTH_MAX:
            # The number is a stand-in: Amazon's own for a SKU that is too long was not to be found.
            return [_issue("4000003", f"Invalid 'sku' provided. SKU: {message['sku']}")]
        if operation == "UPDATE":
            requirements = message.get("requirements", "LISTING")
            return problems(requirements, message["attributes"], self._market.marketplace_id)
        if operation == "DELETE":
            return []
        # A SKU that there is no listing of is taken as well: amzn/selling-partner-api-models#4402.
        listing = self._market.listings().get(message["sku"])
        patches = _patches(message)
        touched = {patch["path"].removeprefix("/attributes/") for patch in patches}
        after = patched(listing.attributes if listing is not None else {}, patches)
        found = problems("LISTING", after, self._market.marketplace_id)
        return [one for one in found if touched & {*one["attributeNames"]}]

    def _carry_out(self, message: Mapping[str, Any]) -> None:
        sku, market = message["sku"], self._market
        seconds = self.lag_seconds
        match message["operationType"]:
            case "UPDATE":
                market.submit(sku, message["productType"], message["attributes"], seconds)
            case "DELETE":
                market.remove(sku, seconds)
            case _:
                market.patch(sku, message["productType"], _patches(message), seconds)


_NOT_ENOUGH: Issue = {
    "code": "99022",
    "message": "The field '\"prices\"' for the attribute 'purchasable_offer.our_price' does not have enough values. "
    "The required minimum is '1' value(s).",
    "severity": "ERROR",
    "attributeNames": ["purchasable_offer.our_price"],
}


def _issue(code: str, message: str) -> Issue:
    return {"code": code, "message": message, "severity": "ERROR", "attributeNames": []}


def _patches(message: Mapping[str, Any]) -> list[dict[str, Any]]:
    given: dict[str, Any] = message.get("attributes", {})
    replaced = [{"op": "replace", "path": f"/attributes/{name}", "value": value} for name, value in given.items()]
    patches: list[dict[str, Any]] = message.get("patches", replaced)
    return patches


def _reported(issue: Issue, message: Mapping[str, Any]) -> dict[str, Any]:
    """An issue in the report's form, which is another one than an item's."""
    named = {"attributeName": issue["attributeNames"][0]} if issue["attributeNames"] else {}
    return {
        "messageId": message["messageId"],
        "sku": message["sku"],
        "code": issue["code"],
        "severity": issue["severity"],
        "message": issue["message"],
    } | named


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
