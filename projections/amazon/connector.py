"""Brings listings to Amazon: Listings Items API 2021-08-01 one by one, JSON_LISTINGS_FEED many at once.

Amazon knows a listing by the seller and the SKU, so a PUT creates and replaces alike and may be sent again at any
time: an answer that was lost needs no look-up. `ACCEPTED` only means queued, which is why every write ends in
`confirm`; how that decides is written in `readback.py`, and for members of a feed in `bulk.py`.
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from urllib.parse import quote

from daybook.channel.calls import Answer, Calls, previewing
from daybook.channel.contract import (
    Accepted,
    Confirmed,
    Outcome,
    Push,
    Rejected,
    Shown,
    Throttled,
    Unavailable,
    Waiting,
)
from daybook.channel.pacing import Pace
from daybook.errors import BadConfiguration
from daybook.errors import Unavailable as NoAnswer
from daybook.events import Rejection
from projections.amazon.access import Access
from projections.amazon.api import Api, unexpected
from projections.amazon.bulk import SUBMISSION, Bulk
from projections.amazon.definitions import Definitions
from projections.amazon.documents import Documents
from projections.amazon.feeds import Failed, Feeds
from projections.amazon.listing import FACETS, MARKETPLACE_NL
from projections.amazon.readback import outcome_of, rejections
from projections.amazon.reading import NOTHING, facets_of
from projections.amazon.writing import Verb, Write, listing_of, patch_of, verb_of, whole_of, write_of

FIRST_CHECK_SECONDS = 0.3
NEXT_CHECK_SECONDS = 1.0
VALIDATION_WAIT_SECONDS_MAX = 3.0
_OPERATIONS: dict[Verb, tuple[str, str]] = {
    "put": ("putListingsItem", "PUT"),
    "patch": ("patchListingsItem", "PATCH"),
    "delete": ("deleteListingsItem", "DELETE"),
}


def connector(settings: Mapping[str, str]) -> "AmazonConnector":
    """The connector; BadConfiguration names the setting that is missing.

    Needs url, client_id, client_secret, refresh_token and seller_id. May have token_url (Amazon's own sign-in server
    is another host than its API) and marketplace_id (which must be the one of the channel's settings).
    """
    for key in ("url", "client_id", "client_secret", "refresh_token", "seller_id"):
        if not settings.get(key):
            name = f"DAYBOOK_CHANNEL_AMAZON_{key.upper()}"
            raise BadConfiguration(f"the channel amazon has no {key}: set {name}", field=name)
    return AmazonConnector(settings)


class AmazonConnector:
    """One seller in one marketplace."""

    def __init__(self, settings: Mapping[str, str], clock: Callable[[], float] = time.monotonic) -> None:
        access = Access(
            Calls(settings.get("token_url") or settings["url"]),
            settings["client_id"],
            settings["client_secret"],
            settings["refresh_token"],
        )
        self._api = Api(settings["url"], access)
        self._seller = settings["seller_id"]
        self._marketplace = settings.get("marketplace_id") or MARKETPLACE_NL
        self._documents = Documents()
        where = (self._api, self._documents, self._seller, self._marketplace, clock)
        self._definitions = Definitions(*where)
        self._bulk = Bulk(Feeds(*where), self._definitions, self._marketplace, self.push)
        self.pace: Pace = self._api.pace

    async def push(self, push: Push) -> Outcome:
        """`product` puts the whole listing and covers every facet; `price` and `stock` patch their one attribute."""
        if push.facet != FACETS[0] and FACETS[0] not in listing_of(push):
            return await self._gone_with_listing(push)
        write = write_of(push, self._marketplace, seen_only=previewing.get())
        if not isinstance(write, Write):
            return write
        outcome = await self._send(push, write)
        if outcome is None:
            # Somebody removed it at Amazon, and the book still lists it: the whole listing is put back.
            write = whole_of(push, self._marketplace)
            outcome = await self._send(push, write) if isinstance(write, Write) else write
        return outcome or Unavailable(f"Amazon does not know {push.sku} in answer to a PUT")

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
            return await self._singly(push, submission)
        if found is None:
            return await self._read_back(push, submission)
        if isinstance(found, Rejected) and verb_of(push) != "put":
            # Refused because it is not there any more? Only a look tells; Amazon's codes for that are not published.
            answer = await self._item("getListingsItem", "GET", push.sku)
            if not isinstance(answer, Answer):
                return answer
            if answer.status == 404:
                gone = verb_of(push) == "delete"
                return Confirmed(covers=FACETS) if gone else await self._singly(push, submission)
        return found

    async def read(self, push: Push) -> Shown | Throttled | Unavailable | Rejected:
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
        if isinstance(answer, Unavailable):
            raise NoAnswer(f"Amazon did not validate {push.sku}: {answer.reason}")
        if answer.status == 200:
            return () if answer.body.get("status") == "VALID" else _reasons(answer)
        said = unexpected(answer)
        if isinstance(said, Unavailable):
            raise NoAnswer(f"Amazon did not validate {push.sku}: {said.reason}")
        return said.reasons

    async def close(self) -> None:
        """Closes all connection pools."""
        await self._api.close()
        await self._documents.close()

    async def _validated(self, sku: str, write: Write) -> Answer | Throttled | Unavailable:
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
        if write.verb == "put" and write.body is not None:
            # First, since a definition that can't be had stops nothing: a sign-in that fails must.
            trouble = await self._api.trouble_signing_in()
            if trouble is not None:
                return trouble
            problems = await self._definitions.problems(write.body)
            if problems:
                return Rejected(problems)
        included = {} if write.verb == "delete" else {"includedData": "issues,identifiers"}
        operation, method = _OPERATIONS[write.verb]
        answer = await self._item(operation, method, push.sku, write, issueLocale="en_US", **included)
        if isinstance(answer, Answer) and answer.status == 404 and write.verb != "put":
            return Confirmed(covers=FACETS) if write.verb == "delete" else None
        return _submitted(push, write, answer)

    async def _singly(self, push: Push, submission: str) -> Outcome:
        """Brings what a feed did not, as it was handed in.

        Only the facets of the submission are known here. A patch for a listing that is not there any more stays
        pending, until the delivery gives the submission up and pushes with the whole listing.
        """
        write = patch_of(push, self._marketplace) if verb_of(push) == "patch" else None
        found = write or write_of(push, self._marketplace)
        outcome = await self._send(push, found) if isinstance(found, Write) else found
        return outcome or Accepted(submission=submission, check_after_seconds=NEXT_CHECK_SECONDS)

    async def _read_back(self, push: Push, submission: str) -> Outcome:
        answer = await self._look(push.sku)
        if not isinstance(answer, Answer):
            return answer
        pending = Accepted(submission=submission, check_after_seconds=NEXT_CHECK_SECONDS)
        verb = verb_of(push) if submission.startswith(SUBMISSION) else submission.partition("/")[0]
        if answer.status == 404:
            return Confirmed(covers=FACETS) if verb == "delete" else pending
        if answer.status != 200:
            return unexpected(answer)
        return outcome_of(push, f"{verb}/", answer.body, self._marketplace) or pending

    async def _gone_with_listing(self, push: Push) -> Outcome:
        """A price or stock goes with its listing; until that is off, it is still there."""
        answer = await self._item("getListingsItem", "GET", push.sku)
        if not isinstance(answer, Answer):
            return answer
        if answer.status == 404:
            return Confirmed()
        return Waiting(f"{push.sku} is still listed on Amazon") if answer.status == 200 else unexpected(answer)

    async def _look(self, sku: str) -> Answer | Throttled | Unavailable:
        return await self._item(
            "getListingsItem",
            "GET",
            sku,
            includedData="summaries,attributes,issues,offers,fulfillmentAvailability",
            issueLocale="en_US",
        )

    async def _item(
        self, operation: str, method: str, sku: str, write: Write | None = None, **query: str
    ) -> Answer | Throttled | Unavailable:
        path = f"/listings/2021-08-01/items/{quote(self._seller, safe='')}/{quote(sku, safe='')}"
        body = write.body if write is not None else None
        return await self._api.ask(operation, method, path, body, query={"marketplaceIds": self._marketplace, **query})


def _submitted(push: Push, write: Write, answer: Answer | Throttled | Unavailable) -> Outcome:
    """Amazon answers 200 to what it takes and to what it refuses; `status` tells which."""
    if not isinstance(answer, Answer):
        return answer
    body = answer.body
    if answer.status == 200 and body.get("status") == "ACCEPTED":
        asins = [found["asin"] for found in body.get("identifiers", ()) if found.get("asin")]
        return Accepted(
            submission=f"{write.verb}/{body['submissionId']}",
            covers=write.covers,
            remote_id=None if write.verb == "delete" else next(iter(asins), push.remote_id or push.sku),
            check_after_seconds=FIRST_CHECK_SECONDS,
        )
    if answer.status == 200 and body.get("status") == "INVALID":
        return Rejected(_reasons(answer))
    return unexpected(answer)


def _reasons(answer: Answer) -> tuple[Rejection, ...]:
    issues = answer.body.get("issues", [])
    reasons = rejections([issue for issue in issues if issue.get("severity") == "ERROR"] or issues)
    return reasons or (Rejection("INVALID", "Amazon refused the submission and gave no reason"),)
