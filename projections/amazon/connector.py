"""Brings a listing to Amazon: Listings Items API 2021-08-01, one request for each push.

Amazon knows a listing by the seller and the SKU, so a PUT creates and replaces alike and may be sent again at any
time: an answer that was lost needs no look-up. `ACCEPTED` only means queued, which is why every write ends in
`confirm`; how that decides is written in `readback.py`.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from daybook.channel.calls import Answer, Calls, Unanswered
from daybook.channel.contract import (
    Accepted,
    Confirmed,
    Outcome,
    Payload,
    Push,
    Rejected,
    Throttled,
    Unavailable,
    Waiting,
)
from daybook.errors import BadConfiguration
from daybook.events import Rejection
from projections.amazon.access import Access
from projections.amazon.listing import FACETS, MARKETPLACE_NL
from projections.amazon.readback import outcome_of, rejections

FIRST_CHECK_SECONDS = 0.3
NEXT_CHECK_SECONDS = 1.0
_SELECTORS = {"purchasable_offer": "marketplace_id", "fulfillment_availability": "fulfillment_channel_code"}


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

    def __init__(self, settings: Mapping[str, str]) -> None:
        self._calls = Calls(settings["url"])
        self._access = Access(
            Calls(settings.get("token_url") or settings["url"]),
            settings["client_id"],
            settings["client_secret"],
            settings["refresh_token"],
        )
        self._seller = settings["seller_id"]
        self._marketplace = settings.get("marketplace_id") or MARKETPLACE_NL

    async def push(self, push: Push) -> Outcome:
        """`product` puts the whole listing and covers every facet; `price` and `stock` patch their one attribute."""
        listing = {name: payload for name, payload in push.listing.items() if name != push.facet}
        if push.payload is not None:
            listing[push.facet] = push.payload
        if push.facet == FACETS[0]:
            return await (self._delete(push) if push.payload is None else self._put(push, listing))
        if FACETS[0] not in listing:
            return await self._gone_with_listing(push)
        if push.remote_id is None:
            return Waiting(f"{push.sku} is not listed on Amazon yet")
        return await self._patch(push, listing)

    async def confirm(self, push: Push, submission: str) -> Outcome:
        """Reads the listing back. `submission` is the verb that was used and Amazon's own submission id."""
        answer = await self._ask(
            "GET",
            push.sku,
            includedData="summaries,attributes,issues,offers,fulfillmentAvailability",
            issueLocale="en_US",
        )
        if not isinstance(answer, Answer):
            return answer
        pending = Accepted(submission=submission, check_after_seconds=NEXT_CHECK_SECONDS)
        if answer.status == 404:
            return Confirmed(covers=FACETS) if submission.startswith("delete/") else pending
        if answer.status != 200:
            return _unexpected(answer)
        return outcome_of(push, submission, answer.body, self._marketplace) or pending

    async def close(self) -> None:
        """Closes both connection pools."""
        await self._calls.close()
        await self._access.calls.close()

    async def _put(self, push: Push, listing: Mapping[str, Payload]) -> Outcome:
        product = listing[FACETS[0]]
        attributes = dict(product["attributes"])
        for related in attributes.get("child_parent_sku_relationship", ()):
            if related["parent_sku"] not in push.remote_ids:
                return Waiting(f"its parent {related['parent_sku']} is not listed on Amazon yet")
        named = attributes["item_name"][0]["marketplace_id"]
        if named != self._marketplace:
            # A DELETE has nothing but the connector's setting to go by, so the two must never differ.
            return Unavailable(
                f"the listing is for marketplace {named}, the connection for {self._marketplace}: set "
                "DAYBOOK_CHANNEL_AMAZON_MARKETPLACE_ID and the channel's extra.marketplace_id to the same"
            )
        for facet in FACETS[1:]:
            attributes |= listing.get(facet, {})
        answer = await self._ask(
            "PUT",
            push.sku,
            {**product, "attributes": attributes},
            includedData="issues,identifiers",
            issueLocale="en_US",
        )
        return self._submitted("put", push, answer, tuple(name for name in FACETS if name in listing))

    async def _patch(self, push: Push, listing: Mapping[str, Payload]) -> Outcome:
        if push.payload is None:
            name = "purchasable_offer" if push.facet == "price" else "fulfillment_availability"
            value = self._marketplace if push.facet == "price" else "DEFAULT"
            patch = {"op": "delete", "path": f"/attributes/{name}", "value": [{_SELECTORS[name]: value}]}
        else:
            ((name, value),) = push.payload.items()
            patch = {"op": "replace", "path": f"/attributes/{name}", "value": value}
        body = {"productType": listing[FACETS[0]]["productType"], "patches": [patch]}
        answer = await self._ask("PATCH", push.sku, body, includedData="issues,identifiers", issueLocale="en_US")
        if isinstance(answer, Answer) and answer.status == 404:
            # Somebody removed it at Amazon, and the book still lists it: the whole listing is put back.
            return await self._put(push, listing)
        return self._submitted("patch", push, answer, (push.facet,))

    async def _delete(self, push: Push) -> Outcome:
        answer = await self._ask("DELETE", push.sku, issueLocale="en_US")
        if isinstance(answer, Answer) and answer.status == 404:
            return Confirmed(covers=FACETS)
        return self._submitted("delete", push, answer, FACETS)

    async def _gone_with_listing(self, push: Push) -> Outcome:
        """A price or stock goes with its listing; until that is off, it is still there."""
        answer = await self._ask("GET", push.sku)
        if not isinstance(answer, Answer):
            return answer
        if answer.status == 404:
            return Confirmed()
        return Waiting(f"{push.sku} is still listed on Amazon") if answer.status == 200 else _unexpected(answer)

    def _submitted(self, verb: str, push: Push, answer: Answer | Outcome, covers: tuple[str, ...]) -> Outcome:
        """Amazon answers 200 to what it takes and to what it refuses; `status` tells which."""
        if not isinstance(answer, Answer):
            return answer
        body = answer.body
        if answer.status == 200 and body.get("status") == "ACCEPTED":
            asins = [found["asin"] for found in body.get("identifiers", ()) if found.get("asin")]
            return Accepted(
                submission=f"{verb}/{body['submissionId']}",
                covers=covers,
                remote_id=None if verb == "delete" else next(iter(asins), push.remote_id or push.sku),
                check_after_seconds=FIRST_CHECK_SECONDS,
            )
        if answer.status == 200 and body.get("status") == "INVALID":
            issues = body.get("issues", [])
            reasons = rejections([issue for issue in issues if issue.get("severity") == "ERROR"] or issues)
            return Rejected(reasons or (Rejection("INVALID", "Amazon refused the submission and gave no reason"),))
        return _unexpected(answer)

    async def _ask(self, method: str, sku: str, body: Any = None, **query: str) -> Answer | Outcome:
        """One request, with a new token and a second try if Amazon does not take the present one.

        Amazon says 403 both to a token that is over and to a seller who may not: only a new token tells them apart.
        """
        path = f"/listings/2021-08-01/items/{quote(self._seller, safe='')}/{quote(sku, safe='')}"
        refused = ""
        for _ in range(2):
            token = await self._access.token(refused)
            if not isinstance(token, str):
                return token
            headers = {
                "x-amz-access-token": token,
                "x-amz-date": datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ"),
                "User-Agent": "Daybook/0.1 (Language=Python)",
            }
            try:
                answer = await self._calls.request(
                    method, path, body=body, query={"marketplaceIds": self._marketplace, **query}, headers=headers
                )
            except Unanswered as error:
                return error.outcome()
            outage = answer.outage()
            if outage is not None:
                return outage
            if answer.status not in (401, 403):
                break
            refused = token
        if answer.status in (401, 403):
            return Unavailable(f"Amazon refuses access even with a new token: {_errors(answer)}")
        if not isinstance(answer.body, dict):
            return Unavailable(f"HTTP {answer.status} without the JSON object that Amazon promises")
        return answer


def _unexpected(answer: Answer) -> Rejected | Unavailable | Throttled:
    """400, 404, 413 and 415 are about the request itself: sending the same again can't help."""
    if answer.status in (400, 404, 413, 415):
        errors = answer.body.get("errors") or [{}]
        return Rejected(
            tuple(
                Rejection(str(error.get("code") or f"HTTP {answer.status}"), _sentence(error) or answer.text[:200])
                for error in errors
            )
        )
    return Unavailable(f"HTTP {answer.status}: {answer.text[:200]}")


def _errors(answer: Answer) -> str:
    body = answer.body if isinstance(answer.body, dict) else {}
    return "; ".join(_sentence(error) for error in body.get("errors", ())) or answer.text[:200]


def _sentence(error: Mapping[str, Any]) -> str:
    return " ".join(filter(None, (error.get("message"), error.get("details"))))
