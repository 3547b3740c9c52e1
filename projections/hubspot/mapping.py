"""An order as a deal, in HubSpot's properties; a person as an id, whose values the connector looks up. Pure.

- `deal`: the order, and that its person is its contact.
- `contact`: what is known of a person changed. Only who has ordered is in HubSpot: nobody else is put there.
- `erasure`: a person was erased, and HubSpot has to forget the contact.
"""

from daybook.catalogue.reference import Reference
from daybook.channel.contract import Rendered
from daybook.events import ChannelConfigured
from daybook.orders.state import Order
from daybook.values import Money
from daybook_projections.hubspot.listing import NAME, Customer

DEAL, CONTACT, ERASURE = "deal", "contact", "erasure"
FACETS = (DEAL, CONTACT, ERASURE)
DEFAULTS = ChannelConfigured(name=NAME)
PIPELINE = "default"
STAGES = {"unpaid": "contractsent", "paid": "closedwon", "lost": "closedlost"}
"""Of HubSpot's own first pipeline. Another portal has other ids: `extra.pipeline` and `extra.stages` name them."""


def render(state: Customer, reference: Reference) -> Rendered:
    """(order, `deal`), or (person, `contact`) or (person, `erasure`)."""
    if state.order is not None:
        return {(state.order.id, DEAL): _deal(state.order, reference.channels.get(NAME, DEFAULTS))}
    if state.person is None:
        return {}
    if state.erased:
        return {(state.person, ERASURE): {"person": state.person}}
    return {(state.person, CONTACT): {"person": state.person, "revision": state.revision}}


def _deal(order: Order, settings: ChannelConfigured) -> dict[str, object]:
    placed = order.placed
    stages = STAGES | settings.extra.get("stages", {})
    return {
        "order": order.id,
        "person": placed.person,
        "properties": {
            "dealname": f"{placed.channel} {placed.number}",
            "amount": f"{Money(order.total, placed.currency).decimal():f}",
            "deal_currency_code": placed.currency,
            "pipeline": str(settings.extra.get("pipeline", PIPELINE)),
            "dealstage": str(stages[_stage(order)]),
        },
    }


def _stage(order: Order) -> str:
    if order.status in ("cancelled", "returned") or order.payment == "refunded":
        return "lost"
    return "paid" if order.payment in ("paid", "partly_refunded") or order.placed.already_sold else "unpaid"
