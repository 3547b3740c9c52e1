"""What is looked for, from the words of a command line."""

from collections.abc import Sequence

from daybook.errors import InvalidValue
from daybook.search.terms import Term, Wanted, wanted


def asked(
    text: str | None, where: Sequence[str] | None, missing: Sequence[str] | None, on: str | None, rejected: bool
) -> Wanted:
    """Words and terms, also those with options of their own. Raises InvalidValue."""
    if rejected and on is None:
        raise InvalidValue("rejected", "needs a channel: --on NAME")
    terms = [Term("missing", "=", one, "missing") for one in missing or ()]
    terms += [Term("channel", "=", on, "on")] if on else []
    terms += [Term("rejected", "=", on, "on")] if on and rejected else []
    return wanted(text, where or (), terms)
