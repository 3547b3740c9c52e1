"""Taking orders in: who orders is kept in the vault, and the order itself in the log, in one command."""

from datetime import datetime

import msgspec

from daybook.commands.book import Book, Command, CommandResult
from daybook.commands.orders import NewCustomer, OrderedLine, PlaceOrder
from daybook.commands.people import People
from daybook.errors import InvalidValue
from daybook.log.pending import Context
from daybook.people.person import Person, refuse_telling


class NewOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An order that came on a channel."""

    channel: str
    number: str
    """The channel's own number of the order: with the channel, its name everywhere."""
    currency: str
    lines: tuple[OrderedLine, ...]
    person: str | None = None
    """Who ordered, when he or she is known already: the id."""
    customer: Person | None = None
    """Who ordered, when he or she is new: kept in the vault, and the order has the id alone."""
    shipping: str = "0"
    """What the customer pays for the shipping."""
    tax_included: bool = True
    """Prices and shipping hold the taxes already; else they come on top."""
    already_sold: bool = False
    """The channel made the sale before: it is recorded whatever is there, and what is not is oversold."""
    sold_at: datetime | None = None
    """When the channel sold it."""

    @property
    def name(self) -> str:
        """Its name everywhere."""
        return f"{self.channel}:{self.number}"

    def command(self) -> PlaceOrder:
        """The command, without the customer."""
        said = {name: getattr(self, name) for name in self.__struct_fields__ if name != "customer"}
        return PlaceOrder(**said)


class OrderIntake:
    """Places orders. Thread-safe; any number of processes."""

    def __init__(self, book: Book, people: People) -> None:
        self._book = book
        self._people = people

    def place(self, new: NewOrder, context: Context, *, repeatable: bool = False) -> CommandResult:
        """Places the order, with a customer who is new: the events hold the id alone, and both are there or neither.

        An order that was placed before adds nobody. Raises what `Book.carry_out` and `People.add` raise.
        """
        order, customer = new.command(), new.customer
        if customer is None:
            return self._book.carry_out(order, context, repeatable=repeatable)
        if order.person is not None:
            raise InvalidValue("person", "is somebody who is known, and `customer` somebody new: give one of them")
        refuse_telling({"number": order.number}, customer)

        def adding(person: str, revision: str) -> Command:
            added = NewCustomer(person=person, fields=customer.fields(), revision=revision)
            return msgspec.structs.replace(order, customer=added)

        return self._people.add_with(customer, adding, new, context, repeatable=repeatable)
