"""What is set: `prices.default.EUR*=1.05`, `name@nl-NL=Sokken`, `categories+=sale`, `gtin=`. Pure."""

import re
from collections.abc import Callable, Mapping, Sequence
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Any, Literal

import msgspec

from daybook import limits
from daybook.catalogue.reference import Reference
from daybook.catalogue.rules import check_categories, check_changes
from daybook.catalogue.typed import value
from daybook.errors import InvalidValue, NotFound
from daybook.events import AttributeChange, Measure
from daybook.importing.sheet.columns import SheetColumn, column, guarded, said
from daybook.product.state import Product, slot_parts
from daybook.values import DECIMAL_PATTERN, Money, check_limit, check_text, exponent, parse_code, parse_money

Operator = Literal["=", "+=", "-=", "*="]
_SETTING = re.compile(r"\s*([^\s=*]+?)\s*(\*=|\+=|-=|=)(.*)\Z", re.DOTALL)
_DECIMAL = re.compile(DECIMAL_PATTERN.replace("$", r"\Z"))
_EXACT = Context(prec=200)
"""An amount, and what it is multiplied by, have at most 60 digits each."""
EXAMPLES = "prices.default.EUR*=1.05, name@nl-NL=Sokken, categories+=sale, gtin="
_FIXED = ("sku", "kind", "parent", "family")
_RECKONED: Mapping[str, Callable[[Decimal, Decimal], Decimal]] = {
    "+=": _EXACT.add,
    "-=": _EXACT.subtract,
    "*=": _EXACT.multiply,
}


class FieldSetting(msgspec.Struct, frozen=True, kw_only=True):
    """A field, and what becomes of it."""

    text: str
    """As it was typed."""
    column: SheetColumn
    operator: Operator
    value: Any
    """With `=` what it will be, None for nothing; a Decimal to reckon with; categories to put in or take out."""

    @property
    def absolute(self) -> Any:
        """What a description says of the field where only the field counts, not what the product has."""
        return self.value if self.operator == "=" else list(self.value) if self.column.noun == "categories" else None


class Idle(msgspec.Struct, frozen=True):
    """Why there is nothing to reckon with: the product stays as it is."""

    reason: str


def settings(
    texts: Sequence[str], reference: Reference, check_channel: Callable[[str], object]
) -> tuple[FieldSetting, ...]:
    """What is to be set. Raises InvalidValue of `set` for what no product could have."""
    if not texts:
        raise InvalidValue("set", f"say what to change, such as {EXAMPLES}", None)
    check_limit(limits.EDIT_SETTINGS, len(texts), "set")
    found: dict[str, FieldSetting] = {}
    for text in texts:
        try:
            one = _setting(text, reference)
            if one.column.noun == "channels":
                check_channel(one.column.rest)
        except InvalidValue as error:
            reason = str(error.details["reason"])
            field = error.details["field"]
            raise InvalidValue("set", reason if field == "set" else f"{field}: {reason}", text) from error
        except NotFound as error:
            raise InvalidValue("set", error.message, text) from error
        if one.column.field in found:
            raise InvalidValue("set", f"names {one.column.name} twice: say it once", text)
        found[one.column.field] = one
    return tuple(found.values())


def _setting(text: str, reference: Reference) -> FieldSetting:
    parts = _SETTING.match(check_text(text, "set", limits.CELL))
    if parts is None:
        raise InvalidValue("set", f"must be a field, one of = += -= *=, and a value, such as {EXAMPLES}", text)
    name, operator, typed = parts[1], msgspec.convert(parts[2], Operator), parts[3]
    meant = column(name, reference)
    if isinstance(meant, str):
        raise InvalidValue("set", meant.replace("column", "field"), text)
    if name in _FIXED:
        raise InvalidValue("set", f"{name} is fixed when a product is created", text)
    if meant.noun == "prices":
        price_list, _, currency = meant.rest.rpartition(".")
        parse_code(price_list, name)
        exponent(currency, name)
    if operator == "=":
        return _checked(
            FieldSetting(text=text, column=meant, operator=operator, value=_said(meant, typed, reference)), reference
        )
    if meant.noun == "categories":
        codes = tuple(said(meant, guarded(typed), reference, decimal_comma=False) or ())
        check_categories(reference, codes)
        return (
            FieldSetting(text=text, column=meant, operator=operator, value=codes) if operator != "*=" else _cannot(name)
        )
    kind = reference.attributes[slot_parts(meant.rest)[0]].type if meant.noun == "attributes" else None
    if meant.noun != "prices" and kind not in ("number", "measure"):
        return _cannot(name)
    if not _DECIMAL.match(typed.strip()):
        raise InvalidValue("set", f"{operator} takes a decimal number, such as 1.05", text)
    return FieldSetting(text=text, column=meant, operator=operator, value=Decimal(typed.strip()))


def _cannot(name: str) -> FieldSetting:
    raise InvalidValue(
        "set", f"{name} takes = alone: += and -= are for prices, numbers, measures and categories, *= for amounts", name
    )


def _said(meant: SheetColumn, typed: str, reference: Reference) -> Any:
    return said(meant, guarded(typed), reference, decimal_comma=False)


def _checked(one: FieldSetting, reference: Reference) -> FieldSetting:
    """What each product would refuse in the same words is refused once."""
    if one.column.noun == "attributes":
        attribute, locale, scope = slot_parts(one.column.rest)
        check_changes(
            reference, [AttributeChange(attribute=attribute, locale=locale, channel=scope, value=_value(one))]
        )
    elif one.column.noun == "categories":
        check_categories(reference, one.value or ())
    elif one.column.noun == "prices" and one.value is not None:
        parse_money(one.value, one.column.rest.rpartition(".")[2], one.column.name)
    return one


def _value(one: FieldSetting) -> Any:
    return Measure(**one.value) if isinstance(one.value, dict) else one.value


def wished(one: FieldSetting, product: Product, reference: Reference) -> Any:
    """What the field of this product becomes, or Idle. Raises InvalidValue for what it can't be."""
    if one.operator == "=":
        return one.value
    match one.column.noun:
        case "categories":
            rest = [code for code in product.categories if code not in one.value]
            return (
                [*product.categories, *(code for code in one.value if code not in product.categories)]
                if (one.operator == "+=")
                else rest
            )
        case "prices":
            return _price(one, product)
    attribute = slot_parts(one.column.rest)[0]
    there = product.attributes.get(one.column.rest)
    if there is None:
        return _nothing(one)
    if isinstance(there, Measure):
        return {"amount": _plain(_reckoned(one, Decimal(there.amount))), "unit": there.unit}
    definition = reference.attributes[attribute]
    return msgspec.to_builtins(value(definition, _plain(_reckoned(one, Decimal(str(there))))))


def _price(one: FieldSetting, product: Product) -> str | Idle:
    price_list, _, currency = one.column.rest.rpartition(".")
    minor = product.prices.get(price_list, {}).get(currency)
    if minor is None:
        return _nothing(one)
    unit = Decimal(1).scaleb(-exponent(currency))
    reckoned = _reckoned(one, Money(minor, currency).decimal())
    if abs(reckoned) >= Decimal(10) ** 30:
        raise InvalidValue(one.column.name, "would be larger than any price", _plain(reckoned)[:100])
    return f"{reckoned.quantize(unit, ROUND_HALF_UP, _EXACT):f}"


def _reckoned(one: FieldSetting, amount: Decimal) -> Decimal:
    return _RECKONED[one.operator](amount, one.value)


def _plain(number: Decimal) -> str:
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _nothing(one: FieldSetting) -> Idle:
    return Idle(f"has no {one.column.name} of its own: {one.operator} has nothing to reckon with")
