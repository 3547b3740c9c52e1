"""What Shopify's sandbox refuses in a productSet, and what it makes of the texts that it is given.

Where it says *seen*, the words and codes are those of a real shop's recorded answers (airhorns/shopify-draft-proxy,
fixtures/conformance, 2025-01 and 2026-04). The rest is from the published schema's descriptions of its error codes.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from daybook.channel.contract import Payload
from daybook_projections.shopify.sandbox.execution import GraphError

OPTIONS_MAX = 3
VARIANTS_MAX = 2048
FILES_MAX = 250
LENGTH_MAX = 255
DELIMITER = " / "
"""Stands between a variant's values in its title, so no option's name may hold it. Seen."""
LONG_FIELDS = {"title": "Title", "vendor": "Vendor", "productType": "Product type"}


class UserErrors(Exception):
    """A refusal of the mutation, in its `userErrors`."""

    def __init__(self, code: str | None, message: str, field: list[str], *more: Payload) -> None:
        super().__init__(message)
        self.errors: list[dict[str, Any]] = [refusal(code, message, field), *more]


def refusal(code: str | None, message: str, field: list[str]) -> Payload:
    """One of the `userErrors`. Those of some mutations have no code."""
    error: Payload = {"field": field or None, "message": message}
    return error if code is None else {"code": code} | error


def money(text: object) -> str:
    """A value of the scalar Money, a decimal number in a string, with the two decimals that it is kept with."""
    if not isinstance(text, str) or not re.fullmatch(r"-?\d{1,15}(\.\d+)?", text):
        raise GraphError("INVALID_VARIABLE", f"{text!r} is no Money")
    return f"{Decimal(text):.2f}"


def handle_of(text: str) -> str:
    """The text as a part of an address: small letters and digits of any script, hyphens between. Seen."""
    spelt = "".join(each if each.isalnum() else "-" for each in unicodedata.normalize("NFC", text.strip().lower()))
    return re.sub("-+", "-", spelt).strip("-") or "product"


def check_product(given: Payload, before: Payload | None, location: str) -> None:
    """Raises the UserErrors of the first thing that is wrong."""
    _check_sizes(given)
    title = given.get("title", "" if before is None else "unchanged")
    if not str(title or "").strip():
        raise UserErrors("INVALID_PRODUCT", "Title can't be blank", ["input", "title"])
    for name, said in LONG_FIELDS.items():
        if len(given.get(name) or "") > LENGTH_MAX:
            message = f"{said} is too long (maximum is {LENGTH_MAX} characters)"
            raise UserErrors("INVALID_PRODUCT", message, ["input", name] if name == "title" else ["input"])
    if len(given.get("handle") or "") > LENGTH_MAX:
        raise UserErrors("INVALID_PRODUCT", f"Handle is too long (maximum is {LENGTH_MAX} characters)", ["input"])
    for number, file in enumerate(given.get("files") or ()):
        if not re.match(r"https?://[^/\s]+\S*\Z", file.get("originalSource") or ""):
            raise UserErrors("INVALID_INPUT", "Image URL is invalid", ["input", "files", str(number), "originalSource"])
    if ("productOptions" in given) != ("variants" in given):
        if "variants" in given:
            message, at = "Product options input is required when updating variants", ["input", "productOptions"]
            raise UserErrors("PRODUCT_OPTIONS_INPUT_MISSING", message, at)
        message = "Variants input is required when updating product options"
        raise UserErrors("VARIANTS_INPUT_MISSING", message, ["input", "variants"])
    if "variants" in given:
        _check_options(given["productOptions"])
        _check_variants(given, location)


def check_custom_id(wanted: Mapping[str, str], given: Payload) -> None:
    """Raises the UserErrors of metafields that are given without the one that names the product.

    The entry must be the identifier and nothing else: one that repeats the definition's type is refused as well, as was
    told of real shops in August 2026. It guards against deleting the field by leaving it out.
    """
    if "metafields" in given and dict(wanted) not in [dict(each) for each in given["metafields"]]:
        message = "The input argument `metafields` (if present) must contain the `customId` value."
        raise UserErrors("METAFIELD_MISMATCH", message, ["input"])


def options_of(variant: Payload) -> tuple[tuple[str, str], ...]:
    """What is chosen to get this variant, in a fixed order; the same in capital letters is no other choice."""
    return tuple(
        sorted((each["optionName"].strip(), each["name"].strip().casefold()) for each in variant["optionValues"])
    )


def _check_sizes(given: Payload) -> None:
    """Arrays that are too long fail the whole request, before anything of it is looked at. Seen."""
    for name, most in (("variants", VARIANTS_MAX), ("files", FILES_MAX)):
        size = len(given.get(name) or ())
        if size > most:
            message = f"The input array size of {size} is greater than the maximum allowed of {most}."
            raise GraphError("MAX_INPUT_SIZE_EXCEEDED", message)


def _check_options(options: list[Payload]) -> None:
    at = ["input", "productOptions"]
    if len(options) > OPTIONS_MAX:
        raise UserErrors("OPTIONS_OVER_LIMIT", "Can only specify a maximum of 3 options", at)
    names = [option["name"].strip() for option in options]
    for number, name in enumerate(names):
        if DELIMITER in name:
            message = f"The name contains unsupported sequence '{DELIMITER}'"
            raise UserErrors("INVALID_INPUT", message, [*at, str(number), "name"])
        if len(name) > LENGTH_MAX:
            raise UserErrors("INVALID_INPUT", "Option name is too long.", [*at, str(number), "name"])
        if name.casefold() in (other.casefold() for other in names[:number]):
            raise UserErrors("DUPLICATED_OPTION_NAME", "Duplicated option name.", [*at, str(number)])
    for number, option in enumerate(options):
        values = [value["name"].strip().casefold() for value in option["values"]]
        if not values:
            message = f"Option '{option['name']}' must specify at least one option value."
            raise UserErrors("OPTION_VALUES_MISSING", message, [*at, str(number)])
        if any(len(value) > LENGTH_MAX for value in values):
            raise UserErrors("INVALID_INPUT", "Option value name is too long.", [*at, str(number), "values"])
        if len(set(values)) != len(values):
            raise UserErrors("DUPLICATED_OPTION_VALUE", "Duplicated option value.", [*at, str(number), "values"])


def _check_variants(given: Payload, location: str) -> None:
    variants = given["variants"]
    if not variants:
        raise UserErrors("VARIANTS_INPUT_MISSING", "A product has at least one variant", ["input", "variants"])
    options = {o["name"].strip(): {v["name"].strip().casefold() for v in o["values"]} for o in given["productOptions"]}
    for number, variant in enumerate(variants):
        at = ["input", "variants", str(number)]
        for name, value in options_of(variant):
            if name not in options:
                raise UserErrors("OPTION_DOES_NOT_EXIST", "Option does not exist", [*at, "optionValues"])
            if value not in options[name]:
                raise UserErrors("OPTION_VALUE_DOES_NOT_EXIST", "Option value does not exist", [*at, "optionValues"])
        missing = options.keys() - {name for name, _ in options_of(variant)}
        if missing:
            message = f"You need to add option values for {', '.join(sorted(missing))}"
            raise UserErrors("OPTION_VALUES_MISSING", message, at)
        _check_figures(variant, at, location)
    twins = list(_twins(variants))
    if twins:
        first = twins[0]
        raise UserErrors(first["code"], first["message"], first["field"], *twins[1:])


def _twins(variants: list[Payload]) -> Iterator[Payload]:
    """A refusal for each variant that is the same choice as one before it. Seen."""
    taken: set[tuple[tuple[str, str], ...]] = set()
    for number, variant in enumerate(variants):
        chosen = options_of(variant)
        if chosen in taken:
            title = DELIMITER.join(each["name"] for each in variant["optionValues"])
            message = f"The variant '{title}' already exists. Please change at least one option value."
            yield refusal("INVALID_VARIANT", message, ["input", "variants", str(number)])
        taken.add(chosen)


def _check_figures(variant: Payload, at: list[str], location: str) -> None:
    if money(variant.get("price") or "0").startswith("-"):
        raise UserErrors("INVALID_VARIANT", "Price must be greater than or equal to 0", [*at, "price"])
    for name in ("sku", "barcode"):
        if len(variant.get(name) or "") > LENGTH_MAX:
            message = f"{name.capitalize()} is too long (maximum is {LENGTH_MAX} characters)"
            raise UserErrors("INVALID_VARIANT", message, [*at, name])
    for each in variant.get("inventoryQuantities") or ():
        if each["locationId"] != location:
            raise UserErrors("INVALID_INPUT", "The location could not be found", [*at, "inventoryQuantities"])
