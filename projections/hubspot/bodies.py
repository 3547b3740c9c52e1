"""What requests say of a person, and of the properties by which deals and contacts are known."""

from daybook.channel.contract import Payload
from daybook.channel.personal import Person, PostalAddress

ORDER_KEY, PERSON_KEY = "daybook_order", "daybook_person"
"""Our own properties, unique in a portal: the order's id, and the person's."""
GROUPS = {"deals": "dealinformation", "contacts": "contactinformation"}
RELAYS = ("@marketplace.amazon.", "@members.amazon.", "@verkopen.bol.com")
"""Mail addresses that a marketplace makes up for one order: whoever is behind them is nobody's contact."""


def contact(person: Person) -> dict[str, str] | None:
    """A person's properties; None for whom a CRM must not know, as nobody can be reached by it."""
    mail = (person.mail or "").lower()
    if not mail or any(relay in mail for relay in RELAYS):
        return None
    first, _, last = (person.name or "").rpartition(" ")
    address = person.address or PostalAddress()
    known = {
        "email": mail,
        "firstname": first,
        "lastname": last,
        "phone": person.phone,
        "address": ", ".join(address.lines),
        "zip": address.postcode,
        "city": address.city,
        "state": address.region,
        "country": address.country,
    }
    # An empty text clears what is there: what is known no more is to go from HubSpot, too.
    return {name: value or "" for name, value in known.items()}


def property_of(kind: str, name: str) -> Payload:
    """The property of our own, as it is made in a portal that lacks it."""
    return {
        "name": name,
        "label": "Daybook's order" if name == ORDER_KEY else "Daybook's person",
        "type": "string",
        "fieldType": "text",
        "groupName": GROUPS[kind],
        "hasUniqueValue": True,
    }
