"""Placing an order: from a file or from what was typed, with who ordered."""

import sys
from pathlib import Path
from typing import Any

import msgspec

from daybook import limits
from daybook.commands.order_intake import NewOrder
from daybook.errors import InvalidValue
from daybook.terminal.carry_out import context, receipt_of, said
from daybook.terminal.context import app_for_commands
from daybook.terminal.options import CommonOptions
from daybook.terminal.render import Show, line
from daybook.values import check_limit


def read(file: Path) -> NewOrder:
    """The order in a file, or in standard input. Raises InvalidValue, never with what is known of the customer."""
    if str(file) == "-":
        body = sys.stdin.buffer.read(limits.BODY.most + 1)
    else:
        with file.open("rb") as given:
            body = given.read(limits.BODY.most + 1)
    check_limit(limits.BODY, len(body), "file")
    try:
        return msgspec.json.decode(body, type=NewOrder)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        reason = str(error) if isinstance(error, msgspec.ValidationError) else "is no JSON object"
        raise InvalidValue("file", f"{reason}; give an order as POST /api/v1/orders takes it") from None


def place(common: CommonOptions, new: NewOrder) -> dict[str, Any]:
    """Places the order; the receipt."""
    sender = context(common, "cli")
    with app_for_commands(common) as app:
        done = app.orders.place(new, sender, repeatable=common.command_id is not None)
        return {"order": new.name, **receipt_of(app, done)}


def placed(receipt: dict[str, Any]) -> Show:
    """For a person."""
    if not receipt["changed"]:
        return line(f"no change: order {receipt['order']} was placed before")
    return line(f"order {receipt['order']}: {said(receipt)}")
