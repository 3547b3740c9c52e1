"""Requests to one shop's Admin GraphQL API 2026-07: signed in, paced by points, and what an answer means.

Almost everything is HTTP 200: a throttle and a refused access are in `errors`, a refused value in the `userErrors` of
the mutation's own field.
"""

from collections.abc import Mapping
from typing import Any

from daybook.channel.calls import Answer, Calls
from daybook.channel.contract import ChannelUnavailable, Outcome, Rejected
from daybook.channel.oauth import OAuth, client_credentials
from daybook.channel.pacing import Rate
from daybook.events import Rejection

PATH = "/admin/api/2026-07/graphql.json"
GRAPHQL = "graphql"
RATES = {GRAPHQL: Rate(100.0, 2000.0)}
"""Points of a shop on the standard plan."""
COST = 50.0
"""Of one request, mostly: what it did cost is known from its answer only."""
WAIT_SECONDS = 1.0
NEEDED = "read_orders and write_merchant_managed_fulfillment_orders"


class Ended(Exception):
    """The push ends here, with this outcome."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome)
        self.outcome = outcome


class FulfillmentApi:
    """One shop."""

    def __init__(self, settings: Mapping[str, str]) -> None:
        url = settings["url"].rstrip("/")
        self._calls = Calls(url, rates=RATES)
        self.pace = self._calls.pace
        self._access: str | OAuth = settings.get("access_token") or OAuth(
            f"{url}/admin/oauth/access_token",
            client_credentials(settings["client_id"], settings["client_secret"]),
            issuer="Shopify",
            check="DAYBOOK_CHANNEL_SHOPIFYPARCELS_CLIENT_ID and _CLIENT_SECRET, and that the app is installed there",
        )

    async def ask(self, document: str, name: str, **variables: Any) -> Any:
        """What the document's one field gives. Raises Ended and Unanswered."""
        body = {"query": document, "variables": variables}

        async def send(token: str) -> Answer:
            headers = {"X-Shopify-Access-Token": token, "Accept": "application/json"}
            return await self._calls.request("POST", PATH, body=body, headers=headers, operation=GRAPHQL, cost=COST)

        answer = await (send(self._access) if isinstance(self._access, str) else self._access.send(send))
        data = answer.body.get("data") if isinstance(answer.body, dict) else None
        if answer.status != 200 or not isinstance(data, dict) or answer.body.get("errors"):
            raise Ended(_failure(answer))
        found = data.get(name)
        errors = found.get("userErrors") if isinstance(found, dict) else None
        if errors:
            raise Ended(Rejected(tuple(_rejection(one, name) for one in errors)))
        return found

    async def pages(self, document: str, name: str, connection: str, own: str) -> list[Mapping[str, Any]]:
        """All nodes of a field's connection; none when there is no such thing."""
        nodes: list[Mapping[str, Any]] = []
        after: str | None = None
        while True:
            found = await self.ask(document, name, id=own, after=after)
            if found is None:
                return nodes
            nodes += found[connection]["nodes"]
            if not found[connection]["pageInfo"]["hasNextPage"]:
                return nodes
            after = found[connection]["pageInfo"]["endCursor"]

    async def close(self) -> None:
        """Closes the connection pools."""
        await self._calls.close()
        if isinstance(self._access, OAuth):
            await self._access.close()


def _failure(answer: Answer) -> Outcome:
    said = answer.body.get("errors") if isinstance(answer.body, dict) else None
    errors = [one for one in said if isinstance(one, dict)] if isinstance(said, list) else []
    codes = {str((one.get("extensions") or {}).get("code")): str(one.get("message", "")) for one in errors}
    if answer.status in (401, 402, 403) or "ACCESS_DENIED" in codes:
        return ChannelUnavailable(
            f"Shopify refuses access (HTTP {answer.status}): check DAYBOOK_CHANNEL_SHOPIFYPARCELS_CLIENT_ID and "
            f"_CLIENT_SECRET. The app needs the scopes {NEEDED}"
        )
    if "THROTTLED" in codes:
        return answer.throttle(WAIT_SECONDS)
    outage = answer.outage()
    if outage is not None:
        return outage
    if "INVALID_VARIABLE" in codes:
        return Rejected((Rejection("INVALID_VARIABLE", codes["INVALID_VARIABLE"]),))
    return ChannelUnavailable(f"Shopify gave an unexpected answer (HTTP {answer.status})")


def _rejection(error: Mapping[str, Any], name: str) -> Rejection:
    """These mutations' errors have no codes: the mutation's name stands for one."""
    field = ".".join(map(str, error.get("field") or ())) or None
    return Rejection(str(error.get("code") or name), str(error.get("message", "")), field)
