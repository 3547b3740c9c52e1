"""What an attribute's value must satisfy, from its definition. Pure."""

import re
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from math import isfinite
from typing import Any

from daybook import limits
from daybook.catalogue.patterns import check_pattern
from daybook.catalogue.reference import Reference
from daybook.errors import InvalidValue, NotFound
from daybook.events import AttributeChange, AttributeDefined, Measure, Value
from daybook.values import check_limit, check_text, parse_code, parse_locale

WHOLE_NUMBER_MAX = 2**53
"""What every JSON reader keeps exact."""
_DECIMAL = re.compile(r"[+-]?[0-9]{1,30}(\.[0-9]{1,30})?\Z")


def check_changes(reference: Reference, changes: Iterable[AttributeChange]) -> list[AttributeChange]:
    """The changes in canonical form. Raises NotFound for an unknown attribute, InvalidValue for what does not fit."""
    changes = tuple(changes)
    check_limit(limits.VALUES, len(changes), "attributes")
    return [_check(reference, change) for change in changes]


def check_family(reference: Reference, family: str | None) -> None:
    """A family, when one is named, must be defined."""
    if family is not None and family not in reference.families:
        raise NotFound(f"family: there is no family {family!r}; define it first", field="family")


def check_categories(reference: Reference, categories: Iterable[str]) -> None:
    """Every category must be defined."""
    categories = tuple(categories)
    check_limit(limits.PRODUCT_CATEGORIES, len(categories), "categories")
    for code in categories:
        if code not in reference.categories:
            raise NotFound(f"categories: there is no category {code!r}; define it first", field="categories")


def check_decimal(text: str, field: str) -> Decimal:
    """The number that a plain decimal text such as 12.5 says."""
    if not _DECIMAL.match(text):
        raise InvalidValue(field, "must be a decimal number like 12.5", text[:100])
    return Decimal(text)


def check_limits(definition: AttributeDefined) -> None:
    """Raises InvalidValue for a limit that is none: of a date attribute a date, of others a number."""
    for field in ("minimum", "maximum"):
        limit = getattr(definition, field)
        if limit is None:
            continue
        if definition.type != "date":
            check_decimal(limit, f"attribute.{field}")
        elif parse_date(limit) is None:
            raise InvalidValue(f"attribute.{field}", "must be a date like 2026-03-01", limit[:100])


def parse_date(text: str) -> date | None:
    """The day that a text such as 2026-03-01 says; None for another text."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


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
            check_text(measure.unit, f"{field}.unit", limits.OPTION_CODE)
            _range(definition, check_decimal(measure.amount, f"{field}.amount"), field)
            return measure
        case "select":
            return _option(definition, _typed(value, str, field, "the code of one option"), field)
        case "multiselect":
            codes: list[str] = _typed(value, list, field, "a list of option codes")
            check_limit(limits.CHOICES, len(codes), field)
            return [_option(definition, code, field) for code in codes]
        case "date":
            text: str = _typed(value, str, field, "a date like 2026-03-01")
            return _date(definition, text, field)
        case "price":
            raise InvalidValue(field, "is a price: set it as a price, with price list and currency", value)
        case _:
            return _text(definition, _typed(value, str, field, "a text"), field)


def _date(definition: AttributeDefined, text: str, field: str) -> str:
    day = parse_date(text)
    if day is None:
        raise InvalidValue(field, "must be a date like 2026-03-01", text)
    # A limit that is no date, from an older log, holds back nothing.
    first, last = (parse_date(limit) if limit else None for limit in (definition.minimum, definition.maximum))
    if (first and day < first) or (last and day > last):
        raise InvalidValue(field, f"must lie between {first or 'any day'} and {last or 'any day'}", text)
    return day.isoformat()


def _typed(value: Any, wanted: type[Any], field: str, say: str) -> Any:
    if not isinstance(value, wanted):
        raise InvalidValue(field, f"must be {say}", value)
    return value


def _text(definition: AttributeDefined, text: str, field: str) -> str:
    if definition.length_max and len(text) > definition.length_max:
        reason = f"is {len(text)} characters long; at most {definition.length_max} are allowed"
        raise InvalidValue(field, reason, limit=definition.length_max, given=len(text))
    check_limit(limits.TEXT, len(text), field)
    if "\x00" in text:
        raise InvalidValue(field, "holds a NUL character")
    if definition.pattern:
        check_pattern(definition.pattern, text, field)
    return text


def _option(definition: AttributeDefined, code: str, field: str) -> str:
    if definition.options and code not in definition.options_by_code:
        raise InvalidValue(field, f"has no option {code!r}", code)
    return check_text(code, field, limits.OPTION_CODE)


def _range(definition: AttributeDefined, number: Decimal, field: str) -> None:
    if definition.minimum is not None and number < Decimal(definition.minimum):
        raise InvalidValue(field, f"must be at least {definition.minimum}", str(number))
    if definition.maximum is not None and number > Decimal(definition.maximum):
        raise InvalidValue(field, f"must be at most {definition.maximum}", str(number))
