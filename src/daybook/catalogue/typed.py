"""From what a person typed to a value of an attribute. Pure."""

import re

from daybook.errors import InvalidValue
from daybook.events import AttributeDefined, Value
from daybook.events.product import Measure

_TRUTHS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_WHOLE = re.compile(r"[+-]?\d{1,15}\Z")
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,2})?\Z")


def truth(field: str, text: str) -> bool:
    """true, false, yes, no, 1, 0, in any case. Raises InvalidValue."""
    if text.lower() not in _TRUTHS:
        raise InvalidValue(field, "must be true or false", text)
    return _TRUTHS[text.lower()]


def value(definition: AttributeDefined, text: str) -> Value:
    """The text as a value of the attribute's type. What its definition demands besides is checked by the command.

    boolean: true, false, yes, no, 1, 0. measure: `12.5 KILOGRAM`, or `12.5` in the default unit. multiselect: codes
    with commas between. Raises InvalidValue.
    """
    field = f"attributes.{definition.code}"
    match definition.type:
        case "boolean":
            return truth(field, text)
        case "number":
            if not _NUMBER.match(text):
                raise InvalidValue(field, "must be a number like 12 or 12.5", text)
            return int(text) if _WHOLE.match(text) else float(text)
        case "measure":
            amount, _, unit = text.strip().partition(" ")
            if not (unit or definition.unit):
                raise InvalidValue(field, "needs an amount and a unit, such as '12.5 KILOGRAM'", text)
            return Measure(amount, unit.strip() or str(definition.unit))
        case "multiselect":
            return [code.strip() for code in text.split(",") if code.strip()]
        case _:
            return text
