"""A change that was typed as JSON."""

import msgspec

from daybook.commands.schedules import PlannableChange
from daybook.errors import InvalidValue
from daybook.events.members import unknown_member


def change_of_text(text: str) -> PlannableChange:
    """The command that a JSON text says. Raises InvalidValue."""
    try:
        change: PlannableChange = msgspec.json.decode(text, type=PlannableChange)
    except msgspec.MsgspecError as error:
        raise InvalidValue("change", f"is no change of a product: {error}", text[:200]) from None
    if (wrong := unknown_member(text.encode(), PlannableChange)) is not None:
        raise InvalidValue(f"change.{wrong[0]}", wrong[1])
    return change
