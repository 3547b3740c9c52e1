"""One sandbox of Sendcloud, one connector with a vault of one person, and what it told of one order."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from daybook.channel import personal
from daybook.channel.contract import Accepted, Confirmed, Outcome, Payload, Push
from daybook.channel.personal import Person, PostalAddress
from daybook.channel.testing import History
from daybook.events import ChannelConfigured, OrderLine, OrderPaid, OrderPlaced
from daybook.values import Money
from daybook_projections.sendcloud.connector import connector
from daybook_projections.sendcloud.sandbox.server import SendcloudSandbox

PERSON = "01936f1e-7a60-7000-8000-000000000001"
ORDER = "webshop:1001"
ADA = Person(
    name="Ada Byron",
    mail="ada@example.com",
    phone="+31 20 555 0199",
    address=PostalAddress(lines=("Kanaalstraat 1", "2 hoog"), postcode="1011 AB", city="Amsterdam", country="NL"),
)
CONFIGURED = ChannelConfigured(
    name="sendcloud", extra={"shipping_option": "postnl:standard", "sender_address": "7", "grams_per_piece": 250}
)


def placed(*pieces: int, order: str = ORDER, person: str | None = PERSON, **fields: Any) -> OrderPlaced:
    """An order with a line of so many pieces each, at 10 euros."""
    channel, _, number = order.partition(":")
    lines = tuple(
        OrderLine(line=str(n), sku=f"S{n}", quantity=quantity, price=1000) for n, quantity in enumerate(pieces, 1)
    )
    return OrderPlaced(
        order=order,
        channel=channel,
        number=number,
        currency="EUR",
        lines=lines,
        person=person,
        sold_at=datetime(2026, 1, 1, tzinfo=UTC),
        **fields,
    )


def paid(cents: int) -> OrderPaid:
    """A payment."""
    return OrderPaid(amount=Money(cents, "EUR"))


def history(*pieces: int) -> History:
    """An order that is paid, with all settings."""
    return History().happened(CONFIGURED, placed(*pieces), paid(1000 * sum(pieces)))


def wanted(*pieces: int) -> Payload:
    """What is rendered of it."""
    items = [
        {"line": str(n), "sku": f"S{n}", "quantity": quantity, "price": "10.00"} for n, quantity in enumerate(pieces, 1)
    ]
    return {
        "order": ORDER,
        "person": PERSON,
        "shipping_option": "postnl:standard",
        "sender_address": 7,
        "currency": "EUR",
        "grams": 250,
        "items": items,
    }


class Desk:
    """Pushes for one order."""

    def __init__(self, sandbox: SendcloudSandbox, people: dict[str, Person] | None = None, **settings: str) -> None:
        known = {PERSON: ADA} if people is None else people

        async def lookup(person: str) -> Person | None:
            return known.get(person)

        self.sandbox = sandbox
        token = personal.people.set(lookup)
        self.connector = connector(sandbox.settings() | settings)
        personal.people.reset(token)
        self.remote_id: str | None = None

    def described(self, payload: Payload | None, attempt: int = 1) -> Push:
        """The push as the engine would describe it."""
        return Push(
            sku=ORDER,
            key=f"@order/{ORDER}",
            facet="parcel",
            payload=payload,
            listing={"parcel": payload} if payload is not None else {},
            remote_id=self.remote_id,
            remote_ids={},
            position=1,
            attempt=attempt,
        )

    async def push(self, payload: Payload | None, attempt: int = 1) -> Outcome:
        """What became of it; an id is remembered."""
        return self._noted(await self.connector.push(self.described(payload, attempt)), payload)

    async def confirm(self, payload: Payload | None, submission: str) -> Outcome:
        """What became of a submission."""
        return self._noted(await self.connector.confirm(self.described(payload), submission), payload)

    def _noted(self, outcome: Outcome, payload: Payload | None) -> Outcome:
        if isinstance(outcome, Confirmed | Accepted) and outcome.remote_id is not None:
            self.remote_id = outcome.remote_id
        if isinstance(outcome, Confirmed) and payload is None:
            self.remote_id = None
        return outcome


def at_the_desk(
    test: Callable[[Desk], Awaitable[None]], people: dict[str, Person] | None = None, **settings: str
) -> None:
    """Runs a test with a sandbox that was just opened."""

    async def main() -> None:
        sandbox = SendcloudSandbox()
        await sandbox.start()
        desk = Desk(sandbox, people, **settings)
        try:
            await test(desk)
        finally:
            await desk.connector.close()
            await sandbox.stop()

    asyncio.run(main())
