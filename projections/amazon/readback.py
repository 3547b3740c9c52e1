"""What Amazon shows of a SKU, in the words of the payloads that were pushed. Pure.

Amazon keeps what it is sent and adds to it: members of its own in an entry, entries of other marketplaces, whole
attributes from its catalogue. So an attribute whose pushed entries are all there counts as pushed, an attribute that
was never pushed is left out, and of an entry that differs only the members are told that a push would have.

Price and quantity are taken from what buyers get (`offers`, `fulfillmentAvailability`) where that says something else
than the seller's attributes do. A quantity falls with every sale, too: that is a difference, and a true one.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from daybook.channel.contract import Payload, Push
from daybook.errors import InvalidValue
from daybook.values import parse_money
from daybook_projections.amazon.listing import FACETS
from daybook_projections.amazon.mapping import number
from daybook_projections.amazon.submission import holds
from daybook_projections.amazon.writing import ATTRIBUTE_OF

NOTHING: Mapping[str, Payload | None] = dict.fromkeys(FACETS)
"""A SKU that Amazon does not know."""


def facets_of(push: Push, item: Mapping[str, Any], marketplace: str) -> dict[str, Payload | None]:
    """Every facet of `push.sku` as getListingsItem gives it in `item`; None for what is not there."""
    summaries = [one for one in item.get("summaries", ()) if one.get("marketplaceId") == marketplace]
    attributes = {name: _here(value, marketplace) for name, value in (item.get("attributes") or {}).items()}
    attributes = {name: value for name, value in attributes.items() if value}
    price = _price(attributes, item, push.listing.get("price"), marketplace)
    return {
        "product": _product(attributes, summaries[0], push.listing.get("product")) if summaries else None,
        "price": price,
        "stock": _stock(attributes, item, push.listing.get("stock")),
    }


def _here(value: Any, marketplace: str) -> list[Any]:
    """The entries that hold in this marketplace."""
    entries = value if isinstance(value, list) else []
    return [one for one in entries if isinstance(one, dict) and one.get("marketplace_id", marketplace) == marketplace]


def _product(attributes: Mapping[str, list[Any]], summary: Mapping[str, Any], pushed: Payload | None) -> Payload:
    if pushed is None:
        own = {name: value for name, value in attributes.items() if name not in ATTRIBUTE_OF.values()}
        return {"productType": summary.get("productType"), "requirements": "LISTING", "attributes": own}
    sent: Mapping[str, Any] = pushed["attributes"]
    shown = {name: _worded(attributes[name], sent[name]) for name in sent if name in attributes}
    # Amazon tells the type, but not for which requirements the listing was sent.
    return {**pushed, "productType": summary.get("productType", pushed["productType"]), "attributes": shown}


def _worded(shown: list[Any], sent: Any) -> Any:
    """What was sent if it is all there; otherwise what is there, without what Amazon adds."""
    if holds(shown, sent):
        return sent
    members = {name for entry in sent for name in entry}
    return [{name: value for name, value in entry.items() if name in members} for entry in shown]


def _price(
    attributes: Mapping[str, list[Any]], item: Mapping[str, Any], pushed: Payload | None, marketplace: str
) -> Payload | None:
    name = ATTRIBUTE_OF["price"]
    sent = (pushed or {}).get(name)
    offers = attributes.get(name)
    if offers and sent:
        offers = _worded(offers, sent)
    for one in item.get("offers", ()):
        if one.get("marketplaceId") != marketplace or one.get("offerType") != "B2C":
            continue
        try:
            money = parse_money(str(one["price"]["amount"]), str(one["price"]["currencyCode"]))
        except (InvalidValue, KeyError):
            continue
        if not offers:
            offers = [{"audience": "ALL", "currency": money.currency, "marketplace_id": marketplace}]
        elif (offers[0].get("currency"), _amount(offers[0])) == (money.currency, money.decimal()):
            break
        schedule = [{"value_with_tax": number(money)}]
        offers = [offers[0] | {"currency": money.currency, "our_price": [{"schedule": schedule}]}, *offers[1:]]
        break
    return {name: offers} if offers else None


def _amount(offer: Mapping[str, Any]) -> Decimal | None:
    try:
        return Decimal(str(offer["our_price"][0]["schedule"][0]["value_with_tax"]))
    except (KeyError, IndexError, ArithmeticError):
        return None


def _stock(attributes: Mapping[str, list[Any]], item: Mapping[str, Any], pushed: Payload | None) -> Payload | None:
    name = ATTRIBUTE_OF["stock"]
    sent = (pushed or {}).get(name)
    entries = attributes.get(name)
    if entries and sent:
        entries = _worded(entries, sent)
    for one in item.get("fulfillmentAvailability", ()):
        if one.get("fulfillmentChannelCode") != "DEFAULT" or "quantity" not in one:
            continue
        own = [entry for entry in entries or () if entry.get("fulfillment_channel_code") == "DEFAULT"]
        if own and own[0].get("quantity") == one["quantity"]:
            continue
        mine = (own[0] if own else {"fulfillment_channel_code": "DEFAULT"}) | {"quantity": one["quantity"]}
        entries = [mine, *(entry for entry in entries or () if entry not in own)]
    return {name: entries} if entries else None
