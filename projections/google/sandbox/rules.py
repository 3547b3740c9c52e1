"""What Google refuses at once, and what it finds wrong with a product that it took.

Shapes and enums are those of products_common.proto and productinputs.proto (v1); the issues' codes are those of
Google's list of product issues. Where the published contract is silent on which of the two it is (a text that is too
long, a missing title), the product is taken and gets an issue.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

Problem = tuple[str, str, str]
"""Field, reason and message of a refusal."""

INT64_MAX = 2**63 - 1
TEXTS: dict[str, int] = {
    "title": 150,
    "description": 5000,
    "link": 2000,
    "imageLink": 2000,
    "brand": 70,
    "mpn": 70,
    "itemGroupId": 50,
    "googleProductCategory": 750,
    "color": 100,
    "size": 100,
    "material": 200,
    "pattern": 100,
}
"""The longest that each may be."""
LISTS: dict[str, int] = {"gtins": 10, "additionalImageLinks": 10, "productTypes": 10}
ENUMS = {
    "availability": ("IN_STOCK", "OUT_OF_STOCK", "PREORDER", "LIMITED_AVAILABILITY", "BACKORDER"),
    "condition": ("NEW", "USED", "REFURBISHED"),
}
FLAGS = ("identifierExists",)
MONEY = ("price", "salePrice")
ATTRIBUTES = frozenset({*TEXTS, *LISTS, *ENUMS, *FLAGS, *MONEY})
"""Those that this sandbox knows: a misspelt one is refused, as by Google; so is one that only Google knows."""
INPUT_FIELDS = frozenset({"name", "offerId", "contentLanguage", "feedLabel", "versionNumber", "productAttributes"})
REQUIRED = ("title", "description", "link", "imageLink", "availability", "price")

_LANGUAGE = re.compile(r"[a-z]{2}\Z")
_LABEL = re.compile(r"[A-Z0-9_-]{1,20}\Z")
_INTEGER = re.compile(r"-?[0-9]{1,19}\Z")


def input_problems(body: Mapping[str, Any]) -> Iterator[Problem]:
    """Why an insert is refused."""
    yield from shape_problems(body)
    offer = body.get("offerId")
    if not isinstance(offer, str) or not 1 <= len(offer) <= 50:
        yield "offerId", "INVALID_OFFER_ID", "must have 1 to 50 characters"
    if not isinstance(body.get("contentLanguage"), str) or not _LANGUAGE.match(body["contentLanguage"]):
        yield "contentLanguage", "INVALID_CONTENT_LANGUAGE", "must be a two-letter ISO 639-1 code"
    if not isinstance(body.get("feedLabel"), str) or not _LABEL.match(body["feedLabel"]):
        yield "feedLabel", "INVALID_FEED_LABEL", "must have 1 to 20 of A-Z, 0-9, hyphen and underscore"


def shape_problems(body: Mapping[str, Any]) -> Iterator[Problem]:
    """What is no product input at all."""
    for name in body.keys() - INPUT_FIELDS:
        yield name, "UNKNOWN_FIELD", f'Invalid JSON payload received. Unknown name "{name}": Cannot find field.'
    version = body.get("versionNumber", "0")
    if isinstance(version, bool) or not _INTEGER.match(str(version)) or int(version) > INT64_MAX:
        yield "versionNumber", "INVALID_VALUE", "Invalid value (TYPE_INT64)"
    attributes = body.get("productAttributes", {})
    if not isinstance(attributes, dict):
        yield "productAttributes", "INVALID_VALUE", "Invalid value (a message)"
        return
    for name, value in attributes.items():
        wrong = _wrong(name, value)
        if wrong is not None:
            yield f"productAttributes.{name}", "INVALID_VALUE", wrong


def _wrong(name: str, value: object) -> str | None:
    if name in TEXTS:
        return None if isinstance(value, str) else "Invalid value (TYPE_STRING)"
    if name in LISTS:
        fits = isinstance(value, list) and all(isinstance(each, str) for each in value)
        return None if fits else "Invalid value (repeated TYPE_STRING)"
    if name in ENUMS:
        return None if value in ENUMS[name] else f"Invalid value (enum): {value}"
    if name in FLAGS:
        return None if isinstance(value, bool) else "Invalid value (TYPE_BOOL)"
    if name in MONEY:
        fits = (
            isinstance(value, dict)
            and value.keys() == {"amountMicros", "currencyCode"}
            and bool(_INTEGER.match(str(value["amountMicros"])))
            and re.match(r"[A-Z]{3}\Z", str(value["currencyCode"])) is not None
        )
        return None if fits else "Invalid value (google.shopping.type.Price)"
    return f'Invalid JSON payload received. Unknown name "{name}": Cannot find field.'


def issues(attributes: Mapping[str, Any], crawled: object, broken: bool) -> list[dict[str, Any]]:
    """The item-level issues. `crawled` is the price on the product's page (None: not looked at yet)."""
    found = [_issue("item_missing_required_attribute", n, "Missing value") for n in REQUIRED if not attributes.get(n)]
    if broken:
        found.append(_issue("image_link_broken", "imageLink", "Invalid image"))
    if crawled is not None and attributes.get("price") and crawled != attributes["price"]:
        found.append(_issue("price_mismatch", "price", "Mismatched value (page crawl)"))
    found += [
        _issue("item_invalid_attribute", name, "Text too long", "NOT_IMPACTED")
        for name, length_max in TEXTS.items()
        if len(attributes.get(name, "")) > length_max
    ]
    found += [
        _issue("attribute_has_too_many_values", name, "Too many values", "NOT_IMPACTED")
        for name, count_max in LISTS.items()
        if len(attributes.get(name, ())) > count_max
    ]
    gtins = attributes.get("gtins", [])
    if any(not _checks(gtin) for gtin in gtins):
        found.append(_issue("invalid_gtin", "gtins", "Invalid value"))
    elif any(gtin.zfill(13).startswith(("02", "04", "2")) for gtin in gtins if len(gtin) != 8):
        found.append(_issue("restricted_gtin", "gtins", "Unsupported value (restricted)", "DEMOTED"))
    if not gtins and not attributes.get("mpn") and attributes.get("identifierExists", True):
        found.append(_issue("missing_gtin", "gtins", "Limited performance due to missing value", "DEMOTED"))
    return found


def _issue(code: str, attribute: str, description: str, severity: str = "DISAPPROVED") -> dict[str, Any]:
    return {
        "code": code,
        "severity": severity,
        "resolution": "MERCHANT_ACTION",
        "attribute": attribute,
        "reportingContext": "SHOPPING_ADS",
        "description": f"{description} [{attribute}]",
        "detail": f"Correct {attribute} in your product data",
        "documentation": "https://support.google.com/merchants",
    }


def _checks(gtin: str) -> bool:
    if not gtin.isdigit() or len(gtin) not in (8, 12, 13, 14):
        return False
    weighted = sum(int(digit) * (3 if at % 2 else 1) for at, digit in enumerate(reversed(gtin)))
    return weighted % 10 == 0
