"""Requests to one DeepL account: signed in, paced, and what a status means.

Errors are `{"message": "…", "detail": "…"}`. No `Retry-After` is promised. 456 is DeepL's own: the quota is used up.
"""

from collections.abc import Mapping
from typing import Any

from daybook.channel.calls import Answer, Calls
from daybook.channel.contract import ChannelUnavailable, Payload, Rejected, Throttled
from daybook.channel.pacing import Rate
from daybook.events import Rejection

TRANSLATE, USAGE = "translate", "usage"
RATES = {TRANSLATE: Rate(50, burst=50), USAGE: Rate(1, burst=5)}
"""Requests a second: DeepL's maintainers advise at most 50."""
QUOTA = 456
QUOTA_SECONDS = 3600.0
"""A used up quota comes back with a new period, or when somebody buys more."""
REFUSALS = (400, 404, 413, 414)
CHECK = "check DAYBOOK_CHANNEL_DEEPL_KEY, and _URL: keys that end in :fx are for https://api-free.deepl.com"

Failure = Rejected | Throttled | ChannelUnavailable


class Api:
    """Sends requests in the name of one account."""

    def __init__(self, url: str, key: str) -> None:
        self._calls = Calls(url, rates=RATES, answer_seconds_max=60.0)
        self.pace = self._calls.pace
        self._headers = {"Authorization": f"DeepL-Auth-Key {key}"}

    async def translate(self, body: Payload) -> Answer:
        """Translates the texts of the body. Raises Unanswered."""
        path = "/v2/translate"
        return await self._calls.request("POST", path, body=body, headers=self._headers, operation=TRANSLATE)

    async def usage(self) -> Answer:
        """Asks how much of the period's characters is used. Raises Unanswered."""
        return await self._calls.request("GET", "/v2/usage", headers=self._headers, operation=USAGE)

    async def close(self) -> None:
        """Closes the connection pool."""
        await self._calls.close()


def failure(answer: Answer) -> Failure:
    """What an answer that is not the wanted one means."""
    said: Mapping[str, Any] = answer.body if isinstance(answer.body, dict) else {}
    if answer.status == QUOTA:
        return ChannelUnavailable("the account's characters are used up (HTTP 456): buy more, or wait", QUOTA_SECONDS)
    outage = answer.outage()
    if outage is not None:
        return outage
    if answer.status in REFUSALS:
        words = " ".join(str(said[name]) for name in ("message", "detail") if said.get(name))
        return Rejected((Rejection(f"http_{answer.status}", words or "no reason given"),))
    check = f": {CHECK}" if answer.status in (401, 403) else ""
    return ChannelUnavailable(f"DeepL answered HTTP {answer.status}{check}")


def translations(answer: Answer, amount: int) -> list[dict[str, Any]] | None:
    """The translations of an answer, in the order of the texts; None when they are not as many, or are none."""
    found = answer.body.get("translations") if isinstance(answer.body, dict) else None
    if answer.status != 200 or not isinstance(found, list) or len(found) != amount:
        return None
    whole = all(isinstance(one, dict) and isinstance(one.get("text"), str) and one["text"].strip() for one in found)
    return found if whole else None
