"""Brings offers to bol: Offers API v11 (11.3.0). Every write is carried out before its answer, so none is polled.

Most pushes are one request. More are needed only where the truth has to be looked up first:

- A create whose earlier answer may be lost looks for an offer with our reference, and adopts the one it finds.
- A change of the offer facet reads the offer first, because bol can't change an offer's EAN: when the EAN is another
  one, the offer is deleted and created anew under a new id.
- An offer that bol does not have any more (404) is looked for by our reference in the same way, since it may have
  been replaced by a request whose answer was lost, and else created anew with everything that it should show.
"""

import asyncio
import time
from base64 import b64encode
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from daybook.channel.calls import Answer, Calls, Unanswered
from daybook.channel.contract import Confirmed, Outcome, Payload, Push, Rejected, Throttled, Unavailable, Waiting
from daybook.errors import BadConfiguration
from daybook.events import Rejection
from projections.bol.mapping import FACETS, OFFER

MEDIA_TYPE = "application/vnd.retailer.v11+json"
OFFERS = "/retailer/offers"
FIXED = ("ean", "condition")
"""Fields of an offer that are given once, when it is created."""
REFUSALS = (400, 409, 413, 422)
"""Statuses that are about this offer. Any other failure is about the connection, the account or the API version."""
TOKEN_LIFE_USED = 0.9
"""A token is renewed in the last tenth of its life, so that it does not end on the way to bol."""
EPOCH_MIN = 10**6
"""A greater X-RateLimit-Reset is a moment, not a number of seconds: both have been seen."""


class _Stopped(Exception):
    """The push ends here, with this outcome."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome)
        self.outcome = outcome


class BolConnector:
    """One account at bol."""

    def __init__(
        self,
        url: str,
        login_url: str,
        client_id: str,
        client_secret: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._api = Calls(url)
        self._login = Calls(login_url)
        self._basic = "Basic " + b64encode(f"{client_id}:{client_secret}".encode()).decode()
        self._clock = clock
        self._token = ""
        self._token_ends = 0.0
        self._token_lock = asyncio.Lock()

    async def push(self, push: Push) -> Outcome:
        """Brings one facet to bol; a create brings them all."""
        try:
            return await self._push(push)
        except _Stopped as stopped:
            return stopped.outcome
        except Unanswered as unanswered:
            return unanswered.outcome()

    async def confirm(self, push: Push, submission: str) -> Outcome:
        """Never needed: a write that was answered is carried out."""
        return Confirmed()

    async def close(self) -> None:
        """Closes both connection pools."""
        await self._api.close()
        await self._login.close()

    async def _push(self, push: Push) -> Outcome:
        if push.payload is None:
            # An offer always has a price and a stock: these two go with the offer, and alone there is nothing to do.
            return await self._remove(push) if push.facet == OFFER else Confirmed(remote_id=push.remote_id)
        if OFFER not in push.listing:
            return Waiting(f"{push.sku} has no offer to set its {push.facet} on")
        if push.remote_id is None:
            if push.facet != OFFER:
                return Waiting(f"the offer of {push.sku} is not on bol yet")
            return await self._create_or_adopt(push)
        if push.facet == OFFER:
            return await self._change_offer(push, push.remote_id)
        if await self._patch(push.remote_id, push.payload):
            return Confirmed(remote_id=push.remote_id)
        return await self._create_or_adopt(push)

    async def _create_or_adopt(self, push: Push) -> Outcome:
        may_be_there = push.attempt > 1 or push.remote_id is not None
        found = await self._find(push.sku) if may_be_there else None
        if found is None:
            return await self._create(push)
        offer_id = str(found["offerId"])
        if not _same_ean(found, push.listing[OFFER]):
            return await self._replace(push, offer_id)
        if await self._patch(offer_id, _body(push.listing)):
            return Confirmed(covers=tuple(push.listing), remote_id=offer_id)
        return Unavailable(f"the offer {offer_id} of {push.sku} went away between two requests")

    async def _create(self, push: Push) -> Outcome:
        answer = await self._call("POST", OFFERS, body=_body(push.listing))
        if answer.status != 201 or not isinstance(answer.body, dict) or "offerId" not in answer.body:
            raise _Stopped(failure(answer))
        return Confirmed(covers=tuple(push.listing), remote_id=str(answer.body["offerId"]))

    async def _change_offer(self, push: Push, offer_id: str) -> Outcome:
        answer = await self._call("GET", _path(offer_id))
        if answer.status == 404:
            return await self._create_or_adopt(push)
        if answer.status != 200 or not isinstance(answer.body, dict):
            raise _Stopped(failure(answer))
        if not _same_ean(answer.body, push.listing[OFFER]):
            return await self._replace(push, offer_id)
        if await self._patch(offer_id, push.listing[OFFER]):
            return Confirmed(remote_id=offer_id)
        return await self._create_or_adopt(push)

    async def _replace(self, push: Push, offer_id: str) -> Outcome:
        # Deleted first: two offers with one reference would let the look-up adopt the wrong one. If the create is
        # lost, the next attempt finds neither the id nor the reference, or finds the new offer, and goes on.
        await self._delete(offer_id)
        return await self._create(push)

    async def _remove(self, push: Push) -> Outcome:
        if push.remote_id is not None and await self._delete(push.remote_id):
            return Confirmed(covers=FACETS)
        # Its id is not known or not true any more: the answer that told the newest one may have been lost.
        found = await self._find(push.sku)
        if found is not None:
            await self._delete(str(found["offerId"]))
        return Confirmed(covers=FACETS)

    async def _find(self, sku: str) -> Payload | None:
        """The offer with our reference. The filter is bol's, but what it gives is compared again."""
        answer = await self._call("GET", OFFERS, query={"reference": sku})
        if answer.status != 200 or not isinstance(answer.body, dict):
            raise _Stopped(failure(answer))
        offers: list[Payload] = answer.body.get("offers", [])
        return next((offer for offer in offers if offer.get("reference") == sku), None)

    async def _patch(self, offer_id: str, fields: Payload) -> bool:
        """True when bol shows it now, False when it has no such offer."""
        body = {name: value for name, value in fields.items() if name not in FIXED}
        answer = await self._call("PATCH", _path(offer_id), body=body)
        if answer.status not in (204, 404):
            raise _Stopped(failure(answer))
        return answer.status == 204

    async def _delete(self, offer_id: str) -> bool:
        """True when it was there; either way it is not there any more."""
        answer = await self._call("DELETE", _path(offer_id))
        if answer.status not in (204, 404):
            raise _Stopped(failure(answer))
        return answer.status == 204

    async def _call(
        self, method: str, path: str, *, body: Payload | None = None, query: Mapping[str, str] | None = None
    ) -> Answer:
        """One request with the token; when bol says that the token is no good, once more with a new one."""
        answer = await self._send(method, path, body, query, token := await self._valid_token())
        if answer.status == 401:
            if token == self._token:  # else another push has renewed it meanwhile
                self._token_ends = 0.0
            answer = await self._send(method, path, body, query, await self._valid_token())
        # A 404 page that is not JSON comes from a proxy or a wrong URL: taking it for "gone" would create doubles.
        if answer.outage() is not None or (answer.status == 404 and answer.body is None):
            raise _Stopped(failure(answer))
        return answer

    async def _send(
        self, method: str, path: str, body: Payload | None, query: Mapping[str, str] | None, token: str
    ) -> Answer:
        headers = {"Accept": MEDIA_TYPE, "Authorization": f"Bearer {token}"}
        if body is not None:
            headers["Content-Type"] = MEDIA_TYPE
        return await self._api.request(method, path, body=body, query=query, headers=headers)

    async def _valid_token(self) -> str:
        # bol blocks addresses that fetch a token per request, so pushes that need one at the same time share it.
        async with self._token_lock:
            if self._clock() < self._token_ends:
                return self._token
            asked = self._clock()
            answer = await self._login.request(
                "POST",
                "/token",
                query={"grant_type": "client_credentials"},
                headers={"Authorization": self._basic, "Accept": "application/json"},
                secret=True,
            )
            if answer.status != 200 or not isinstance(answer.body, dict) or "access_token" not in answer.body:
                raise _Stopped(failure(answer))
            seconds = float(answer.body.get("expires_in", 0))
            self._token, self._token_ends = str(answer.body["access_token"]), asked + seconds * TOKEN_LIFE_USED
            return self._token


def connector(settings: Mapping[str, str]) -> BolConnector:
    """The connector for `url`, `client_id` and `client_secret`; `login_url` only where tokens come from elsewhere.

    bol's own are https://api.bol.com and https://login.bol.com. Raises BadConfiguration for what is missing.
    """
    for name in ("url", "client_id", "client_secret"):
        if not settings.get(name):
            raise BadConfiguration(
                f"the bol channel needs DAYBOOK_CHANNEL_BOL_{name.upper()}: set it in the environment", setting=name
            )
    return BolConnector(
        settings["url"], settings.get("login_url") or settings["url"], settings["client_id"], settings["client_secret"]
    )


def failure(answer: Answer) -> Outcome:
    """The outcome of an answer that is not the hoped-for one."""
    if answer.status == 429:
        return Throttled(answer.retry_after() or _reset_seconds(answer))
    outage = answer.outage()
    if outage is not None:
        return outage
    body: Mapping[str, Any] = answer.body if isinstance(answer.body, dict) else {}
    said = str(body.get("detail") or body.get("error_description") or body.get("title") or "no reason given")
    if answer.status in (401, 403):
        return Unavailable(
            f"bol refuses access ({answer.status}): {said}. Check DAYBOOK_CHANNEL_BOL_CLIENT_ID and _CLIENT_SECRET, "
            "and that the account is active"
        )
    if answer.status in REFUSALS and "error" not in body:
        code = str(answer.status)
        violations = [each for each in body.get("violations") or () if isinstance(each, dict)]
        return Rejected(
            tuple(Rejection(code, str(each.get("reason", said)), each.get("name")) for each in violations)
            or (Rejection(code, said),)
        )
    return Unavailable(f"bol gave an unexpected answer (HTTP {answer.status}): {said}")


def _reset_seconds(answer: Answer) -> float | None:
    value = answer.headers.get("X-RateLimit-Reset", "")
    if not value.isdigit():
        return None
    return max(0.0, int(value) - time.time()) if int(value) > EPOCH_MIN else float(value)


def _path(offer_id: str) -> str:
    return f"{OFFERS}/{quote(offer_id, safe='')}"


def _body(listing: Mapping[str, Payload]) -> Payload:
    return {name: value for facet in FACETS for name, value in listing.get(facet, {}).items()}


def _same_ean(offer: Payload, wanted: Payload) -> bool:
    # bol may give the EAN back without or with more zeros in front; the number is what counts.
    return str(offer.get("ean", "")).lstrip("0") == str(wanted["ean"]).lstrip("0")
