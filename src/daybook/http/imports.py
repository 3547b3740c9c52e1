"""Files of shops over HTTP: recognised by their columns, planned, taken."""

import tempfile
from collections.abc import Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
from litestar import Response, post
from litestar.params import FromQuery, JSONBody

from daybook import limits
from daybook.app import App
from daybook.edit.followers import listings_below
from daybook.errors import InvalidValue
from daybook.http.edits import EditReport, allowed_rows, told
from daybook.importing.ingest import ingest
from daybook.importing.rows import Entry, ImportRefused, Notice, Row
from daybook.importing.shop.cells import ShopOptions, checked
from daybook.importing.shop.format import named
from daybook.importing.shop.read import parents_in, read
from daybook.values import check_limit
from daybook.web.declared import ACTION
from daybook.web.dependencies import InjectedApp, InjectedAsker, InjectedPrincipal
from daybook.web.needs import needs

FILE = "csv"
"""What a row of the body has in the place of a file."""


class ShopFileWish(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The file of a shop, and what it does not say itself."""

    csv: str
    format: str | None = None
    """One that is known here, where its columns do not tell it."""
    create: bool = False
    """An unknown SKU is a new product; what is not defined is defined."""
    currency: str | None = None
    price_list: str = "default"
    locale: str | None = None
    location: str = "main"
    list_on: tuple[str, ...] = ()


@post(
    "/imports",
    **ACTION,
    **needs(*("product.change", "product.create", "price.change", "stock.count", "listing.change"), command=True),
    summary="Import the file of a shop",
)
def import_shop_file(
    app: InjectedApp,
    principal: InjectedPrincipal,
    asker: InjectedAsker,
    data: JSONBody[ShopFileWish],
    dry_run: FromQuery[bool] = False,
) -> Response[EditReport]:
    """Takes up to 2,000 rows of a shop's product file. All of it must be allowed to the caller, or nothing is done.

    Its format is recognised by its columns. What has no column, or an empty cell, stays; columns that are not
    understood are named. Again it changes nothing. Larger files are imported from the command line.
    """
    entries = list(islice(_entries(app, data), limits.EDITED_BY_REQUEST.most + 500))
    rows = [one for one in entries if isinstance(one, Row)]
    check_limit(limits.EDITED_BY_REQUEST, len(rows), FILE)
    rows, unread = allowed_rows(app, principal, rows)
    report = ingest(
        app.book,
        [*(one for one in entries if isinstance(one, Notice)), *rows],
        actor=asker.actor,
        source="import:shop",
        reason=asker.reason,
        dry_run=dry_run,
        correlation_id=asker.correlation_id or asker.command_id,
        follow=partial(listings_below, app.reader) if dry_run else None,
    )
    return Response(told(report, unread))


def _entries(app: App, data: ShopFileWish) -> Iterator[Entry]:
    """The rows of the file; that it is one for a moment is told to nobody."""
    given = {name: getattr(data, name) for name in ShopOptions.__struct_fields__}
    options = checked(ShopOptions(**given))
    chosen = None if data.format is None else named(data.format)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "body.csv"
        path.write_text(data.csv, encoding="utf-8", newline="", errors="surrogatepass")
        try:
            for one in read(path, app.reader.reference(), options, parents_in(app.book), chosen):
                yield msgspec.structs.replace(one, file=FILE)
        except ImportRefused as error:
            faults = [msgspec.structs.replace(fault, file=FILE) for fault in error.faults]
            raise InvalidValue(FILE, "; ".join(map(str, faults)), None) from error


ROUTES: tuple[Any, ...] = (import_shop_file,)
