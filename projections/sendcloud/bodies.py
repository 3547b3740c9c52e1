"""What an announcement says: the order's part of it, and the address of who gets it."""

from daybook.channel.contract import Payload
from daybook.channel.personal import Person, PostalAddress


def lacking(person: Person) -> tuple[str, ...]:
    """What Sendcloud must have of who gets a parcel and the vault does not know."""
    address = person.address or PostalAddress()
    needed = {
        "name": person.name,
        "address.lines": address.lines,
        "address.postcode": address.postcode,
        "address.city": address.city,
        "address.country": address.country,
    }
    return tuple(name for name, value in needed.items() if not value)


def announcement(payload: Payload, person: Person, reference: str) -> Payload:
    """The body of POST /shipments/announce."""
    address = person.address or PostalAddress()
    first, *more = address.lines or ("",)
    to_address = {
        "name": person.name,
        "address_line_1": first,
        "address_line_2": ", ".join(more) or None,
        "postal_code": address.postcode,
        "city": address.city,
        "state_province_code": address.region,
        "country_code": address.country,
        "email": person.mail,
        "phone_number": person.phone,
    }
    grams = payload["grams"]
    return {
        "external_reference_id": reference,
        "order_number": payload["order"],
        "from_address": {"sender_address_id": payload["sender_address"]},
        "to_address": {name: value for name, value in to_address.items() if value is not None},
        "ship_with": {
            "type": "shipping_option_code",
            "properties": {"shipping_option_code": payload["shipping_option"]},
        },
        "parcels": [
            {
                "weight": _kilograms(grams * sum(one["quantity"] for one in payload["items"])),
                "parcel_items": [
                    {
                        "item_id": one["line"],
                        "sku": one["sku"],
                        "description": one["sku"],
                        "quantity": one["quantity"],
                        "weight": _kilograms(grams),
                        "price": {"value": one["price"], "currency": payload["currency"]},
                    }
                    for one in payload["items"]
                ],
            }
        ],
    }


def _kilograms(grams: int) -> Payload:
    return {"value": f"{grams / 1000:.3f}", "unit": "kg"}
