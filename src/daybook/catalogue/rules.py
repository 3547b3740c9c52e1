"""What an attribute's value must satisfy, from its definition. Pure."""

import re
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from math import isfinite
from typing import Any

from daybook.catalogue.reference import Reference
from daybook.errors import InvalidValue, NotFound
from daybook.events import AttributeChange, AttributeDefined, Measure, Value
from daybook.values import check_text, parse_code, parse_locale

TEXT_LENGTH_MAX = 100_000
CODE_LENGTH_MAX = 1000
"""An option's code, or a unit."""
WHOLE_NUMBER_MAX = 2**53
"""What every JSON reader keeps exact."""
_DECIMAL = re.compile(r"[+-]?[0-9]{1,30}(\.[0-9]{1,30})?\Z")


def check_changes(reference: Reference, changes: Iterable[AttributeChange]) -> list[AttributeChange]:
    """The changes in canonical form. Raises NotFound for an unknown attribute, InvalidValue for what does not fit."""
    return [_check(reference, change) for change in changes]


def check_family(reference: Reference, family: str | None) -> None:
    """A family, when one is named, must be defined."""
    if family is not None and family not in reference.families:
        raise NotFound(f"family: there is no family {family!r}; define it first", field="family")


def check_categories(reference: Reference, categories: Iterable[str]) -> None:
    """Every category must be defined."""
    for code in categories:
        if code not in reference.categories:
            raise NotFound(f"categories: there is no category {code!r}; define it first", field="categories")


def check_decimal(text: str, field: str) -> Decimal:
    """The number that a plain decimal text such as 12.5 says."""
    if not _DECIMAL.match(text):
        raise InvalidValue(field, "must be a decimal number like 12.5", text[:100])
    return Decimal(text)


def _check(reference: Reference, change: AttributeChange) -> AttributeChange:
    field = f"attributes.{change.attribute}"
    parse_code(change.attribute, "attribute")
    definition = reference.attributes.get(change.attribute)
    if definition is None:
        raise NotFound(f"{field}: there is no attribute {change.attribute!r}; define it first", field=field)
    locale = parse_locale(change.locale, f"{field}.locale") if change.locale is not None else None
    if (locale is not None) != definition.localizable:
        how = "needs a locale: its value" if definition.localizable else "takes no locale: its value does not"
        raise InvalidValue(field, f"{how} {'differs' if definition.localizable else 'differ'} by language", locale)
    if (change.channel is not None) != definition.scopable:
        how = "needs a channel scope" if definition.scopable else "takes no channel scope"
        raise InvalidValue(field, how, change.channel)
    if change.channel is not None:
        parse_code(change.channel, f"{field}.channel")
    value = None if change.value is None else _value(definition, change.value, field)
    return AttributeChange(attribute=change.attribute, value=value, locale=locale, channel=change.channel)


def _value(definition: AttributeDefined, value: Value, field: str) -> Value:
    match definition.type:
        case "boolean":
            truth: bool = _typed(value, bool, field, "true or false")
            return truth
        case "number":
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise InvalidValue(field, "must be a number", value)
            # JSON has neither NaN nor infinity: they would be written as null, which removes the value.
            if abs(value) > WHOLE_NUMBER_MAX if isinstance(value, int) else not isfinite(value):
                raise InvalidValue(field, "must be a number that every JSON reader keeps exact", str(value)[:40])
            _range(definition, Decimal(str(value)), field)
            return value
        case "measure":
            measure: Measure = _typed(value, Measure, field, "an amount with a unit")
            check_text(measure.unit, f"{field}.unit", CODE_LENGTH_MAX)
            _range(definition, check_decimal(measure.amount, f"{field}.amount"), field)
            return measure
        case "select":
            return _option(definition, _typed(value, str, field, "the code of one option"), field)
        case "multiselect":
            codes: list[str] = _typed(value, list, field, "a list of option codes")
            return [_option(definition, code, field) for code in codes]
        case "date":
            text: str = _typed(value, str, field, "a date like 2026-03-01")
            return _date(definition, text, field)
        case "price":
            raise InvalidValue(field, "is a price: set it as a price, with price list and currency", value)
        case _:
            return _text(definition, _typed(value, str, field, "a text"), field)


def _date(definition: AttributeDefined, text: str, field: str) -> str:
    try:
        day = date.fromisoformat(text)
        first, last = (date.fromisoformat(one) if one else None for one in (definition.minimum, definition.maximum))
    except ValueError:
        raise InvalidValue(field, "must be a date like 2026-03-01", text) from None
    if (first and day < first) or (last and day > last):
        raise InvalidValue(field, f"must lie between {first or 'any day'} and {last or 'any day'}", text)
    return day.isoformat()


def _typed(value: Any, wanted: type[Any], field: str, say: str) -> Any:
    if not isinstance(value, wanted):
        raise InvalidValue(field, f"must be {say}", value)
    return value


def _text(definition: AttributeDefined, text: str, field: str) -> str:
    limit = definition.length_max or TEXT_LENGTH_MAX
    if len(text) > limit:
        raise InvalidValue(field, f"is {len(text)} characters long; at most {limit} are allowed")
    if "\x00" in text:
        raise InvalidValue(field, "holds a NUL character")
    if definition.pattern and not re.search(definition.pattern, text):
        raise InvalidValue(field, f"does not match the attribute's pattern {definition.pattern}", text)
    return text


def _option(definition: AttributeDefined, code: str, field: str) -> str:
    if definition.options and not any(option.code == code for option in definition.options):
        raise InvalidValue(field, f"has no option {code!r}", code)
    return check_text(code, field, CODE_LENGTH_MAX)


def _range(definition: AttributeDefined, number: Decimal, field: str) -> None:
    if definition.minimum is not None and number < Decimal(definition.minimum):
        raise InvalidValue(field, f"must be at least {definition.minimum}", str(number))
    if definition.maximum is not None and number > Decimal(definition.maximum):
        raise InvalidValue(field, f"must be at most {definition.maximum}", str(number))
