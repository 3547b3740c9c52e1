"""An order in Sendcloud's words, as far as events tell it: who gets the parcel the connector looks up. Pure."""

from daybook.catalogue.reference import Reference
from daybook.channel.contract import Held, Rendered
from daybook.events import ChannelConfigured
from daybook.values import Money
from daybook_projections.sendcloud.listing import NAME, ToShip

PARCEL = "parcel"
DEFAULTS = ChannelConfigured(name=NAME)
GRAMS_PER_PIECE = 500
WHEN = ("paid", "placed")
"""Of `extra.when`: an order is announced once it is paid in full, or at once. What a marketplace sold is paid there."""


def render(state: ToShip, reference: Reference) -> Rendered:
    """(order, `parcel`) -> what goes into it and how, or that it left; held while settings or a person are missing."""
    order, settings = state.order, reference.channels.get(NAME, DEFAULTS)
    if left := state.left():
        # Hazard: this must hold nothing of settings, or a change of them would cancel the labels of all that ever left.
        return {(order.id, PARCEL): {"order": order.id, "left": left}}
    pieces = state.pieces()
    if not pieces or not _is_due(state, settings):
        return {}
    option, sender = settings.extra.get("shipping_option"), settings.extra.get("sender_address")
    if missing := _missing(state, option, sender):
        return {(order.id, PARCEL): Held(missing)}
    grams = int(settings.extra.get("grams_per_piece", GRAMS_PER_PIECE))
    lines = order.lines
    items = [
        {
            "line": line,
            "sku": lines[line].sku,
            "quantity": quantity,
            "price": f"{Money(lines[line].price, order.placed.currency).decimal():f}",
        }
        for line, quantity in pieces.items()
    ]
    return {
        (order.id, PARCEL): {
            "order": order.id,
            "person": order.placed.person,
            "shipping_option": str(option),
            "sender_address": int(sender or 0),
            "currency": order.placed.currency,
            "grams": grams,
            "items": items,
        }
    }


def _is_due(state: ToShip, settings: ChannelConfigured) -> bool:
    order = state.order
    at_once = settings.extra.get("when", WHEN[0]) == "placed" or order.placed.already_sold
    # Money that went back says nothing of pieces: what is not to be shipped any more is cancelled by its lines.
    spared = sum(order.lines[line].price * pieces for line, pieces in order.cancelled.items())
    return at_once or order.paid >= order.total - spared


def _missing(state: ToShip, option: object, sender: object) -> tuple[str, ...]:
    reasons = []
    if state.order.placed.person is None:
        reasons.append("it names no person: nobody knows where to send it")
    if not option:
        reasons.append(f"the settings of {NAME} have no extra.shipping_option, such as postnl:standard")
    if not str(sender or "").isdigit():
        reasons.append(f"the settings of {NAME} have no extra.sender_address, the number of an address in Sendcloud")
    return tuple(reasons)
