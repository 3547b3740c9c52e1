"""The sandbox's Amazon: listings by SKU, a queue of accepted submissions, and what is wrong with a submission.

Submissions are applied when their time has come, at the next look from outside: there is no task to wait for, and
with a clock of its own a test decides when that is.
"""

import hashlib
import heapq
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec

from daybook.channel.contract import Payload
from daybook.errors import InvalidValue
from daybook.values import exponent, gtin_problem

Issue = dict[str, Any]
Attributes = dict[str, Any]
TITLE_LENGTH_MAX = 200
SKU_LENGTH_MAX = 40
_LANGUAGE = re.compile(r"[a-z]{2}_[A-Z]{2}\Z")
_REQUIRED = ("item_name", "brand")
_REQUIRED_OF_OFFERS = ("condition_type", "purchasable_offer")
SELECTORS = ("marketplace_id", "language_tag", "fulfillment_channel_code", "audience", "currency")


class Listing(msgspec.Struct, kw_only=True):
    """One SKU: what the seller sent, and what came of it."""

    sku: str
    product_type: str
    asin: str
    created_at: str
    updated_at: str
    attributes: Attributes = {}
    issues: list[Issue] = []
    price: tuple[str, str] | None = None
    """Currency and decimal amount that buyers pay."""
    quantity: int | None = None

    def first(self, attribute: str, member: str = "value") -> Any:
        entries = self.attributes.get(attribute) or [{}]
        return entries[0].get(member)

    @property
    def is_listed(self) -> bool:
        """False for what a PATCH left that found no listing: an offer, and no item that it is for."""
        return bool(self.attributes.get("item_name"))

    @property
    def is_parent(self) -> bool:
        return bool(self.first("parentage_level") == "parent")

    @property
    def status(self) -> list[str]:
        """BUYABLE and DISCOVERABLE, as far as they hold."""
        actions = {action["action"] for issue in self.issues for action in issue.get("enforcements", _NONE)["actions"]}
        if "LISTING_SUPPRESSED" in actions:
            return []
        buyable = self.is_listed and not self.is_parent and self.price is not None and bool(self.quantity)
        return ["BUYABLE", "DISCOVERABLE"] if buyable else ["DISCOVERABLE"]


_NONE: dict[str, list[dict[str, str]]] = {"actions": []}


class Marketplace:
    """One seller's listings in one marketplace."""

    def __init__(self, marketplace_id: str, apply_after_seconds: float, clock: Callable[[], float]) -> None:
        self.marketplace_id = marketplace_id
        self.apply_after_seconds = apply_after_seconds
        self.price_lag_seconds = 0.0
        self.late_issues: dict[str, Issue] = {}
        self.unfinished: Callable[[], bool] = lambda: False
        """While it says so, what is accepted is never applied."""
        self._listings: dict[str, Listing] = {}
        self._queue: list[tuple[float, int, Callable[[], None]]] = []
        self._submitted = 0
        self._clock = clock

    def listings(self) -> Mapping[str, Listing]:
        """Every listing as it is now."""
        while self._queue and self._queue[0][0] <= self._clock():
            heapq.heappop(self._queue)[2]()
        return self._listings

    def later(self, seconds: float, do: Callable[[], None]) -> None:
        """Queues a change; those that are due together happen in the order in which they were queued."""
        self._submitted += 1
        heapq.heappush(self._queue, (self._clock() + seconds, self._submitted, do))

    def submit(self, sku: str, product_type: str, attributes: Attributes, seconds: float | None = None) -> None:
        """Accepts a listing's new attributes, to be applied later: as soon as everything is, or after `seconds`."""
        self._accepted(seconds, lambda: self._apply(sku, product_type, attributes))

    def patch(
        self, sku: str, product_type: str, patches: Sequence[Mapping[str, Any]], seconds: float | None = None
    ) -> None:
        """Accepts patches, to be applied later to what the listing is then, and be it nothing."""

        def apply() -> None:
            found = self._listings.get(sku)
            attributes = found.attributes if found is not None else {}
            self._apply(sku, found.product_type if found is not None else product_type, patched(attributes, patches))

        self._accepted(seconds, apply)

    def remove(self, sku: str, seconds: float | None = None) -> None:
        """Accepts a removal, to be carried out later."""

        def apply() -> None:
            self._listings.pop(sku, None)

        self._accepted(seconds, apply)

    def _accepted(self, seconds: float | None, do: Callable[[], None]) -> None:
        if seconds == 0:
            do()
        elif not self.unfinished():
            self.later(self.apply_after_seconds if seconds is None else seconds, do)

    def _apply(self, sku: str, product_type: str, attributes: Attributes) -> None:
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        listing = self._listings.get(sku)
        if listing is None:
            listing = self._listings[sku] = Listing(
                sku=sku, product_type=product_type, asin=_asin(sku, attributes), created_at=now, updated_at=now
            )
        listing.product_type, listing.attributes, listing.updated_at = product_type, attributes, now
        listing.issues = [*self._family_issues(attributes), *filter(None, [self.late_issues.get(sku)])]
        listing.quantity = listing.first("fulfillment_availability", "quantity")
        price = _price(attributes)
        if self.price_lag_seconds and listing.price != price:
            # Seen at Amazon: of one submission, the quantity is live before the price.
            self.later(self.price_lag_seconds, lambda: setattr(listing, "price", price))
        else:
            listing.price = price

    def _family_issues(self, attributes: Attributes) -> Iterable[Issue]:
        for related in attributes.get("child_parent_sku_relationship", ()):
            parent = self._listings.get(related["parent_sku"])
            if parent is None or not parent.is_parent:
                # The number is a stand-in: Amazon's own for a parent SKU that it does not know was not to be found.
                message = f"We cannot recognize your parent SKU: [{related['parent_sku']}]."
                yield issue("8007", message, "INVALID_ATTRIBUTE", "child_parent_sku_relationship")


def issue(code: str, message: str, category: str, attribute: str) -> Issue:
    """One ERROR in the contract's form."""
    return {
        "code": code,
        "message": message,
        "severity": "ERROR",
        "attributeNames": [attribute],
        "categories": [category],
    }


def problems(requirements: str, attributes: Attributes, marketplace_id: str) -> list[Issue]:
    """Why Amazon would call this listing INVALID.

    90220 for what is missing is Amazon's own number and sentence. For a value that is wrong it says 4000001 in public
    reports; which number it has for a wrong check digit is not documented, so that one is used here too.
    """
    found: list[Issue] = []
    is_parent = any(entry.get("value") == "parent" for entry in attributes.get("parentage_level", ()))
    required = [*_REQUIRED]
    if not is_parent and requirements != "LISTING_PRODUCT_ONLY":
        required += _REQUIRED_OF_OFFERS
    if attributes.get("child_parent_sku_relationship"):
        themes = attributes.get("variation_theme", ())
        required += [part.lower() for theme in themes for part in theme["name"].split("/") if part]
    for name in required:
        if not attributes.get(name):
            found.append(issue("90220", f"'{name}' is required but not supplied.", "MISSING_ATTRIBUTE", name))

    def wrong(name: str, category: str = "INVALID_ATTRIBUTE") -> None:
        found.append(issue("4000001", f"The provided value for '{name}' is invalid.", category, name))

    for name, entries in attributes.items():
        if not isinstance(entries, list) or not all(_is_entry(entry, marketplace_id) for entry in entries):
            wrong(name)
    if found:
        return found
    if any(len(entry["value"]) > TITLE_LENGTH_MAX for entry in attributes.get("item_name", ())):
        wrong("item_name")
    if any(gtin_problem(entry["value"]) for entry in attributes.get("externally_assigned_product_identifier", ())):
        wrong("externally_assigned_product_identifier")
    price = _price(attributes)
    if price is not None and (Decimal(price[1]) <= 0 or _too_fine(attributes)):
        wrong("purchasable_offer", "INVALID_PRICE")
    if any(entry.get("quantity", 0) < 0 for entry in attributes.get("fulfillment_availability", ())):
        wrong("fulfillment_availability")
    return found


def _is_entry(entry: Any, marketplace_id: str) -> bool:
    return (
        isinstance(entry, dict)
        and entry.get("marketplace_id", marketplace_id) == marketplace_id
        and _LANGUAGE.match(str(entry.get("language_tag", "nl_NL"))) is not None
    )


def patched(attributes: Attributes, patches: Sequence[Mapping[str, Any]]) -> Attributes:
    """The attributes after the patches. `merge` and `delete` tell entries apart by their selectors."""
    result = dict(attributes)
    for patch in patches:
        name, value = patch["path"].removeprefix("/attributes/"), patch.get("value") or []
        left = [old for old in result.get(name, ()) if not any(_selected(old, new) for new in value)]
        if patch["op"] in ("add", "replace"):
            result[name] = value
        elif patch["op"] == "merge":
            result[name] = left + value
        elif left and value:
            result[name] = left
        else:
            result.pop(name, None)
    return result


def _selected(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    return all(old.get(name) == new[name] for name in SELECTORS if name in new)


def _price(attributes: Attributes) -> tuple[str, str] | None:
    for offer in attributes.get("purchasable_offer", ()):
        amount = _amount(offer)
        try:
            return offer["currency"], f"{amount:.{exponent(offer['currency'])}f}"
        except InvalidValue:
            return offer["currency"], "0"
    return None


def _amount(offer: Mapping[str, Any]) -> Decimal:
    return Decimal(str(offer["our_price"][0]["schedule"][0]["value_with_tax"]))


def _too_fine(attributes: Attributes) -> bool:
    """Whether a price has more decimals than its currency."""
    return any(
        _amount(offer) != Decimal((_price(attributes) or ("", "0"))[1]) for offer in attributes["purchasable_offer"]
    )


def _asin(sku: str, attributes: Attributes) -> str:
    """The catalogue's number: the same for the same product identifier, as at Amazon."""
    known = [entry["value"].zfill(14) for entry in attributes.get("externally_assigned_product_identifier", ())]
    return "B0" + hashlib.sha256((known or [sku])[0].encode()).hexdigest()[:8].upper()


def shown(listing: Listing) -> Payload:
    """What buyers see, in plain terms."""
    currency, amount = listing.price or (None, None)
    return {
        "title": listing.first("item_name"),
        "description": listing.first("product_description"),
        "brand": listing.first("brand"),
        "price": amount,
        "currency": currency,
        "stock": listing.quantity,
        "asin": listing.asin,
        "parent": listing.first("child_parent_sku_relationship", "parent_sku"),
        "live": "DISCOVERABLE" in listing.status,
        "buyable": "BUYABLE" in listing.status,
    }


def view(listing: Listing, included: Iterable[str], marketplace_id: str, children: Sequence[str]) -> dict[str, Any]:
    """The answer of getListingsItem."""
    here = {"marketplaceId": marketplace_id}
    summary = here | {
        "asin": listing.asin,
        "productType": listing.product_type,
        "status": listing.status,
        "itemName": listing.first("item_name"),
        "createdDate": listing.created_at,
        "lastUpdatedDate": listing.updated_at,
    }
    if listing.first("condition_type"):
        summary["conditionType"] = listing.first("condition_type")
    if listing.first("main_product_image_locator", "media_location"):
        link = listing.first("main_product_image_locator", "media_location")
        summary["mainImage"] = {"link": link, "height": 500, "width": 500}
    offers, availability, relations = [], [], []
    if listing.is_listed and listing.price is not None:
        price = {"currencyCode": listing.price[0], "amount": listing.price[1]}
        offers.append(here | {"offerType": "B2C", "price": price, "audience": {"value": "ALL"}})
    if listing.is_listed and listing.quantity is not None:
        availability.append({"fulfillmentChannelCode": "DEFAULT", "quantity": listing.quantity})
    parent = listing.first("child_parent_sku_relationship", "parent_sku")
    if parent or children:
        related = {"parentSkus": [parent]} if parent else {"childSkus": list(children)}
        theme = str(listing.first("variation_theme", "name") or "")
        names = [part.lower() for part in theme.split("/") if part]
        variation = {"type": "VARIATION", "variationTheme": {"attributes": names, "theme": theme}} | related
        relations.append(here | {"relationships": [variation]})
    data = {
        "summaries": [summary] if listing.is_listed else [],
        "attributes": listing.attributes,
        "issues": listing.issues,
        "offers": offers,
        "fulfillmentAvailability": availability,
        "procurement": [],
        "relationships": relations,
        "productTypes": [here | {"productType": listing.product_type}],
    }
    return {"sku": listing.sku} | {name: data[name] for name in included}
