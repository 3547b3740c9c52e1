"""What the shop makes of the fields that it is given: texts, prices, stock, attributes. Pure.

From `prepare_object_for_database` of the controllers of products and of variations (Version3), `WC_Product`'s setters
and `WC_Product_Variation`. A field that is null counts as left out there (`isset`).
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from daybook.channel.contract import Payload
from daybook_projections.webshop.sandbox import texts
from daybook_projections.webshop.sandbox.schema import STATUSES

NO_NAME = "Product"
"""What a product is called that was made without a name."""
BLANK: Payload = {
    "name": "",
    "status": "publish",
    "sku": "",
    "global_unique_id": "",
    "regular_price": "",
    "sale_price": "",
    "description": "",
    "short_description": "",
    "manage_stock": False,
    "stock_quantity": None,
    "stock_status": "instock",
    "backorders": "no",
    "images": [],
    "image": None,
    "attributes": [],
    "menu_order": 0,
    "chosen": {},
}
"""A new record. `chosen` is a variation's: attribute's key -> option."""


def given_fields(body: Mapping[str, Any]) -> dict[str, Any]:
    """Gives the fields that count."""
    return {field: value for field, value in body.items() if value is not None}


def apply(record: Payload, body: Mapping[str, Any]) -> None:
    """Applies all fields but those that other products or pictures have a say in."""
    variation = bool(record["parent_id"])
    if "status" in body:
        wanted = body["status"] if body["status"] in STATUSES else "draft"
        record["status"] = "publish" if wanted == "future" else wanted  # one without a date to come
    for field in ("stock_status", "backorders"):
        record[field] = body.get(field, record[field])
    if "description" in body:
        record["description"] = _description(str(body["description"]), variation)
    if not variation:
        _apply_product(record, body)
    if body.get("menu_order"):  # zero changes nothing
        record["menu_order"] = int(body["menu_order"])
    for field in ("regular_price", "sale_price"):
        if record["type"] == "variable":
            record[field] = ""
        elif field in body:
            record[field] = price(body[field])
    _apply_stock(record, body)


def attributes(given: Any) -> list[Payload]:
    """Makes a product's own attributes. Of two names with the same key the last one is kept."""
    found: dict[str, Payload] = {}
    for each in given if isinstance(given, list) else ():
        name = texts.text_field(str(each.get("name") or ""))
        options = each.get("options")
        if name in ("", "0") or options is None:
            continue
        key = texts.slug(name)
        found[key] = {
            "id": 0,
            "name": name,
            "slug": name,
            "position": int(each.get("position") or 0),
            "visible": bool(each.get("visible", False)),
            "variation": bool(each.get("variation", False)),
            "options": texts.options(options.split("|") if isinstance(options, str) else [str(one) for one in options]),
        }
    return sorted(found.values(), key=lambda each: each["position"])


def chosen(given: Any, parent: Payload) -> dict[str, str]:
    """Makes a variation's choice. What is no axis of its product is dropped in silence."""
    axes = axes_of(parent)
    return {
        key: texts.option(str(each.get("option", "")))
        for each in (given if isinstance(given, list) else ())
        if (key := texts.slug(str(each.get("name") or ""))) in axes
    }


def shown_choice(record: Payload, parent: Payload) -> Iterator[Payload]:
    """Shows a variation's choice by the axes that its product has now. One without an option fits every choice."""
    for key, axis in axes_of(parent).items():
        option = record["chosen"].get(key, "")
        if option:
            yield {"id": 0, "name": axis["name"], "slug": key, "option": option}


def axes_of(product: Payload) -> dict[str, Payload]:
    """Gives the attributes between which buyers choose, by key. One whose name makes no key is none."""
    found = ((texts.slug(each["name"]), each) for each in product["attributes"] if each["variation"])
    return {key: each for key, each in found if key}


def price(given: Any) -> str:
    """Keeps the digits, points and signs of a price."""
    return re.sub(r"[^0-9.-]", "", str(given))


def number(given: Any) -> str:
    """Keeps what a GTIN may hold."""
    return re.sub(r"[^0-9Xx-]", "", str(given))


def _apply_product(record: Payload, body: Mapping[str, Any]) -> None:
    record["type"] = body.get("type", record["type"])
    if "name" in body:
        name = texts.post_html(texts.unslashed(str(body["name"]))).strip(" \t\n\r\0\x0b")
        if name not in ("", "0"):  # empty() in PHP: an update with it changes nothing
            record["name"] = name
    record["name"] = record["name"] or NO_NAME
    if "short_description" in body:
        record["short_description"] = _description(str(body["short_description"]), variation=False)
    if "attributes" in body:
        record["attributes"] = attributes(body["attributes"])


def _description(text: str, variation: bool) -> str:
    # A product's text is a post's, filtered by wp_filter_post_kses; a variation's is meta of it.
    return texts.unslashed(texts.post_html(text)) if variation else texts.post_html(texts.unslashed(text))


def _apply_stock(record: Payload, body: Mapping[str, Any]) -> None:
    if "manage_stock" in body:
        record["manage_stock"] = body["manage_stock"] in (True, 1, "1", "true")
    if not record["manage_stock"]:
        record["stock_quantity"] = None  # a quantity without manage_stock is dropped in silence
    elif "stock_quantity" in body:
        given = str(body["stock_quantity"])
        record["stock_quantity"] = int(float(given)) if re.fullmatch(r"-?\d+(\.\d+)?", given) else 0
