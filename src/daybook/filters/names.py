"""Names that lists are asked for: a misspelt one is told, with what there is, and not answered with an empty list."""

from collections.abc import Collection
from difflib import get_close_matches

from daybook.app import App
from daybook.catalogue.reference import Reference
from daybook.errors import InvalidValue
from daybook.product.state import slot, slot_parts
from daybook.values import parse_code, parse_locale

SHOWN_MAX = 20
"""So many names are told; of more, those that look like what was typed."""
KINDS = ("product", "model", "variant")


def unknown(field: str, noun: str, name: str, there: Collection[str]) -> InvalidValue:
    """The refusal of a name that there is not."""
    shown = sorted(there) if len(there) <= SHOWN_MAX else get_close_matches(name, there, 5, 0.5)
    if not there:
        return InvalidValue(field, f"there is no {noun} {name!r}, and no other one", name)
    if not shown:
        return InvalidValue(field, f"there is no {noun} {name!r}; there are {len(there):,} others", name)
    said = "there are" if len(there) <= SHOWN_MAX else "these look like it"
    return InvalidValue(field, f"there is no {noun} {name!r}; {said}: {', '.join(shown)}", name)


def check_channel(app: App, name: str, field: str = "channel") -> str:
    """A channel that there is or was: what was sold on a removed one is still there. Raises InvalidValue."""
    parse_code(name, field)
    reference = app.reader.reference()
    there = {one.name for one in app.registry.channels()} | reference.channels.keys() - reference.removed.keys()
    if name not in there and name not in reference.removed:
        raise unknown(field, "channel", name, there)
    return name


def check_defined(reference: Reference, *, family: str | None = None, category: str | None = None) -> None:
    """A family and a category that there are; no product is of another one. Raises InvalidValue."""
    for field, name, there in (("family", family, reference.families), ("category", category, reference.categories)):
        if name is not None and name not in there:
            raise unknown(field, field, name, there)


def check_slot(reference: Reference, name: str, field: str, more: Collection[str] = ()) -> str:
    """An attribute, or its place: `name`, `name@nl-NL`, `name#ecommerce`; or one of `more`. Raises InvalidValue."""
    if name in more:
        return name
    attribute, locale, scope = slot_parts(name)
    if attribute not in reference.attributes:
        raise unknown(field, "field or attribute", attribute, {*more, *reference.attributes})
    if slot(attribute, locale, scope) != name:
        raise InvalidValue(field, f"must be an attribute, such as {attribute} or {attribute}@nl-NL", name)
    return slot(attribute, None if locale is None else parse_locale(locale, field), scope)
