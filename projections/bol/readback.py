"""What bol says of an offer, in the words in which its facets are pushed. Pure.

bol adds members of its own (`forSale`, `correctedStock`, the product's id), fills an EAN up with zeros, and drops the
title of an offer once it knows the product. An offer that was brought and is untouched must still compare equal.
"""

from collections.abc import Mapping
from typing import Any

from daybook.channel.contract import Payload
from daybook_projections.bol.mapping import OFFER, PRICE, STOCK

KNOWN: Mapping[str, tuple[str, ...]] = {
    OFFER: (
        "ean",
        "condition",
        "reference",
        "onHoldByRetailer",
        "countryAvailabilities",
        "fulfilment",
        "unknownProductTitle",
        "economicOperatorId",
    ),
    PRICE: ("pricing",),
    STOCK: ("stock",),
}
MEMBERS = {"countryAvailabilities": ("countryCode",), "stock": ("amount", "managedByRetailer")}
"""Of these fields only the members that an offer is given; the others are bol's."""


def facets_of(offer: Payload, pushed: Mapping[str, Payload]) -> dict[str, Payload | None]:
    """The offer's facets as bol shows them: the fields that were pushed, or all where the facet never was.

    A field that was not pushed can't be taken off bol again by leaving it out, so it says nothing.
    """
    found: dict[str, Payload | None] = {}
    for facet, names in KNOWN.items():
        wanted = pushed.get(facet)
        shown = {
            name: _own(name, offer[name])
            for name in names
            if offer.get(name) is not None and (wanted is None or name in wanted)
        }
        found[facet] = _in_words_of(wanted, shown) if shown else None
    return found


def same_ean(one: object, other: object) -> bool:
    """bol may give an EAN back without or with more zeros in front; the number is what counts."""
    return str(one or "").lstrip("0") == str(other or "").lstrip("0")


def _own(name: str, value: Any) -> Any:
    members = MEMBERS.get(name)
    if members is None:
        return value
    if isinstance(value, list):
        return [{each: one[each] for each in members if each in one} for one in value]
    return {each: value[each] for each in members if each in value}


def _in_words_of(wanted: Payload | None, shown: Payload) -> Payload:
    if wanted is None:
        return shown
    if "unknownProductTitle" in wanted:
        shown.setdefault("unknownProductTitle", wanted["unknownProductTitle"])
    if "ean" in wanted and same_ean(shown.get("ean"), wanted["ean"]):
        shown["ean"] = wanted["ean"]
    countries = wanted.get("countryAvailabilities", [])
    if len(countries) == len(shown.get("countryAvailabilities", [])) and all(
        each in shown["countryAvailabilities"] for each in countries
    ):
        shown["countryAvailabilities"] = countries
    return {name: shown[name] for name in wanted if name in shown}
