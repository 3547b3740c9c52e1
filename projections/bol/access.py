"""Requests to one account at bol: the token, the pace, and what a failure of any of them means."""

from collections.abc import Callable, Mapping
from typing import Any

from daybook.channel.calls import Answer, Calls
from daybook.channel.contract import ChannelUnavailable, Payload, Rejected, Throttled
from daybook.channel.oauth import OAuth, client_credentials
from daybook.channel.pacing import Rate, reset_seconds
from daybook.events import Rejection

RETAILER_V11 = "application/vnd.retailer.v11+json"
RETAILER_V10 = "application/vnd.retailer.v10+json"
RATES = {
    "create-offer": Rate(47),
    "update-offer": Rate(47),
    "get-offer": Rate(47),
    "get-offers": Rate(23.5),
    "get-orders": Rate(25 / 60, burst=10),
}
"""By bol's own names of its operations. Others have no published figure: their answers tell when to pause.

bol allows 50 and, for lists, 25 requests in each second, counted anew for every second. Sent evenly at a little less, a
second has room for some that come late. Without that room the last of a second is told that nothing is left, and to
wait for a whole one. The list of orders may be asked for 25 times in a minute.
"""
REFUSALS = (400, 409, 413, 422)
"""Statuses that are about what was sent. Any other failure is about the connection, the account or the API version."""
CHECK = "DAYBOOK_CHANNEL_BOL_CLIENT_ID and _CLIENT_SECRET, and that the account is active"

Failure = Rejected | Throttled | ChannelUnavailable


class Failed(Exception):
    """What was to be done ends here, with this outcome."""

    def __init__(self, outcome: Failure) -> None:
        super().__init__(outcome)
        self.outcome = outcome


class Access:
    """Sends requests with a token that is good, as fast as bol allows."""

    def __init__(
        self, url: str, login_url: str, client_id: str, client_secret: str, clock: Callable[[], float]
    ) -> None:
        self._api = Calls(url, rates=RATES)
        # bol blocks addresses that fetch a token for each request: all pushes share this one.
        self._login = OAuth(
            login_url.rstrip("/") + "/token",
            client_credentials(client_id, client_secret, basic=True),
            issuer="bol",
            check=CHECK,
            clock=clock,
        )
        self.pace = self._api.pace

    async def call(
        self,
        method: str,
        path: str,
        operation: str,
        *,
        body: Payload | None = None,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        media_type: str = RETAILER_V11,
    ) -> Answer:
        """One request with the token; when bol says that the token is no good, once more with a new one.

        Raises Unanswered, and Failed for what means the same to every operation.
        """
        sent = {"Accept": media_type} | ({"Content-Type": media_type} if body is not None else {}) | dict(headers or {})

        async def send(token: str) -> Answer:
            signed = sent | {"Authorization": f"Bearer {token}"}
            return await self._api.request(method, path, body=body, query=query, headers=signed, operation=operation)

        answer = await self._login.send(send)
        # A 404 page that is not JSON comes from a proxy or a wrong URL: taking it for "gone" would create doubles.
        if answer.outage() is not None or (answer.status == 404 and answer.body is None):
            raise Failed(failure(answer))
        return answer

    async def close(self) -> None:
        """Closes both connection pools."""
        await self._api.close()
        await self._login.close()


def failure(answer: Answer) -> Failure:
    """The outcome of an answer that is not the hoped-for one."""
    if answer.status == 429:
        return answer.throttle(answer.retry_after() or reset_seconds(answer.headers))
    outage = answer.outage()
    if outage is not None:
        return outage
    body: Mapping[str, Any] = answer.body if isinstance(answer.body, dict) else {}
    said = str(body.get("detail") or body.get("error_description") or body.get("title") or "no reason given")
    if answer.status in (401, 403):
        return ChannelUnavailable(f"bol refuses access ({answer.status}): {said}. Check {CHECK}")
    if answer.status in REFUSALS and "error" not in body:
        code = str(answer.status)
        violations = [each for each in body.get("violations") or () if isinstance(each, dict)]
        return Rejected(
            tuple(Rejection(code, str(each.get("reason", said)), each.get("name")) for each in violations)
            or (Rejection(code, said),)
        )
    return ChannelUnavailable(f"bol gave an unexpected answer (HTTP {answer.status}): {said}")


def body_of(answer: Answer, status: int = 200) -> Payload:
    """The JSON object that bol promises with this status; raises Failed for anything else."""
    if answer.status != status or not isinstance(answer.body, dict):
        raise Failed(failure(answer))
    return answer.body
