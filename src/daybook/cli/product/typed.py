"""From what a person typed to what a command takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from daybook.catalogue.reference import Reference
    from daybook.events import Value
    from daybook.log.reader import Reader
    from daybook.queries.moment import Moment


def wished(reference: Reference, attribute: str, text: str | None, unset: bool) -> Value | None:
    """The value that `product set` is to set; None to remove it. Raises InvalidValue, and a usage error for both."""
    if unset == (text is not None):
        raise typer.BadParameter("give a VALUE, or --unset to remove it")
    from daybook.catalogue.typed import value

    definition = reference.attributes.get(attribute)
    # An attribute that is not defined is the command's to refuse.
    return text if text is None or definition is None else value(definition, text)


def moment(reader: Reader, named: str | None) -> Moment:
    """A position when it is all digits, else a time; the head of the log when None. Raises InvalidValue."""
    from daybook.queries.moment import resolve

    if named is not None and named.isascii() and named.isdigit():
        return resolve(reader, position=int(named[:19]))
    return resolve(reader, named)
