"""Requests to one account at bol about shipments (Retailer API v10): signed in, and what an answer means."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from daybook.channel.calls import Answer, Calls
from daybook.channel.contract import ChannelUnavailable, Outcome, Payload, Rejected
from daybook.channel.oauth import OAuth, client_credentials
from daybook.channel.pacing import reset_seconds
from daybook.events import Rejection

MEDIA_TYPE = "application/vnd.retailer.v10+json"
REFUSALS = (400, 409, 422)
CHECK = "DAYBOOK_CHANNEL_BOLPARCELS_CLIENT_ID and _CLIENT_SECRET, and that the account is active"


class Ended(Exception):
    """The push ends here, with this outcome."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome)
        self.outcome = outcome


class ShipmentApi:
    """One account."""

    def __init__(self, settings: Mapping[str, str]) -> None:
        self._calls = Calls(settings["url"])
        self._login = OAuth(
            (settings.get("login_url") or settings["url"]).rstrip("/") + "/token",
            client_credentials(settings["client_id"], settings["client_secret"], basic=True),
            issuer="bol",
            check=CHECK,
        )
        self.pace = self._calls.pace

    async def order(self, number: str, people: tuple[str, ...]) -> Payload | None:
        """An order as bol has it; None when bol has none of that number. It tells who ordered."""
        return await self._found("get-order", f"/retailer/orders/{quote(number, safe='')}", people=people)

    async def shipments(self, number: str) -> list[Payload]:
        """The shipments of an order."""
        found = await self._found("get-shipments", "/retailer/shipments", {"order-id": number})
        return list(found["shipments"]) if found is not None else []

    async def shipment(self, own: str, people: tuple[str, ...]) -> Payload:
        """One shipment whole, with how it can be followed. It tells who ordered."""
        path = f"/retailer/shipments/{quote(own, safe='')}"
        return await self._found("get-shipment", path, people=people) or {}

    async def process(self, own: str) -> Payload | None:
        """What became of a request; None when bol has forgotten it."""
        return await self._found("get-process-status", f"/shared/process-status/{quote(own, safe='')}")

    async def pending(self, item: str, event: str) -> str | None:
        """A request about an item that is under way."""
        query = {"entity-id": item, "event-type": event}
        found = await self._found("get-process-status-entity-id", "/shared/process-status", query)
        statuses = found["processStatuses"] if found is not None else []
        return next((str(one["processStatusId"]) for one in statuses if one.get("status") == "PENDING"), None)

    async def start(self, method: str, path: str, operation: str, body: Payload) -> str:
        """Has bol do something; the id under which it tells what became of that."""
        answer = await self._call(method, path, operation, body=body)
        if answer.status != 202 or not isinstance(answer.body, dict) or not answer.body.get("processStatusId"):
            raise Ended(_failure(answer))
        return str(answer.body["processStatusId"])

    async def close(self) -> None:
        """Closes the connection pools."""
        await self._calls.close()
        await self._login.close()

    async def _found(
        self,
        operation: str,
        path: str,
        query: Mapping[str, str] | None = None,
        people: tuple[str, ...] = (),
    ) -> dict[str, Any] | None:
        answer = await self._call("GET", path, operation, query=query, people=people)
        if answer.status == 404 and isinstance(answer.body, dict):
            return None
        if answer.status != 200 or not isinstance(answer.body, dict):
            raise Ended(_failure(answer))
        return answer.body

    async def _call(
        self,
        method: str,
        path: str,
        operation: str,
        *,
        body: Payload | None = None,
        query: Mapping[str, str] | None = None,
        people: tuple[str, ...] = (),
    ) -> Answer:
        kind = {"Accept": MEDIA_TYPE} | ({"Content-Type": MEDIA_TYPE} if body is not None else {})

        async def send(token: str) -> Answer:
            headers = kind | {"Authorization": f"Bearer {token}"}
            return await self._calls.request(
                method, path, body=body, query=query, headers=headers, operation=operation, people=people
            )

        return await self._login.send(send)


def _failure(answer: Answer) -> Outcome:
    if answer.status == 429:
        return answer.throttle(answer.retry_after() or reset_seconds(answer.headers))
    outage = answer.outage()
    if outage is not None:
        return outage
    said = answer.body if isinstance(answer.body, dict) else {}
    detail = str(said.get("detail") or said.get("title") or "no reason given")
    if answer.status in REFUSALS:
        violations = [one for one in said.get("violations") or () if isinstance(one, dict)]
        reasons = tuple(
            Rejection(str(answer.status), str(one.get("reason", detail)), one.get("name")) for one in violations
        )
        return Rejected(reasons or (Rejection(str(answer.status), detail),))
    return ChannelUnavailable(f"bol answered HTTP {answer.status}: check {CHECK}")
