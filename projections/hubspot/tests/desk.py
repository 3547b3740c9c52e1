"""One sandbox of HubSpot and one connector, with a vault of some people."""

import asyncio
from collections.abc import Awaitable, Callable

from daybook.channel import personal
from daybook.channel.contract import Confirmed, Outcome, Payload, Push
from daybook.channel.personal import Person, PostalAddress
from daybook.channel.testing import History
from daybook.events import OrderLine, OrderPaid, OrderPlaced
from daybook.values import Money
from daybook_projections.hubspot.connector import connector
from daybook_projections.hubspot.sandbox.server import HubSpotSandbox

PERSON, OTHER = "01936f1e-7a60-7000-8000-000000000001", "01936f1e-7a60-7000-8000-000000000002"
ORDER = "webshop:1001"
ADA = Person(
    name="Ada King Byron",
    mail="Ada@Example.com",
    phone="+31 20 555 0199",
    address=PostalAddress(lines=("Kanaalstraat 1",), postcode="1011 AB", city="Amsterdam", country="NL"),
)


def placed(order: str = ORDER, person: str | None = PERSON) -> OrderPlaced:
    """An order of 20 euros."""
    channel, _, number = order.partition(":")
    line = OrderLine(line="1", sku="S1", quantity=2, price=1000)
    return OrderPlaced(order=order, channel=channel, number=number, currency="EUR", lines=(line,), person=person)


def paid(cents: int = 2000) -> OrderPaid:
    """A payment."""
    return OrderPaid(amount=Money(cents, "EUR"))


def history(order: str = ORDER, person: str | None = PERSON) -> History:
    """An order that is paid."""
    return History().happened(placed(order, person), paid())


def deal(order: str = ORDER, person: str | None = PERSON, stage: str = "closedwon") -> Payload:
    """What is rendered of it."""
    return {
        "order": order,
        "person": person,
        "properties": {
            "dealname": order.replace(":", " "),
            "amount": "20.00",
            "deal_currency_code": "EUR",
            "pipeline": "default",
            "dealstage": stage,
        },
    }


class Desk:
    """Pushes, with the ids that came of them."""

    def __init__(self, sandbox: HubSpotSandbox, people: dict[str, Person | None], **settings: str) -> None:
        self.looks = 0
        self.erased_after: int | None = None
        """After so many looks into the vault nobody is in it."""

        async def lookup(person: str) -> Person | None:
            self.looks += 1
            erased = self.erased_after is not None and self.looks > self.erased_after
            return None if erased else people.get(person)

        self.people = people
        self.sandbox = sandbox
        token = personal.people.set(lookup)
        self.connector = connector(sandbox.settings() | settings)
        personal.people.reset(token)
        self.ids: dict[str, str] = {}

    async def push(self, subject: str, facet: str, payload: Payload | None, attempt: int = 1) -> Outcome:
        """What became of it."""
        push = Push(
            sku=subject,
            key=subject,
            facet=facet,
            payload=payload,
            listing={facet: payload} if payload is not None else {},
            remote_id=self.ids.get(subject),
            remote_ids={},
            position=1,
            attempt=attempt,
        )
        outcome = await self.connector.push(push)
        if isinstance(outcome, Confirmed) and outcome.remote_id is not None:
            self.ids[subject] = outcome.remote_id
        return outcome

    async def order(self, payload: Payload | None = None, attempt: int = 1) -> Outcome:
        """Brings an order's deal."""
        wanted = payload or deal()
        return await self.push(wanted["order"], "deal", wanted, attempt)


def at_the_desk(
    test: Callable[[Desk], Awaitable[None]], people: dict[str, Person | None] | None = None, **settings: str
) -> None:
    """Runs a test with a portal that was just opened."""

    async def main() -> None:
        sandbox = HubSpotSandbox()
        await sandbox.start()
        desk = Desk(sandbox, {PERSON: ADA} if people is None else people, **settings)
        try:
            await test(desk)
        finally:
            await desk.connector.close()
            await sandbox.stop()

    asyncio.run(main())
