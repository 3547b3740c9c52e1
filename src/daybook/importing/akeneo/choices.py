"""Which of an export's channels, locales, currencies and identifiers count: as was said, or as the files make plain."""

import msgspec

from daybook.errors import InvalidValue
from daybook.importing.akeneo.options import AkeneoOptions
from daybook.importing.akeneo.tables import Line, Table, locale_of
from daybook.importing.rows import Fault, ImportRefused
from daybook.values import parse_locale

USUAL_SCOPE = "ecommerce"
USUAL_IDENTIFIER = "sku"
USUAL_CURRENCY = "EUR"


class Choices(msgspec.Struct, frozen=True, kw_only=True):
    """What was chosen."""

    identifier: str
    """The column of the SKU."""
    scope: str | None
    """None: there are several, none is called `ecommerce`, and nobody chose."""
    locales: tuple[str, ...]
    """In order of preference."""
    unknown_locales: tuple[str, ...]
    """Of the chosen channel, as the file spells them."""
    currency: str
    line: int
    """Of the chosen channel in channels.csv."""


def choose(attributes: Table, channels: Table, options: AkeneoOptions) -> Choices:
    """Raises ImportRefused for a choice that the files do not have, with those that they have."""
    by_code = {line["code"]: line for line in channels}
    scope = _scope(by_code, channels, options)
    line = by_code[scope] if scope is not None else None
    codes = line.codes("locales") if line is not None else []
    found = {code: locale_of(code) for code in codes}
    known = [locale for locale in found.values() if locale is not None]
    currencies = line.codes("currencies") if line is not None else []
    usual = USUAL_CURRENCY if USUAL_CURRENCY in currencies or not currencies else currencies[0]
    return Choices(
        identifier=_identifier(attributes, options),
        scope=scope,
        locales=_given_locales(options) or tuple(sorted(known, key=lambda locale: locale != "en-US")),
        unknown_locales=tuple(code for code, locale in found.items() if locale is None),
        currency=options.currency or usual,
        line=line.number if line is not None else 1,
    )


def _scope(by_code: dict[str, Line], channels: Table, options: AkeneoOptions) -> str | None:
    wanted = options.scope or USUAL_SCOPE
    if wanted in by_code:
        return wanted
    there = ", ".join(by_code) or "none"
    if options.scope is not None:
        reason = f"has no channel {options.scope!r}; choose with --channel among: {there}"
        raise ImportRefused([Fault(channels.file, None, reason)])
    if len(by_code) == 1:
        return next(iter(by_code))
    if options.list_on:
        reason = f"has no channel {USUAL_SCOPE!r}; choose with --channel whose values are shown, among: {there}"
        raise ImportRefused([Fault(channels.file, None, reason)])
    return None


def _identifier(attributes: Table, options: AkeneoOptions) -> str:
    there = [line["code"] for line in attributes if line["type"] == "pim_catalog_identifier"]
    if options.identifier is not None:
        if options.identifier not in there:
            reason = f"has no identifier {options.identifier!r}; there are: {', '.join(there) or 'none'}"
            raise ImportRefused([Fault(attributes.file, None, reason)])
        return options.identifier
    if USUAL_IDENTIFIER in there or not there:
        return USUAL_IDENTIFIER
    if len(there) > 1:
        reason = f"has several identifiers; choose the SKU with --identifier among: {', '.join(there)}"
        raise ImportRefused([Fault(attributes.file, None, reason)])
    return there[0]


def _given_locales(options: AkeneoOptions) -> tuple[str, ...]:
    try:
        return tuple(parse_locale(one, "locale") for one in options.locales)
    except InvalidValue as error:
        raise ImportRefused([Fault("--locale", None, str(error.details["reason"]))]) from None
