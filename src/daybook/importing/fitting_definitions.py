"""Fitting a definition to the one that the book holds: what the file has no column for, or knows nothing of, stays."""

from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from daybook.catalogue.reference import Reference
from daybook.commands import DefineAttribute, DefineCategory, DefineFamily, DefinePart, DescribeProduct
from daybook.events import AttributeDefined, AttributeOption, FamilyDefined
from daybook.importing.records import Record
from daybook.importing.rows import Said


def fitted_definition(record: Record, said: Said, reference: Reference) -> Record | DefinePart:
    """The record, with what the book holds beside what the file says."""
    if said.whole and not isinstance(record, DescribeProduct):
        return DefinePart(definition=record, said=tuple(sorted(said.fields)))
    match record:
        case DefineAttribute(attribute=wish):
            there = reference.attributes.get(wish.code)
            return record if there is None else DefineAttribute(attribute=_attribute(wish, there, said))
        case DefineFamily(family=wish):
            family = reference.families.get(wish.code)
            return record if family is None else DefineFamily(family=_family(wish, family, said))
        case DefineCategory(category=wish):
            category = reference.categories.get(wish.code)
            if category is None:
                return record
            return DefineCategory(category=replace(wish, labels=_labels(wish.labels, category.labels, said.locales)))
    return record


def _attribute(wish: AttributeDefined, there: AttributeDefined, said: Said) -> AttributeDefined:
    unsaid = {field: getattr(there, field) for field in AttributeDefined.__struct_fields__ if field not in said.fields}
    labels = _labels(wish.labels, there.labels, said.locales)
    return replace(wish, **unsaid | {"labels": labels, "options": _options(wish.options, there.options, said)})


def _options(
    wish: tuple[AttributeOption, ...], there: tuple[AttributeOption, ...], said: Said
) -> tuple[AttributeOption, ...]:
    """Those of the file in its order, if it says one, then those that only the book has."""
    before = {one.code: one for one in there}
    kept = tuple(
        replace(one, labels=_labels(one.labels, before[one.code].labels, said.option_locales))
        if one.code in before
        else one
        for one in wish
    )
    new = {one.code: one for one in kept}
    if not said.options_ordered:
        return (*(new.get(one.code, one) for one in there), *(one for one in kept if one.code not in before))
    return (*kept, *(one for one in there if one.code not in new))


def _family(wish: FamilyDefined, there: FamilyDefined, said: Said) -> FamilyDefined:
    unsaid = {
        field: getattr(there, field) for field in ("label_attribute", "image_attribute") if field not in said.fields
    }
    required = {
        scope: _codes(wish.required[scope], there.required.get(scope, ()), said) if scope in wish.required else codes
        for scope, codes in (there.required | dict(wish.required)).items()
    }
    return replace(
        wish,
        labels=_labels(wish.labels, there.labels, said.locales),
        attributes=_codes(wish.attributes, there.attributes, said),
        required=required,
        **unsaid,
    )


def _codes(wish: Iterable[str], there: Iterable[str], said: Said) -> tuple[str, ...]:
    """Those of the file in its order, then those of the book that the file knows nothing of."""
    return tuple(dict.fromkeys([*wish, *(code for code in there if code not in said.known)]))


def _labels(wish: Mapping[str, str], there: Mapping[str, str], locales: frozenset[str]) -> dict[str, str]:
    unsaid = {locale: label for locale, label in there.items() if locale not in locales}
    return unsaid | dict(wish)
