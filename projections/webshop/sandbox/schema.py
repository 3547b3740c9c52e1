"""What kind of value each field of a WooCommerce product takes, judged and told as WordPress does it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from daybook_projections.webshop.sandbox.answers import WooError

STATUSES = ("draft", "pending", "private", "publish", "future", "auto-draft", "trash")
TYPES = ("simple", "grouped", "external", "variable")
STOCK_STATUSES = ("instock", "outofstock", "onbackorder")
BACKORDERS = ("no", "notify", "yes")

CHOICES: Mapping[str, Sequence[str]] = {
    "status": STATUSES,
    "type": TYPES,
    "stock_status": STOCK_STATUSES,
    "backorders": BACKORDERS,
}
KINDS: Mapping[str, str] = {
    **dict.fromkeys(("name", "sku", "global_unique_id", "description", "short_description"), "string"),
    **dict.fromkeys(("regular_price", "sale_price", "status", "type", "stock_status", "backorders"), "string"),
    "manage_stock": "boolean",
    **dict.fromkeys(("stock_quantity", "menu_order"), "integer"),
    **dict.fromkeys(("attributes", "images", "categories", "meta_data"), "array"),
    "image": "object",
}
"""Fields that are not named here are ignored, as are the read-only ones (`price`, `permalink`, `date_modified`)."""


def _is_integer(value: object) -> bool:
    try:
        return not isinstance(value, bool) and float(str(value)).is_integer()
    except ValueError:
        return False


_FITS: Mapping[str, Callable[[Any], bool]] = {
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool) or value in (0, 1, "0", "1", "true", "false"),
    "integer": _is_integer,
    "array": lambda value: value == {} or (isinstance(value, list) and all(isinstance(each, dict) for each in value)),
    "object": lambda value: isinstance(value, dict) or value in ("", []),
}


def problems_of(body: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    """Field -> code and message, for the fields that WordPress would not take."""
    found: dict[str, tuple[str, str]] = {}
    for field, kind in KINDS.items():
        value = body.get(field)
        if value is None:  # as if it were not there
            continue
        if not _FITS[kind](value):
            wrong = f"{field}[0] is not of type object." if kind == "array" else f"{field} is not of type {kind}."
            found[field] = ("rest_invalid_type", wrong)
        elif field in CHOICES and value not in CHOICES[field]:
            *most, last = CHOICES[field]
            found[field] = ("rest_not_in_enum", f"{field} is not one of {', '.join(most)}, and {last}.")
    return found


def check(body: Mapping[str, Any]) -> None:
    """Raises WordPress' rest_invalid_param for fields of the wrong kind."""
    wrong = problems_of(body)
    if wrong:
        raise WooError(
            "rest_invalid_param",
            f"Invalid parameter(s): {', '.join(wrong)}",
            400,
            params={field: message for field, (_, message) in wrong.items()},
            details={
                field: {"code": code, "message": message, "data": {"param": field}}
                for field, (code, message) in wrong.items()
            },
        )
