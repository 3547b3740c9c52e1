"""From what a person typed to what a command takes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import typer

from daybook.errors import InvalidValue

if TYPE_CHECKING:
    from daybook.catalogue.reference import Reference
    from daybook.events import AttributeDefined, Value
    from daybook.log.reader import Reader
    from daybook.queries.moment import Moment

_TRUTHS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_WHOLE = re.compile(r"[+-]?\d{1,15}\Z")
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,2})?\Z")


def wished(reference: Reference, attribute: str, text: str | None, unset: bool) -> Value | None:
    """The value that `product set` is to set; None to remove it. Raises InvalidValue, and a usage error for both."""
    if unset == (text is not None):
        raise typer.BadParameter("give a VALUE, or --unset to remove it")
    definition = reference.attributes.get(attribute)
    # An attribute that is not defined is the command's to refuse.
    return text if text is None or definition is None else value(definition, text)


def value(definition: AttributeDefined, text: str) -> Value:
    """The text as a value of the attribute's type. What its definition demands besides is checked by the command.

    boolean: true, false, yes, no, 1, 0. measure: `12.5 KILOGRAM`, or `12.5` in the default unit. multiselect: codes
    with commas between. Raises InvalidValue.
    """
    from daybook.events.product import Measure

    field = f"attributes.{definition.code}"
    match definition.type:
        case "boolean":
            if text.lower() not in _TRUTHS:
                raise InvalidValue(field, "must be true or false", text)
            return _TRUTHS[text.lower()]
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


def moment(reader: Reader, named: str | None) -> Moment:
    """A position when it is all digits, else a time; the head of the log when None. Raises InvalidValue."""
    from daybook.queries.moment import resolve

    if named is not None and named.isascii() and named.isdigit():
        return resolve(reader, position=int(named[:19]))
    return resolve(reader, named)
