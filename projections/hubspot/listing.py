"""What a CRM has to know of an order, or of a person. Pure."""

import msgspec
from msgspec.structs import replace

from daybook.events import PersonChanged, PersonErased, Recorded
from daybook.orders.state import Order, evolve

NAME = "hubspot"


class Customer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One order; or one person whose data changed, or who was erased."""

    order: Order | None = None
    person: str | None = None
    revision: str | None = None
    """Of the person's values in the vault."""
    erased: bool = False


def fold(state: Customer | None, recorded: Recorded) -> Customer | None:
    """The order, or the person, after one more event."""
    match recorded.event:
        case PersonChanged(person=person, revision=revision):
            return Customer(person=person, revision=revision)
        case PersonErased(person=person):
            return Customer(person=person, erased=True)
    before = state.order if state else None
    order = evolve(before, recorded.event)
    if order is before:
        return state
    return replace(state, order=order) if state is not None else Customer(order=order)
