"""Requests to one shop: signed with its key, paced, and what an answer means for the channel as a whole."""

from base64 import b64encode
from collections.abc import Mapping

from daybook.channel.calls import Answer, Calls
from daybook.channel.contract import ChannelUnavailable, Payload, Rejected, Throttled
from daybook.channel.pacing import Pace, Rate
from daybook_projections.webshop.answers import code_of, refused
from daybook_projections.webshop.place import GONE, Place

API = "/wp-json/wc/v3"
REST = "rest"
"""The one operation: WooCommerce counts no requests, and a host or firewall that does counts all of them alike."""
RATES: Mapping[str, Rate] = {}
"""None is published: neither WooCommerce nor WordPress limits this API. A host's own limit is told by its 429, or by
the setting `per_second`."""


class Ended(Exception):
    """The shop can't be used now: nothing more to do in this push."""

    def __init__(self, outcome: Throttled | ChannelUnavailable | Rejected) -> None:
        super().__init__()
        self.outcome = outcome


class Api:
    """The way to one shop, with HTTP Basic authentication."""

    def __init__(self, url: str, consumer_key: str, consumer_secret: str, rates: Mapping[str, Rate]) -> None:
        self._calls = Calls(url, rates=rates)
        token = b64encode(f"{consumer_key}:{consumer_secret}".encode()).decode()
        self._headers = {"Authorization": f"Basic {token}", "Accept": "application/json"}

    @property
    def pace(self) -> Pace:
        """How fast the shop may be called."""
        return self._calls.pace

    @property
    def address(self) -> str:
        """Where the API should be."""
        return self._calls.base_url + API

    async def close(self) -> None:
        """Lets go of the connections."""
        await self._calls.close()

    async def request(
        self, method: str, path: str, *, body: Payload | None = None, query: Mapping[str, str] | None = None
    ) -> Answer:
        """Sends one request and gives its answer, whatever it is. Raises Unanswered."""
        return await self._calls.request(
            method, API + path, body=body, query=query, headers=self._headers, operation=REST
        )

    async def call(
        self, method: str, path: str, *, body: Payload | None = None, query: Mapping[str, str] | None = None
    ) -> Answer:
        """The same; an outage ends the push."""
        answer = await self.request(method, path, body=body, query=query)
        outage = answer.outage()
        if outage is not None:
            raise Ended(outage)
        return answer

    async def find(self, sku: str, *, trash: bool = False) -> Place | None:
        """Finds who has this SKU. The list of products has the variations too when a SKU is asked for."""
        query = {"sku": sku} | ({"status": "trash"} if trash else {})
        answer = await self.call("GET", "/products", query=query)
        if answer.status != 200 or not isinstance(answer.body, list):
            raise Ended(self.refused(answer))
        for each in answer.body:
            if each.get("sku") == sku:
                under = each.get("parent_id") if each.get("type") == "variation" else None
                return Place(under, each["id"]) if under else Place(each["id"])
        return None

    async def look(self, place: Place) -> Answer | None:
        """Reads a product or a variation in the words in which it was sent; None when the shop does not have it.

        A variation is looked at as a product: below its product its text comes as it is put on a page only.
        """
        answer = await self.call("GET", f"/products/{place.own}", query={"context": "edit"})
        if answer.status == 200 and isinstance(answer.body, dict):
            under = answer.body.get("parent_id") if answer.body.get("type") == "variation" else None
            return answer if (under or None) == place.under else None
        if code_of(answer) in GONE:
            return None
        raise Ended(self.refused(answer))

    def refused(self, answer: Answer) -> ChannelUnavailable | Rejected:
        """Tells what a refusal means: for the channel, or for this listing."""
        return refused(answer, self.address)
