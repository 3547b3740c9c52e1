"""What Sendcloud refuses of an announcement, in JSON:API, field by field."""

from collections.abc import Iterator, Mapping
from typing import Any

Problem = tuple[str, str, str]
"""(code, what it says, pointer)."""

KNOWN = {
    "from_address",
    "to_address",
    "ship_with",
    "order_number",
    "external_reference_id",
    "parcels",
    "label_details",
    "reference",
    "total_order_price",
    "customs_information",
    "delivery_dates",
}
NEEDED = ("name", "address_line_1", "postal_code", "city", "country_code")
OPTIONS = ("postnl:standard", "dhl:connect", "ups:standard")
COUNTRIES = {"NL", "BE", "DE", "FR"}
ITEMS_MAX = 1000


def problems(body: Any) -> list[Problem]:
    """All that is wrong with an announcement."""
    if not isinstance(body, Mapping):
        return [("invalid", "Invalid data. Expected a dictionary.", "")]
    return list(_problems(body))


def _problems(body: Mapping[str, Any]) -> Iterator[Problem]:
    for name in body:
        if name not in KNOWN:
            yield "unknown_field", f"Unknown field {name}.", f"/{name}"
    address = body.get("to_address")
    if not isinstance(address, Mapping):
        yield "required", "This field is required.", "/to_address"
        address = dict.fromkeys(NEEDED, "-")
    for name in NEEDED:
        if not address.get(name):
            yield "required", "This field is required.", f"/to_address/{name}"
    if address.get("country_code") not in (*COUNTRIES, "-", None):
        yield "invalid_choice", "Not a valid choice.", "/to_address/country_code"
    if not (body.get("from_address") or {}).get("sender_address_id"):
        yield "required", "This field is required.", "/from_address"
    option = ((body.get("ship_with") or {}).get("properties") or {}).get("shipping_option_code")
    if option not in OPTIONS:
        yield "invalid_choice", f"{option} is no shipping option of this account.", "/ship_with/properties"
    yield from _parcels(body.get("parcels"))


def _parcels(parcels: Any) -> Iterator[Problem]:
    if not isinstance(parcels, list) or not 1 <= len(parcels) <= 15:
        yield "not_a_list", "Expected 1 to 15 parcels.", "/parcels"
        return
    for at, parcel in enumerate(parcels):
        if not _above_zero(parcel.get("weight")):
            yield "min_value", "The weight must be above 0.", f"/parcels/{at}/weight"
        items = parcel.get("parcel_items", [])
        if len(items) > ITEMS_MAX:
            yield "max_length", f"At most {ITEMS_MAX} items.", f"/parcels/{at}/parcel_items"
        if len({item["price"]["currency"] for item in items if "price" in item}) > 1:
            yield "invalid", "All items must have one currency.", f"/parcels/{at}/parcel_items"


def _above_zero(weight: Any) -> bool:
    try:
        return float(weight["value"]) > 0 and weight["unit"] in ("kg", "g", "lbs", "oz")
    except (TypeError, KeyError, ValueError):
        return False
