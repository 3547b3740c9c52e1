"""Requests to one Sendcloud account: signed in, paced, and what a status means whatever was asked.

Errors are JSON:API: `{"errors": [{"status": "400", "code": "required", "detail": "…", "source": {"pointer": "…"}}]}`.
"""

import base64
from collections.abc import Mapping, Sequence
from typing import Any

from daybook.channel.calls import Answer, Calls
from daybook.channel.contract import ChannelUnavailable, Rejected, Throttled
from daybook.channel.pacing import Rate
from daybook.events import Rejection

READ, WRITE = "read", "write"
RATES = {READ: Rate(1000 / 60, burst=50), WRITE: Rate(100 / 60, burst=15)}
"""Requests a minute: 1000 that read, 100 that write with a burst of 15."""
CHECK = "DAYBOOK_CHANNEL_SENDCLOUD_PUBLIC_KEY and _SECRET_KEY"
REFUSALS = (400, 402, 404, 409, 413, 422)
"""Statuses that are about what was asked. Any other failure is about the account or the way there."""

Failure = Rejected | Throttled | ChannelUnavailable


class Api:
    """Sends requests in the name of one integration."""

    def __init__(self, url: str, public_key: str, secret_key: str) -> None:
        self._calls = Calls(url, rates=RATES)
        self.pace = self._calls.pace
        pair = base64.b64encode(f"{public_key}:{secret_key}".encode()).decode()
        self._headers = {"Authorization": f"Basic {pair}"}

    async def get(self, path: str, query: Mapping[str, str] | None = None, people: tuple[str, ...] = ()) -> Answer:
        """Reads. Raises Unanswered."""
        return await self._calls.request("GET", path, query=query, headers=self._headers, operation=READ, people=people)

    async def post(self, path: str, body: Any = None, people: tuple[str, ...] = ()) -> Answer:
        """Writes. Raises Unanswered."""
        return await self._calls.request("POST", path, body=body, headers=self._headers, operation=WRITE, people=people)

    async def close(self) -> None:
        """Closes the connection pool."""
        await self._calls.close()


def failure(answer: Answer) -> Failure:
    """What an answer that is not the wanted one means."""
    outage = answer.outage()
    if outage is not None:
        return outage
    if answer.status in REFUSALS:
        return Rejected(reasons(errors_of(answer.body)) or (Rejection(f"http_{answer.status}", "no reason given"),))
    check = f": check {CHECK}" if answer.status in (401, 403) else ""
    return ChannelUnavailable(f"Sendcloud answered HTTP {answer.status}{check}")


def errors_of(body: Any) -> Sequence[Any]:
    """The errors that a body holds, at its top or with the shipment."""
    if not isinstance(body, dict):
        return ()
    inner = body.get("data")
    found = body.get("errors") or (inner.get("errors") if isinstance(inner, dict) else None)
    return found if isinstance(found, list) else ()


def reasons(errors: Sequence[Any]) -> tuple[Rejection, ...]:
    """The same in the words of a refusal."""
    found = []
    for one in errors:
        said = one if isinstance(one, dict) else {"detail": str(one)}
        source = said.get("source")
        pointer = source.get("pointer") if isinstance(source, dict) else None
        found.append(Rejection(str(said.get("code", "refused")), str(said.get("detail", "")), pointer))
    return tuple(found)
