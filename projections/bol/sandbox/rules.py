"""What bol's sandbox refuses in an offer or an upload: pairs of field and reason, as they stand in `violations`."""

import re
from collections.abc import Iterator
from typing import Any

from daybook.values import gtin_problem

Violation = tuple[str, str]

REQUIRED = ("ean", "condition", "pricing", "fulfilment")
PATCHABLE = (
    "unknownProductTitle",
    "economicOperatorId",
    "onHoldByRetailer",
    "reference",
    "countryAvailabilities",
    "pricing",
    "fulfilment",
    "stock",
)
LANGUAGES = ("nl", "nl-BE", "fr", "fr-BE")
SCHEDULES = ("BOL_DELIVERY_PROMISE", "MY_DELIVERY_PROMISE", "SHIPPING_VIA_BOL")


def create_violations(body: dict[str, Any]) -> list[Violation]:
    """For POST."""
    found = [_violation(name, "must not be null") for name in REQUIRED if name not in body]
    found += [_violation(name, "unknown field") for name in body if name not in (*REQUIRED, *PATCHABLE)]
    if "ean" in body:
        ean = body["ean"]
        problem = gtin_problem(ean) if isinstance(ean, str) else "must be a string"
        if problem is None and len(ean) > 13:
            problem = "must have 13 digits"
        if problem is not None:
            found.append(_violation("ean", f"'{ean}' {problem}"))
    condition = body.get("condition", {"category": "NEW"})
    if not isinstance(condition, dict) or condition.get("category") not in ("NEW", "SECONDHAND", "REFURBISHED"):
        found.append(_violation("condition.category", "must be NEW, SECONDHAND or REFURBISHED"))
    return found + list(_fields(body))


def patch_violations(body: dict[str, Any]) -> list[Violation]:
    """For PATCH: an offer's EAN and condition stay what they were when it was created."""
    return [_violation(name, "can't be changed") for name in body if name not in PATCHABLE] + list(_fields(body))


def content_violations(body: dict[str, Any]) -> list[Violation]:
    """For an upload of content."""
    found = []
    if body.get("language") not in LANGUAGES:
        found.append(_violation("language", f"must be one of {', '.join(LANGUAGES)}"))
    attributes = body.get("attributes")
    if not isinstance(attributes, list) or not 1 <= len(attributes) <= 150:
        return [*found, _violation("attributes", "size must be between 1 and 150")]
    if [each.get("id") for each in attributes].count("EAN") != 1:
        found.append(_violation("attributes", "must contain one attribute EAN"))
    for number, each in enumerate(attributes):
        if not 1 <= len(each.get("id", "")) <= 100:
            found.append(_violation(f"attributes[{number}].id", "size must be between 1 and 100"))
        values = each.get("values", [])
        if not 1 <= len(values) <= 300:
            found.append(_violation(f"attributes[{number}].values", "size must be between 1 and 300"))
        if not all(isinstance(one.get("value"), str) and 1 <= len(one["value"]) <= 10_000 for one in values):
            found.append(_violation(f"attributes[{number}].values.value", "size must be between 1 and 10000"))
        if not all(isinstance(one.get("unitId"), str) for one in values):
            found.append(_violation(f"attributes[{number}].values.unitId", "must not be null"))
    return found + list(_assets(body.get("assets") or []))


def _assets(assets: list[dict[str, Any]]) -> Iterator[Violation]:
    if len(assets) > 30:
        yield _violation("assets", "size must be between 0 and 30")
    for number, each in enumerate(assets):
        if not isinstance(each.get("url"), str):
            yield _violation(f"assets[{number}].url", "must not be null")
        labels = each.get("labels")
        if not isinstance(labels, list) or not 1 <= len(labels) <= 2:
            yield _violation(f"assets[{number}].labels", "size must be between 1 and 2")


def _fields(body: dict[str, Any]) -> Iterator[Violation]:
    for name, longest in (("unknownProductTitle", 500), ("reference", 100)):
        if name in body and not (isinstance(body[name], str) and len(body[name]) <= longest):
            yield _violation(name, f"size must be between 0 and {longest}")
    if not isinstance(body.get("onHoldByRetailer", False), bool):
        yield _violation("onHoldByRetailer", "must be true or false")
    for country in body.get("countryAvailabilities", ()):
        if country.get("countryCode") not in ("NL", "BE"):
            yield _violation("countryAvailabilities.countryCode", "must be NL or BE")
    if "pricing" in body:
        yield from _pricing(body["pricing"].get("bundlePrices", []))
    if "fulfilment" in body:
        yield from _fulfilment(body["fulfilment"])
    amount = body.get("stock", {}).get("amount", 0)
    if isinstance(amount, bool) or not isinstance(amount, int) or not 0 <= amount <= 999:
        yield _violation("stock.amount", "must be between 0 and 999")


def _pricing(bundles: list[dict[str, Any]]) -> Iterator[Violation]:
    if not bundles or bundles[0].get("quantity") != 1:
        yield _violation("pricing.bundlePrices", "must contain a price for a quantity of 1")
    for bundle in bundles:
        price = bundle.get("unitPrice")
        if isinstance(price, bool) or not isinstance(price, int | float):
            yield _violation("pricing.bundlePrices.unitPrice", "must be a number")
        elif not 1 <= price <= 9999:
            yield _violation("pricing.bundlePrices.unitPrice", f"{price} must be between 1 and 9999")
        elif not re.fullmatch(r"\d+(\.\d{1,2})?", repr(price)):
            yield _violation("pricing.bundlePrices.unitPrice", f"{price} must have at most 2 decimals")


def _fulfilment(fulfilment: dict[str, Any]) -> Iterator[Violation]:
    method, schedule = fulfilment.get("method"), fulfilment.get("schedule")
    promise = fulfilment.get("deliveryPromise")
    if method not in ("FBR", "FBB"):
        yield _violation("fulfilment.method", "must be FBR or FBB")
    if method == "FBR" and schedule not in SCHEDULES:
        yield _violation("fulfilment.schedule", f"must be one of {', '.join(SCHEDULES)}")
    if schedule != "BOL_DELIVERY_PROMISE":
        return
    if promise is None:
        yield _violation("fulfilment.deliveryPromise", "must not be null with BOL_DELIVERY_PROMISE")
    elif not 0 <= promise.get("minimumDaysToCustomer", -1) <= promise.get("maximumDaysToCustomer", -1):
        yield _violation("fulfilment.deliveryPromise", "the minimum must not be above the maximum")
    elif "ultimateOrderTime" in promise and promise["maximumDaysToCustomer"] > 1:
        yield _violation("fulfilment.deliveryPromise.ultimateOrderTime", "is for promises of at most 1 day")


def _violation(name: str, reason: str) -> Violation:
    return name, f"Request contains invalid value(s): {reason}."
