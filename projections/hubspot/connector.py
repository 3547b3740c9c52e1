"""Brings an order's deal and its contact to HubSpot, passes on what changed of people, has it forget who was erased.

Everything is upserted by a property that HubSpot keeps unique, so a request that is repeated makes nothing twice and
nothing has to be looked for. A portal without these properties is given them once.

Hazard: a mail address is unique among contacts, too. Where somebody has put the customer there by hand, the upsert is
answered 409 with the contact's id in a sentence; that contact is then given our property, and is ours from then on.

Hazard: a person may be erased between the look into the vault and the answer. So it is looked once more after a contact
was written, and what should not be there is taken away at once.
"""

from collections.abc import Mapping
from typing import Any

from daybook.channel.calls import Answer, Unanswered
from daybook.channel.contract import ChannelUnavailable, Confirmed, Outcome, Payload, Push, Setting
from daybook.channel.personal import VaultReader
from daybook_projections.hubspot.api import Api, Failure, existing, failure, unknown_property
from daybook_projections.hubspot.bodies import ORDER_KEY, PERSON_KEY, contact, property_of
from daybook_projections.hubspot.mapping import CONTACT, DEAL

CONTACTS, DEALS = "contacts", "deals"
DONE = (200, 201)


class HubSpotConnector:
    """One portal. A deal with its contact costs three requests."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._vault = VaultReader()
        self.pace = api.pace

    async def push(self, push: Push) -> Outcome:
        """Brings one facet, or takes a deal away."""
        try:
            if push.facet == DEAL:
                return await (self._remove(push) if push.payload is None else self._deal(push, push.payload))
            if push.payload is None:
                return Confirmed()  # a person's other facet says what is to be done
            person = push.payload["person"]
            return await (self._change(person) if push.facet == CONTACT else self._forget(person))
        except Unanswered as lost:
            return lost.outcome()

    async def confirm(self, push: Push, submission: str) -> Outcome:
        """Never called: an answer is the end of it."""
        return ChannelUnavailable(f"HubSpot gives no submissions, yet {submission} is asked for")

    async def close(self) -> None:
        """Closes the connection pool."""
        await self._api.close()

    async def _deal(self, push: Push, payload: Payload) -> Outcome:
        customer: str | None = None
        if payload["person"] is not None:
            found = await self._contact(payload["person"])
            if isinstance(found, Failure):
                return found
            customer = found
        values = {**payload["properties"], ORDER_KEY: payload["order"]}
        answer = await self._upsert(DEALS, ORDER_KEY, payload["order"], values)
        deal = _id_of(answer)
        if deal is None:
            return failure(answer)
        if customer is not None:
            path = f"/crm/v4/objects/{DEALS}/{deal}/associations/default/{CONTACTS}/{customer}"
            answer = await self._api.call("PUT", path)
            if answer.status not in DONE:
                return failure(answer)
        return Confirmed(remote_id=deal)

    async def _contact(self, person: str) -> str | Failure | None:
        """The id of the person's contact, as it is known now; None for whom HubSpot must not know."""
        known = await self._vault.find(person)
        values = contact(known) if known is not None else None
        if values is None:
            return None
        values[PERSON_KEY] = person
        answer = await self._upsert(CONTACTS, PERSON_KEY, person, values, people=(person,))
        taken = existing(answer)
        if taken is not None:
            path = f"/crm/v3/objects/{CONTACTS}/{taken}"
            answer = await self._api.call("PATCH", path, {"properties": values}, people=(person,))
            made = taken if answer.status in DONE else None
        else:
            made = _id_of(answer)
        if made is None:
            return failure(answer)
        if await self._vault.find(person) is None:
            gone = await self._forget(person)
            return (
                None if isinstance(gone, Confirmed) else ChannelUnavailable("who was erased meanwhile is still there")
            )
        return made

    async def _upsert(
        self, kind: str, by: str, value: str, properties: Mapping[str, str], people: tuple[str, ...] = ()
    ) -> Answer:
        """One upsert, in a batch of one: there is no other. A property that the portal lacks is made first."""
        one = {"id": value, "idProperty": by, "properties": properties, "objectWriteTraceId": value}
        path = f"/crm/v3/objects/{kind}/batch/upsert"
        answer = await self._api.call("POST", path, {"inputs": [one]}, people=people)
        if unknown_property(answer):
            made = await self._api.call("POST", f"/crm/v3/properties/{kind}", property_of(kind, by))
            if made.status not in (*DONE, 409):
                return made
            answer = await self._api.call("POST", path, {"inputs": [one]}, people=people)
        return answer

    async def _change(self, person: str) -> Outcome:
        """Passes on what is known of a person now, if HubSpot knows the person at all."""
        known = await self._vault.find(person)
        values = contact(known) if known is not None else None
        if values is None:
            return Confirmed()
        path, by = f"/crm/v3/objects/{CONTACTS}/{person}", {"idProperty": PERSON_KEY}
        answer = await self._api.call("PATCH", path, {"properties": values}, by, people=(person,))
        # A portal in which nobody has ordered yet lacks the property as well.
        if answer.status in (*DONE, 404) or unknown_property(answer):
            return Confirmed()
        return failure(answer)

    async def _forget(self, person: str) -> Outcome:
        """Has HubSpot delete a contact for good, with all that it noted about it."""
        body = {"objectId": person, "idProperty": PERSON_KEY}
        answer = await self._api.call("POST", f"/crm/v3/objects/{CONTACTS}/gdpr-delete", body)
        if answer.status in (204, 404) or unknown_property(answer):
            return Confirmed()
        return failure(answer)

    async def _remove(self, push: Push) -> Outcome:
        """Takes the deal away; the contact stays."""
        deal = push.remote_id
        if deal is None and push.attempt > 1:
            answer = await self._api.call("GET", f"/crm/v3/objects/{DEALS}/{push.sku}", query={"idProperty": ORDER_KEY})
            if answer.status not in (*DONE, 404) and not unknown_property(answer):
                return failure(answer)
            deal = str(answer.body["id"]) if answer.status in DONE else None
        if deal is None:
            return Confirmed()
        answer = await self._api.call("DELETE", f"/crm/v3/objects/{DEALS}/{deal}")
        return Confirmed() if answer.status in (204, 404) else failure(answer)


def _id_of(answer: Answer) -> str | None:
    """The id of the one object of an upsert; None when it was refused, also with 207 for a part of the batch."""
    results: Any = answer.body.get("results") if isinstance(answer.body, dict) else None
    return str(results[0]["id"]) if answer.status in DONE and results else None


SETTINGS = (
    Setting("url", "the address of HubSpot's API, https://api.hubapi.com"),
    Setting("token", "of a private application with the scopes to read and write contacts, deals and their schemas"),
)


def connector(settings: Mapping[str, str]) -> HubSpotConnector:
    """From the values of `SETTINGS`."""
    return HubSpotConnector(Api(settings["url"], settings["token"]))
