"""The catalogue as the file of a shop, and what of it the format can't say."""

from daybook.app import App
from daybook.exporting.shop import ShopExport
from daybook.importing.shop.cells import ShopOptions, checked
from daybook.importing.shop.format import named
from daybook.terminal.catalogue.export import write_to
from daybook.terminal.options import CommonOptions
from daybook.terminal.render import note

SHOWN_MAX = 20


def write_shop(
    common: CommonOptions,
    on: App,
    file: str,
    form: str,
    position: int,
    *,
    currency: str | None,
    locale: str | None,
    channel: str | None,
) -> None:
    """Writes the file, then notes what it can't say. Raises InvalidValue."""
    options = checked(ShopOptions(currency=currency, locale=locale, list_on=() if channel is None else (channel,)))
    made = ShopExport(on.reader, named(form), options, position)
    write_to(common, file, made.lines(), position)
    for name, count in made.lost.most_common(SHOWN_MAX):
        note(common, f"not in the file: {name} of {count}")
    if len(made.lost) > SHOWN_MAX:
        note(common, f"not in the file: {len(made.lost) - SHOWN_MAX} more fields")
