"""Reads what channels send of orders: a body that a secret signed, and the parts of one. Pure.

What is wrong raises InvalidValue with its field, so that the order waits for a person and says why.
"""

import hmac
import json
from base64 import b64decode
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from daybook.errors import InvalidValue


def signed(shown: str, body: bytes, secrets: Sequence[str]) -> bool:
    """Whether one of the secrets made this: HMAC-SHA256 in base64, the way most shops sign."""
    try:
        given = b64decode(shown, validate=True)
    except ValueError:  # binascii.Error is one
        return False
    # All of them, so that the time tells nobody which one it was.
    found = [hmac.compare_digest(given, hmac.digest(one.encode(), body, "sha256")) for one in secrets]
    return any(found)


def object_in(body: bytes) -> dict[str, Any]:
    """The body as an object. Numbers with a fraction are decimals: they may be money."""
    try:
        found = json.loads(body, parse_float=Decimal)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise InvalidValue("body", "must be a JSON object, as a shop sends it")
    return found


def objects(holder: Mapping[str, Any], field: str) -> list[dict[str, Any]]:
    """A list of objects; empty where there is none."""
    found = holder.get(field) or []
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise InvalidValue(field, "must be a list of objects")
    return found


def member(holder: Mapping[str, Any], field: str) -> dict[str, Any]:
    """An object; empty where there is none, or something else: what is optional refuses no order."""
    found = holder.get(field)
    return found if isinstance(found, dict) else {}


def money(value: Any, field: str) -> Decimal:
    """An amount of money; 0 where there is none."""
    try:
        found = Decimal(str(value or "0"))
    except InvalidOperation:
        found = Decimal("NaN")
    if not found.is_finite():
        raise InvalidValue(field, "must be an amount such as 19.99")
    return found
