"""What Shopify's sandbox refuses in a productSet."""

import re
from typing import Any

from daybook.channel.contract import Payload

OPTIONS_MAX = 3
VARIANTS_MAX = 2048
TITLE_LENGTH_MAX = 255
STATUSES = ("ACTIVE", "DRAFT", "ARCHIVED", "UNLISTED")


class GraphError(Exception):
    """An error of the whole request, in `errors`."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


class UserErrors(Exception):
    """A refusal of the mutation, in its `userErrors`."""

    def __init__(self, code: str | None, message: str, field: list[str]) -> None:
        super().__init__(message)
        error: dict[str, Any] = {"field": field or None, "message": message}
        self.errors = [error if code is None else {"code": code} | error]


def check_product(given: Payload, before: Payload | None, location: str) -> None:
    """Raises the UserErrors of the first thing that is wrong."""
    title = given.get("title", "" if before is None else "unchanged")
    if not str(title).strip():
        raise UserErrors("MISSING_FIELD_REQUIRED", "Title can't be blank", ["input", "title"])
    if len(title) > TITLE_LENGTH_MAX:
        raise UserErrors("INVALID_PRODUCT", "Title is too long (maximum is 255 characters)", ["input", "title"])
    if given.get("status", "ACTIVE") not in STATUSES:
        raise GraphError("INVALID_VARIABLE", f"Expected {given['status']!r} to be one of: {', '.join(STATUSES)}")
    if ("productOptions" in given) != ("variants" in given):
        missing = "variants" if "productOptions" in given else "productOptions"
        code = "VARIANTS_INPUT_MISSING" if missing == "variants" else "PRODUCT_OPTIONS_INPUT_MISSING"
        raise UserErrors(code, f"{missing} must be given as well", ["input", missing])
    if "variants" in given:
        _check_options(given["productOptions"])
        _check_variants(given, location)


def options_of(variant: Payload) -> tuple[tuple[str, str], ...]:
    """What is chosen to get this variant, in a fixed order."""
    return tuple(sorted((each["optionName"], each["name"]) for each in variant["optionValues"]))


def _check_options(options: list[Payload]) -> None:
    at = ["input", "productOptions"]
    if len(options) > OPTIONS_MAX:
        raise UserErrors("OPTIONS_OVER_LIMIT", "Can only specify a maximum of 3 options", at)
    names = [option["name"] for option in options]
    if len(set(names)) != len(names):
        raise UserErrors("DUPLICATED_OPTION_NAME", "Option name already exists", at)
    for option in options:
        values = [value["name"] for value in option["values"]]
        if len(set(values)) != len(values):
            raise UserErrors("DUPLICATED_OPTION_VALUE", "Option value already exists", at)


def _check_variants(given: Payload, location: str) -> None:
    variants = given["variants"]
    if len(variants) > VARIANTS_MAX:
        message = f"The limit of {VARIANTS_MAX} variants is exceeded"
        raise UserErrors("VARIANTS_OVER_LIMIT", message, ["input", "variants"])
    if not variants:
        raise UserErrors("VARIANTS_INPUT_MISSING", "A product has at least one variant", ["input", "variants"])
    options = {option["name"]: {v["name"] for v in option["values"]} for option in given["productOptions"]}
    taken: set[tuple[tuple[str, str], ...]] = set()
    for number, variant in enumerate(variants):
        at = ["input", "variants", str(number)]
        chosen = options_of(variant)
        for name, value in chosen:
            if name not in options:
                raise UserErrors("OPTION_DOES_NOT_EXIST", f"Option {name} does not exist", [*at, "optionValues"])
            if value not in options[name]:
                message = f"Option value {value} does not exist"
                raise UserErrors("OPTION_VALUE_DOES_NOT_EXIST", message, [*at, "optionValues"])
        if {name for name, _ in chosen} != options.keys():
            raise UserErrors("OPTION_VALUES_MISSING", "A value is needed for every option", [*at, "optionValues"])
        if chosen in taken:
            message = f"The variant '{' / '.join(value for _, value in chosen)}' already exists"
            raise UserErrors("INVALID_VARIANT", message, at)
        taken.add(chosen)
        _check_figures(variant, at, location)


def _check_figures(variant: Payload, at: list[str], location: str) -> None:
    price = variant.get("price", "0")
    if not isinstance(price, str) or not re.fullmatch(r"-?\d{1,15}(\.\d+)?", price):
        raise GraphError("INVALID_VARIABLE", f"Variable $input was provided invalid value: {price!r} is no Money")
    if price.startswith("-"):
        raise UserErrors("INVALID_VARIANT", "Price must be greater than or equal to 0", [*at, "price"])
    for each in variant.get("inventoryQuantities", ()):
        if each["locationId"] != location:
            raise UserErrors("INVALID_INPUT", "The location could not be found", [*at, "inventoryQuantities"])
