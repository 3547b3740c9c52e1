"""Brings listings to Amazon: Listings Items API 2021-08-01 one by one, JSON_LISTINGS_FEED many at once.

Amazon knows a listing by the seller and the SKU, so a PUT creates and replaces alike and may be sent again at any
time: an answer that was lost needs no look-up. `ACCEPTED` only means queued, which is why every write ends in
`confirm`; how that decides is written in `submission.py`, and for members of a feed in `bulk.py`.

A PATCH for a listing that is gone is `ACCEPTED` too, and makes nothing that anybody could buy
(https://github.com/amzn/selling-partner-api-models/issues/2797). So what was patched and is not to be seen is lost, and
a second attempt looks first: what is not there comes back whole.
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from urllib.parse import quote

from msgspec.structs import replace

from daybook.channel.calls import Answer, previewing
from daybook.channel.contract import (
    Accepted,
    ChannelUnavailable,
    Confirmed,
    Lost,
    Outcome,
    Push,
    Rejected,
    Setting,
    Shown,
    Throttled,
    Waiting,
)
from daybook.channel.pacing import Pace
from daybook.errors import Unavailable as NoAnswer
from daybook.events import Rejection
from daybook_projections.amazon.access import sign_in
from daybook_projections.amazon.api import Api, unexpected
from daybook_projections.amazon.bulk import SUBMISSION, Bulk
from daybook_projections.amazon.definitions import Definitions
from daybook_projections.amazon.feeds import Failed, Feeds
from daybook_projections.amazon.listing import FACETS, MARKETPLACE_NL
from daybook_projections.amazon.readback import NOTHING, facets_of
from daybook_projections.amazon.signed_files import SignedFiles
from daybook_projections.amazon.submission import is_listed, outcome_of, rejections
from daybook_projections.amazon.writing import Verb, Write, listing_of, patch_of, verb_of, whole_of, write_of

FIRST_CHECK_SECONDS = 0.3
NEXT_CHECK_SECONDS = 1.0
VALIDATION_WAIT_SECONDS_MAX = 3.0
_OPERATIONS: dict[Verb, tuple[str, str]] = {
    "create": ("putListingsItem", "PUT"),
    "put": ("putListingsItem", "PUT"),
    "patch": ("patchListingsItem", "PATCH"),
    "delete": ("deleteListingsItem", "DELETE"),
}


SETTINGS = (
    Setting("url", "the Selling Partner API of the region, such as https://sellingpartnerapi-eu.amazon.com"),
    Setting("token_url", "Login with Amazon, which is another host; without it, under `url`", optional=True),
    Setting("client_id", "of the application, from Login with Amazon"),
    Setting("client_secret", "of the same application"),
    Setting("refresh_token", "given when the seller authorised the application"),
    Setting("seller_id", "the seller's own number"),
    Setting("marketplace_id", "the one that the channel's settings are for; without it, Amazon.nl", optional=True),
)


def connector(settings: Mapping[str, str]) -> "AmazonConnector":
    """From the values of `SETTINGS`."""
    return AmazonConnector(settings)


class AmazonConnector:
    """One seller in one marketplace."""

    def __init__(self, settings: Mapping[str, str], clock: Callable[[], float] = time.monotonic) -> None:
        self._api = Api(settings["url"], sign_in(settings))
        self._seller = settings["seller_id"]
        self._marketplace = settings.get("marketplace_id") or MARKETPLACE_NL
        self._files = SignedFiles(self._api.reach)
        where = (self._api, self._files, self._seller, self._marketplace, clock)
        self._definitions = Definitions(*where)
        self._bulk = Bulk(Feeds(*where), self._definitions, self._marketplace, self.push)
        self.pace: Pace = self._api.pace

    async def push(self, push: Push) -> Outcome:
        """`product` puts the whole listing and covers every facet; `price` and `stock` patch their one attribute."""
        if push.facet != FACETS[0] and FACETS[0] not in listing_of(push):
            return await self._gone_with_listing(push)
        write = write_of(push, self._marketplace, seen_only=previewing.get())
        if isinstance(write, Write) and write.verb in ("put", "patch") and push.attempt > 1 and not previewing.get():
            there = await self._is_there(push.sku)
            if not isinstance(there, bool):
                return there
            write = write if there else whole_of(push, self._marketplace)
        if not isinstance(write, Write):
            return write
        outcome = await self._send(push, write)
        if outcome is None:
            # Somebody removed it at Amazon, and the book still lists it: the whole listing is put back.
            write = whole_of(push, self._marketplace)
            outcome = await self._send(push, write) if isinstance(write, Write) else write
        return outcome or ChannelUnavailable(f"Amazon does not know {push.sku} in answer to a PUT")

    def gathers(self, push: Push) -> str | None:
        """A name for what may go by feed, while there is much of it."""
        return self._bulk.gathers(push)

    async def push_all(self, pushes: Sequence[Push]) -> Sequence[Outcome]:
        """Many by one feed, a few by requests of their own."""
        return await self._bulk.push_all(pushes)

    async def confirm(self, push: Push, submission: str) -> Outcome:
        """Reads the listing back, or the report of its feed.

        `submission` is the verb that was used and Amazon's own submission id, or `feed/<feed>/<message>`. What a feed
        that failed had to bring is brought by a request of its own, and is another submission from then on.
        """
        if not submission.startswith(SUBMISSION):
            return await self._read_back(push, submission)
        found = await self._bulk.outcome_of(push, submission)
        if isinstance(found, Failed):
            return await self._singly(push)
        if found is None:
            return await self._read_back(push, submission)
        if isinstance(found, Rejected) and verb_of(push) in ("patch", "delete"):
            # Refused because it is not there any more? Only a look tells; Amazon's codes for that are not published.
            there = await self._is_there(push.sku)
            if not isinstance(there, bool):
                return there
            if not there:
                return Confirmed(covers=FACETS) if verb_of(push) == "delete" else _lost(push)
        return found

    async def read(self, push: Push) -> Shown | Throttled | ChannelUnavailable | Rejected:
        """What Amazon shows of the SKU now; facets that it does not show are None, all of them for an unknown SKU."""
        answer = await self._look(push.sku)
        if not isinstance(answer, Answer):
            return answer
        if answer.status == 404:
            return Shown(NOTHING)
        return Shown(facets_of(push, answer.body, self._marketplace)) if answer.status == 200 else unexpected(answer)

    async def validate(self, push: Push) -> tuple[Rejection, ...]:
        """What Amazon would say against this push, if it were made; nothing when it would take it. Changes nothing.

        Asks Amazon also during a preview, and waits for its turn. Amazon checks no removals.
        daybook.errors.Unavailable when Amazon gives no answer.
        """
        if push.payload is None or FACETS[0] not in listing_of(push):
            return ()
        whole = push.facet == FACETS[0] or push.remote_id is None
        write = whole_of(push, self._marketplace, seen_only=True) if whole else patch_of(push, self._marketplace)
        token = previewing.set(False)
        try:
            if not isinstance(write, Write):
                raise NoAnswer(f"{push.sku} can't be validated: {write.reason}")
            answer = await self._validated(push.sku, write)
        finally:
            previewing.reset(token)
        if isinstance(answer, Throttled):
            raise NoAnswer(f"Amazon validates no more listings just now: try {push.sku} again in some seconds")
        if isinstance(answer, ChannelUnavailable):
            raise NoAnswer(f"Amazon did not validate {push.sku}: {answer.reason}")
        if answer.status == 200:
            return () if answer.body.get("status") == "VALID" else _reasons(answer)
        said = unexpected(answer)
        if isinstance(said, ChannelUnavailable):
            raise NoAnswer(f"Amazon did not validate {push.sku}: {said.reason}")
        return said.reasons

    async def close(self) -> None:
        """Closes all connection pools."""
        await self._api.close()
        await self._files.close()

    async def _validated(self, sku: str, write: Write) -> Answer | Throttled | ChannelUnavailable:
        """Amazon's verdict. A person with a list asks, and Amazon takes about one in a second: it is waited for."""
        for last in (False, False, True):
            answer = await self._item(
                "validateListingsItem",
                _OPERATIONS[write.verb][1],
                sku,
                write,
                mode="VALIDATION_PREVIEW",
                includedData="issues",
                issueLocale="en_US",
            )
            if last or not isinstance(answer, Throttled):
                break
            await asyncio.sleep(min(answer.retry_after_seconds or 1.0, VALIDATION_WAIT_SECONDS_MAX))
        return answer

    async def _send(self, push: Push, write: Write) -> Outcome | None:
        """The write as a request of its own. None when there is no such listing to be patched."""
        if write.verb in ("create", "put") and write.body is not None:
            # First, since a definition that can't be had stops nothing: a sign-in that fails must.
            trouble = await self._api.trouble_signing_in()
            if trouble is not None:
                return trouble
            problems = await self._definitions.problems(write.body)
            if problems:
                return Rejected(problems)
        included = {} if write.verb == "delete" else {"includedData": "issues"}
        operation, method = _OPERATIONS[write.verb]
        answer = await self._item(operation, method, push.sku, write, issueLocale="en_US", **included)
        if isinstance(answer, Answer) and answer.status == 404 and write.verb in ("patch", "delete"):
            return Confirmed(covers=FACETS) if write.verb == "delete" else None
        return _submitted(push, write, answer)

    async def _singly(self, push: Push) -> Outcome:
        """Brings what a feed did not, as it was handed in: only the facets of the submission are known here."""
        write = patch_of(push, self._marketplace) if verb_of(push) == "patch" else None
        found = write or write_of(push, self._marketplace)
        outcome = await self._send(push, found) if isinstance(found, Write) else found
        return outcome or _lost(push)

    async def _read_back(self, push: Push, submission: str) -> Outcome:
        answer = await self._look(push.sku)
        if not isinstance(answer, Answer):
            return answer
        pending = Accepted(submission=submission, check_after_seconds=NEXT_CHECK_SECONDS)
        verb = verb_of(push) if submission.startswith(SUBMISSION) else submission.partition("/")[0]
        if answer.status == 404:
            return Confirmed(covers=FACETS) if verb == "delete" else pending if verb == "create" else _lost(push)
        if answer.status != 200:
            return unexpected(answer)
        if verb == "patch" and not is_listed(answer.body, self._marketplace):
            return _lost(push)
        overtakable = replace(pending, overtakable=True)
        return outcome_of(push, f"{verb}/", answer.body, self._marketplace) or overtakable

    async def _gone_with_listing(self, push: Push) -> Outcome:
        """A price or stock goes with its listing; until that is off, it is still there."""
        there = await self._is_there(push.sku)
        if not isinstance(there, bool):
            return there
        return Waiting(f"{push.sku} is still listed on Amazon") if there else Confirmed()

    async def _is_there(self, sku: str) -> bool | Throttled | ChannelUnavailable | Rejected:
        answer = await self._item("getListingsItem", "GET", sku)
        if not isinstance(answer, Answer):
            return answer
        if answer.status not in (200, 404):
            return unexpected(answer)
        return answer.status == 200 and is_listed(answer.body, self._marketplace)

    async def _look(self, sku: str) -> Answer | Throttled | ChannelUnavailable:
        return await self._item(
            "getListingsItem",
            "GET",
            sku,
            includedData="summaries,attributes,issues,offers,fulfillmentAvailability",
            issueLocale="en_US",
        )

    async def _item(
        self, operation: str, method: str, sku: str, write: Write | None = None, **query: str
    ) -> Answer | Throttled | ChannelUnavailable:
        path = f"/listings/2021-08-01/items/{quote(self._seller, safe='')}/{quote(sku, safe='')}"
        body = write.body if write is not None else None
        return await self._api.ask(operation, method, path, body, query={"marketplaceIds": self._marketplace, **query})


def _submitted(push: Push, write: Write, answer: Answer | Throttled | ChannelUnavailable) -> Outcome:
    """Amazon answers 200 to what it takes and to what it refuses; `status` tells which."""
    if not isinstance(answer, Answer):
        return answer
    body = answer.body
    if answer.status == 200 and body.get("status") == "ACCEPTED":
        return Accepted(
            submission=f"{write.verb}/{body['submissionId']}",
            covers=write.covers,
            # Amazon tells the ASIN of a listing that it shows; until then the SKU stands for it.
            remote_id=None if write.verb == "delete" else push.remote_id or push.sku,
            check_after_seconds=FIRST_CHECK_SECONDS,
        )
    if answer.status == 200 and body.get("status") == "INVALID":
        return Rejected(_reasons(answer))
    return unexpected(answer)


def _lost(push: Push) -> Lost:
    return Lost(f"Amazon does not list {push.sku} any more, and took its {push.facet} for nothing")


def _reasons(answer: Answer) -> tuple[Rejection, ...]:
    issues = answer.body.get("issues", [])
    reasons = rejections([issue for issue in issues if issue.get("severity") == "ERROR"] or issues)
    return reasons or (Rejection("INVALID", "Amazon refused the submission and gave no reason"),)
