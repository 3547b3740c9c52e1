"""Requests to one HubSpot portal: signed in, paced, and what a status means whatever was asked.

Errors are `{"status": "error", "message": "…", "category": "VALIDATION_ERROR", "errors": [{"message", "code", "in"}]}`.
"""

import re
from collections.abc import Mapping
from typing import Any

from daybook.channel.calls import Answer, Calls
from daybook.channel.contract import ChannelUnavailable, Rejected, Throttled
from daybook.channel.pacing import Rate
from daybook.events import Rejection

CALL = "call"
RATES = {CALL: Rate(11, burst=50)}
"""110 requests in ten seconds is what the smallest plan lets an application do."""
CHECK = "DAYBOOK_CHANNEL_HUBSPOT_TOKEN"
DAILY_SECONDS = 3600.0
"""The requests of the day are used up: looked at again each hour, as midnight is that of the portal's own zone."""
REFUSALS = (400, 404, 409, 413, 422)
_EXISTING = re.compile(r"Existing ID: (\d+)")

Failure = Rejected | Throttled | ChannelUnavailable


class Api:
    """Sends requests with the token of one private application."""

    def __init__(self, url: str, token: str) -> None:
        self._calls = Calls(url, rates=RATES)
        self.pace = self._calls.pace
        self._headers = {"Authorization": f"Bearer {token}"}

    async def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        query: Mapping[str, str] | None = None,
        people: tuple[str, ...] = (),
    ) -> Answer:
        """The answer. Raises Unanswered."""
        return await self._calls.request(
            method, path, body=body, query=query, headers=self._headers, operation=CALL, people=people
        )

    async def close(self) -> None:
        """Closes the connection pool."""
        await self._calls.close()


def failure(answer: Answer) -> Failure:
    """What an answer that is not the wanted one means."""
    said = answer.body if isinstance(answer.body, dict) else {}
    if answer.status == 429 and said.get("policyName") == "DAILY":
        return Throttled(DAILY_SECONDS)
    outage = answer.outage()
    if outage is not None:
        return outage
    if answer.status in (*REFUSALS, 207):
        return Rejected(_reasons(said) or (Rejection(f"http_{answer.status}", "no reason given"),))
    check = f": check {CHECK} and its scopes" if answer.status in (401, 403) else ""
    return ChannelUnavailable(f"HubSpot answered HTTP {answer.status}{check}")


def _reasons(said: Mapping[str, Any]) -> tuple[Rejection, ...]:
    errors = said.get("errors") or ([said] if said.get("message") else [])
    return tuple(
        Rejection(str(one.get("code") or one.get("category") or "refused"), str(one.get("message", "")), one.get("in"))
        for one in errors
        if isinstance(one, dict)
    )


def existing(answer: Answer) -> str | None:
    """The contact that has the mail address already: a conflict tells its id in its text, and nowhere else."""
    if answer.status != 409 or not isinstance(answer.body, dict):
        return None
    found = _EXISTING.search(str(answer.body.get("message", "")))
    return found.group(1) if found else None


def unknown_property(answer: Answer) -> bool:
    """Whether the portal has no property of ours yet."""
    codes = {one.code for one in _reasons(answer.body)} if isinstance(answer.body, dict) else set()
    return answer.status == 400 and "PROPERTY_DOESNT_EXIST" in codes
