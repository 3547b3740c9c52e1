"""Tells a WooCommerce shop of parcels, over its REST API v3: notes at an order that the customer sees, and its status.

WooCommerce has no idempotency key for notes, and sends a mail for each. So the notes are read on every try, also on the
first (a restored book counts its tries anew), and only a line that is not there is written. Putting a status twice does
nothing in the shop.
"""

import base64
from collections.abc import Mapping
from urllib.parse import quote

from daybook.channel.calls import Answer, Calls, Unanswered
from daybook.channel.contract import ChannelUnavailable, Confirmed, Outcome, Payload, Push, Rejected, Setting
from daybook.channel.pacing import Rate
from daybook.events import Rejection
from daybook_projections.wooparcels.listing import NAME
from daybook_projections.wooparcels.mapping import NOTES

REST = "rest"
RATES = {REST: Rate(5, burst=10)}
OPEN = "processing"
"""What an order is in the shop when it is not completed, after all."""


class WooParcelsConnector:
    """One shop."""

    def __init__(self, url: str, consumer_key: str, consumer_secret: str) -> None:
        self._calls = Calls(url, rates=RATES)
        self._key = {"consumer_key": consumer_key, "consumer_secret": consumer_secret}
        self.pace = self._calls.pace

    async def push(self, push: Push) -> Outcome:
        """Brings notes or the status of one order."""
        number = push.payload["number"] if push.payload is not None else push.sku.partition(":")[2]
        path = f"/wp-json/wc/v3/orders/{quote(str(number), safe='')}"
        try:
            if push.facet == NOTES:
                return await self._notes(path, push)
            status = push.payload["status"] if push.payload is not None else OPEN
            if push.payload is None and push.receipt == 0 and push.attempt == 1:
                return Confirmed()  # it was never told
            answer = await self._call("PUT", path, {"status": status})
        except Unanswered as lost:
            return lost.outcome()
        return Confirmed() if answer.status == 200 else self._failure(answer)

    async def confirm(self, push: Push, submission: str) -> Outcome:
        """Never called: an answer is the end of it."""
        return ChannelUnavailable(f"{NAME} gives no submissions, yet {submission} is asked for")

    async def close(self) -> None:
        """Closes the connection pool."""
        await self._calls.close()

    async def _notes(self, path: str, push: Push) -> Outcome:
        answer = await self._call("GET", f"{path}/notes")
        if answer.status != 200 or not isinstance(answer.body, list):
            return self._failure(answer)
        there = {str(one.get("note", "")) for one in answer.body if isinstance(one, dict)}
        for line in push.payload["lines"] if push.payload is not None else ():  # what was said stays said
            if line not in there:
                answer = await self._call("POST", f"{path}/notes", {"note": line, "customer_note": True})
                if answer.status != 201:
                    return self._failure(answer)
        return Confirmed()

    async def _call(self, method: str, path: str, body: Payload | None = None) -> Answer:
        headers = {"Authorization": _basic(**self._key)}
        return await self._calls.request(method, path, body=body, headers=headers, operation=REST)

    def _failure(self, answer: Answer) -> Outcome:
        outage = answer.outage()
        if outage is not None:
            return outage
        said = answer.body if isinstance(answer.body, dict) else {}
        code, message = str(said.get("code", f"http_{answer.status}")), str(said.get("message", ""))
        if answer.status in (400, 404, 422):
            return Rejected((Rejection(code, message),))
        check = "DAYBOOK_CHANNEL_WOOPARCELS_CONSUMER_KEY and _CONSUMER_SECRET"
        return ChannelUnavailable(f"the shop answered HTTP {answer.status}: check {check}")


def _basic(consumer_key: str, consumer_secret: str) -> str:
    pair = base64.b64encode(f"{consumer_key}:{consumer_secret}".encode()).decode()
    return f"Basic {pair}"


SETTINGS = (
    Setting("url", "the shop's address"),
    Setting("consumer_key", "made in the shop under WooCommerce > Settings > Advanced > REST API, to read and write"),
    Setting("consumer_secret", "made with it"),
)


def connector(settings: Mapping[str, str]) -> WooParcelsConnector:
    """From the values of `SETTINGS`."""
    return WooParcelsConnector(settings["url"], settings["consumer_key"], settings["consumer_secret"])
