"""Requests to the Selling Partner API: signed in, paced by operation, and what a status means everywhere."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from daybook.channel.calls import Answer, Calls, Unanswered
from daybook.channel.contract import ChannelUnavailable, Rejected, Throttled
from daybook.channel.oauth import NoToken, OAuth
from daybook.channel.pacing import Pace, Rate
from daybook.channel.reach import NetworkReach
from daybook.events import Rejection

RATES = {
    "putListingsItem": Rate(5, 10),
    "patchListingsItem": Rate(5, 5),
    "getListingsItem": Rate(5, 10),
    "deleteListingsItem": Rate(5, 5),
    # Amazon publishes no figure of its own for mode=VALIDATION_PREVIEW; developers report about one a second.
    "validateListingsItem": Rate(1, 1),
    "getDefinitionsProductType": Rate(5, 10),
    "createFeedDocument": Rate(0.5, 15),
    # createFeed has 0.0083 a second and 15 at once, and beside it JSON_LISTINGS_FEED has five in five minutes. A bucket
    # of 2.5 that is filled at 0.0083 a second lets fewer than five through in any five minutes: it keeps to both.
    "createFeed": Rate(0.0083, 2.5),
    "getFeed": Rate(2, 15),
    "getFeedDocument": Rate(0.0222, 10),
}
"""Amazon's default usage plan by operation, a second. A seller's own plan may differ: its answers tell the rate."""
QUIET_SECONDS_MIN = 1.0


class Api:
    """One seller's way to Amazon."""

    def __init__(self, url: str, access: OAuth) -> None:
        self._calls = Calls(url, rates=RATES)
        self._access = access

    @property
    def reach(self) -> NetworkReach:
        """Where requests may go."""
        return self._calls.reach

    @property
    def pace(self) -> Pace:
        """The buckets of all operations."""
        return self._calls.pace

    async def trouble_signing_in(self) -> Throttled | ChannelUnavailable | None:
        """Why there is no access token; None when there is one."""
        try:
            await self._access.token()
        except NoToken as without:
            return without.outcome()
        return None

    async def ask(
        self,
        operation: str,
        method: str,
        path: str,
        body: Any = None,
        *,
        query: Mapping[str, str] | None = None,
        cost: float = 1.0,
        secret: bool = False,
    ) -> Answer | Throttled | ChannelUnavailable:
        """One request, with a new token and a second try if Amazon does not take the present one.

        Amazon says 403 both to a token that is over and to a seller who may not: only a new token tells them apart.
        The body of the answer is a JSON object. `secret` keeps it off the journal: it has a signed address in it.
        """

        async def send(token: str) -> Answer:
            headers = {
                "x-amz-access-token": token,
                "x-amz-date": datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ"),
                "User-Agent": "Daybook/0.1 (Language=Python)",
            }
            return await self._calls.request(
                method, path, body=body, query=query, headers=headers, operation=operation, cost=cost, secret=secret
            )

        try:
            answer = await self._access.send(send, refuses=lambda answer: answer.status in (401, 403))
        except Unanswered as error:
            return error.outcome()
        if answer.status == 429:
            return self._throttled(operation, answer)
        outage = answer.outage()
        if outage is not None:
            return outage
        if answer.status in (401, 403):
            return ChannelUnavailable(f"Amazon refuses access even with a new token: {_errors(answer)}")
        if not isinstance(answer.body, dict):
            return ChannelUnavailable(f"HTTP {answer.status} without the JSON object that Amazon promises")
        return answer

    def _throttled(self, operation: str, answer: Answer) -> Throttled:
        """Amazon does not say how long: as long as one request of this operation takes to come back."""
        seconds = answer.retry_after() or max(QUIET_SECONDS_MIN, 1 / RATES[operation].per_second)
        self.pace.observe(operation, quiet_seconds=seconds)
        return answer.throttle(seconds)

    async def close(self) -> None:
        """Closes both connection pools."""
        await self._calls.close()
        await self._access.close()


def unexpected(answer: Answer) -> Rejected | ChannelUnavailable:
    """400, 404, 413 and 415 are about the request itself: sending the same again can't help."""
    if answer.status in (400, 404, 413, 415):
        errors = answer.body.get("errors") or [{}]
        return Rejected(
            tuple(
                Rejection(str(error.get("code") or f"HTTP {answer.status}"), _sentence(error) or "no reason given")
                for error in errors
            )
        )
    return ChannelUnavailable(f"HTTP {answer.status}: {_errors(answer)}")


def _errors(answer: Answer) -> str:
    body = answer.body if isinstance(answer.body, dict) else {}
    return "; ".join(_sentence(error) for error in body.get("errors", ())) or "no reason given"


def _sentence(error: Mapping[str, Any]) -> str:
    return " ".join(filter(None, (error.get("message"), error.get("details"))))
