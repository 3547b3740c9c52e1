"""The channel's API: PUT /offers/<SKU> creates or replaces, PUT /offers/<SKU>/stock counts, DELETE takes off.

As the SKU names the offer, a repeated request does no harm, and nothing has to be looked up before creating again. A
channel that gives offers ids of its own needs that: see `projections/bol`.
"""

from collections.abc import Mapping
from urllib.parse import quote

from daybook.channel.calls import Answer, Calls, Unanswered
from daybook.channel.contract import ChannelUnavailable, Confirmed, Outcome, Push, Rejected, Setting, Waiting
from daybook.events import Rejection
from daybook_projections.template.mapping import NAME, OFFER, STOCK

DONE = (200, 201, 204)
GONE = 404


class TemplateConnector:
    """An offer is sent whole, so that it is never there without its stock; a new stock alone."""

    def __init__(self, url: str, key: str) -> None:
        self._calls = Calls(url)
        self._headers = {"Authorization": f"Bearer {key}"}

    async def push(self, push: Push) -> Outcome:
        """Brings one facet, or takes the offer off. See the contract."""
        path = f"/offers/{quote(push.sku, safe='')}"
        try:
            if push.payload is None and push.facet == OFFER:
                answer = await self._calls.request("DELETE", path, headers=self._headers)
            elif push.payload is None:
                return Confirmed()  # the offer takes its stock with it
            elif push.facet == OFFER:
                whole = {name: value for payload in push.listing.values() for name, value in payload.items()}
                answer = await self._calls.request("PUT", path, body=whole, headers=self._headers)
            else:
                answer = await self._calls.request("PUT", f"{path}/stock", body=push.payload, headers=self._headers)
        except Unanswered as lost:
            return lost.outcome()
        return _outcome(push, answer)

    async def confirm(self, push: Push, submission: str) -> Outcome:
        """Nothing is ever only accepted: each answer is final."""
        return ChannelUnavailable(f"{NAME} gives no submissions, yet {submission} is asked for")

    async def close(self) -> None:
        """Lets go of its connections."""
        await self._calls.close()


SETTINGS = (
    Setting("url", "the address of the marketplace's API"),
    Setting("key", "the key that the marketplace gave the shop"),
)


def connector(settings: Mapping[str, str]) -> TemplateConnector:
    """From the values of `SETTINGS`."""
    return TemplateConnector(settings["url"], settings["key"])


def _outcome(push: Push, answer: Answer) -> Outcome:
    outage = answer.outage()
    if outage is not None:
        return outage
    if answer.status in DONE:
        return Confirmed(covers=tuple(push.listing) if push.facet == OFFER else ())
    said = str(answer.body.get("message", "")) if isinstance(answer.body, dict) else ""
    if answer.status == GONE and push.payload is None:
        return Confirmed()  # what is not there need not be taken off
    if answer.status == GONE and push.facet == STOCK:
        return Waiting("the offer is not there yet")
    if answer.status == 422:
        field = answer.body.get("field") if isinstance(answer.body, dict) else None
        return Rejected((Rejection("refused", said, field),))
    return ChannelUnavailable(f"{NAME} answered HTTP {answer.status}: {said}")
