"""Edits over HTTP: many products changed at once, by a sheet or as they are found."""

import tempfile
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
from litestar import Response, post
from litestar.params import FromQuery, JSONBody

from daybook import limits
from daybook.access.authority import NOTHING, Denied, Principal, decide, reach
from daybook.app import App
from daybook.commands import DescribeProduct
from daybook.edit.followers import listings_below
from daybook.edit.found import FoundEdit
from daybook.edit.settings import EXAMPLES
from daybook.errors import Forbidden, InvalidValue
from daybook.importing.ingest import ingest
from daybook.importing.report import Report, RowPlan, RowProblem, Tally
from daybook.importing.rows import Entry, ImportRefused, Notice, Row
from daybook.importing.sheet.read import SheetOptions, read
from daybook.queries.reach import touched_at
from daybook.search.terms import wanted
from daybook.values import check_limit
from daybook.web.authorise import authorised
from daybook.web.declared import ACTION
from daybook.web.dependencies import InjectedApp, InjectedAsker, InjectedPrincipal
from daybook.web.needs import needs

SHEET = "csv"
"""What a row of the body has in the place of a file."""


class EditWish(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to change: a sheet, or products that are found and what to set."""

    csv: str | None = None
    """A header that names fields, and a row a product, as `daybook edit` takes them."""
    create: bool = False
    """Of a sheet: an unknown SKU is a new product."""
    empty_removes: bool = False
    """Of a sheet: an empty cell removes the value; else it stays."""
    q: str | None = None
    where: tuple[str, ...] = ()
    set: tuple[str, ...] = ()
    """Such as `prices.default.EUR*=1.05`, `name@nl-NL=Sokken`, `categories+=sale`, `gtin=`."""


class EditReport(msgspec.Struct, frozen=True, kw_only=True):
    """What was changed, or would be."""

    correlation_id: str
    """On every event of the edit: to undo it, name it."""
    dry_run: bool
    products: Tally
    plans: list[RowPlan]
    """Of a dry run: what would be created, changed field by field, or refused. Rows that would change nothing are left
    out, and so are the fields of products that the caller may not read."""
    listings: dict[str, int]
    """Of a dry run: channel -> listings that show something of what would be changed."""
    problems: list[RowProblem]
    """Rows that were not taken, and what there is to say of others."""
    notices: list[str]
    ended: str
    message: str | None


@post(
    "/edits",
    **ACTION,
    **needs(
        *("product.change", "product.create", "product.discontinue", "price.change", "stock.count", "listing.change"),
        command=True,
    ),
    summary="Change many products",
)
def edit_products(
    app: InjectedApp,
    principal: InjectedPrincipal,
    asker: InjectedAsker,
    data: JSONBody[EditWish],
    dry_run: FromQuery[bool] = False,
) -> Response[EditReport]:
    """Changes up to 2,000 products by a sheet (`csv`), or those that `q` and `where` find by what `set` says.

    All of it must be allowed to the caller, or nothing is done. What is not named stays; a row that can't be is told
    and the others are taken. A sheet taken again changes nothing. What is found is changed at most once for each
    `X-Correlation-Id` that is sent: with that of the answer the same edit goes on, without one it is a new edit, and
    `*=` multiplies again.
    """
    cause = asker.correlation_id or asker.command_id
    entries = list(_entries(app, principal, data, cause))
    rows, unread = allowed_rows(app, principal, [one for one in entries if isinstance(one, Row)])
    report = ingest(
        app.book,
        [*(one for one in entries if isinstance(one, Notice)), *rows],
        actor=asker.actor,
        source="edit",
        reason=asker.reason,
        dry_run=dry_run,
        correlation_id=cause,
        follow=partial(listings_below, app.reader) if dry_run else None,
        resume="The same request with the X-Correlation-Id of this answer goes on.",
    )
    return Response(told(report, unread))


def _entries(app: App, principal: Principal, data: EditWish, cause: str) -> Iterator[Entry]:
    found = bool(data.set or data.where or data.q)
    if found is (data.csv is not None):
        raise InvalidValue("set", f"give a sheet (csv), or what to set, where, such as {EXAMPLES}", None)
    most = limits.EDITED_BY_REQUEST
    if data.csv is not None:
        rows = list(islice(_sheet(app, data.csv, data), most.most + 2))
        check_limit(most, sum(isinstance(one, Row) for one in rows), SHEET)
        yield from rows
        return
    if data.create or data.empty_removes:
        raise InvalidValue("create", "create and empty_removes are of a sheet: leave them out", None)
    reaches = reach(principal, "product.read"), reach(principal, "channel.read")
    yield from FoundEdit(app, wanted(data.q, data.where), data.set, *reaches, most).entries(cause)


def _sheet(app: App, text: str, data: EditWish) -> Iterator[Entry]:
    """The rows of the sheet; the file that it is for a moment is named to nobody."""
    options = SheetOptions(create=data.create, empty_removes=data.empty_removes)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "body.csv"
        path.write_text(text, encoding="utf-8", newline="", errors="surrogatepass")
        try:
            for one in read(path, app.reader.reference(), options):
                yield msgspec.structs.replace(one, file=SHEET)
        except ImportRefused as error:
            told = [msgspec.structs.replace(fault, file=SHEET) for fault in error.faults]
            raise InvalidValue(SHEET, "; ".join(map(str, told)), None) from error


def allowed_rows(app: App, principal: Principal, rows: Sequence[Row]) -> tuple[list[Row], set[str]]:
    """The rows with what allowed them, and the SKUs that the caller may not read. Raises Forbidden before any is taken.

    Hazard: whether a row is allowed is asked before the book is: else its answer would tell a SKU that is outside from
    one that there is not.
    """
    found, unread = list[Row](), set[str]()
    for row in rows:
        record = row.record
        if isinstance(record, DescribeProduct):
            try:
                access = authorised(app, principal, msgspec.structs.replace(record, **row.if_new))
            except Forbidden as error:
                said = f"{record.sku}: {error.message}. An edit is allowed whole or not at all"
                raise Forbidden(said, permission=str(error.details.get("permission"))) from None
            row = msgspec.structs.replace(row, access=access)
            facts = partial(touched_at, app.reader, record.sku)
            if isinstance(decide(principal, "product.read", NOTHING, facts), Denied):
                unread.add(record.sku)
        elif record is not None:
            row = msgspec.structs.replace(row, access=authorised(app, principal, record))
        found.append(row)
    return found, unread


def told(report: Report, unread: set[str]) -> EditReport:
    """The report as it is answered, without the fields of what the caller may not read."""
    return EditReport(
        correlation_id=report.correlation_id,
        dry_run=report.dry_run,
        products=report.counts["product"],
        plans=[
            msgspec.structs.replace(one, changes=()) if one.name in unread else one for one in report.sorted_plans()
        ],
        listings={} if unread else report.listings_by_channel(),
        problems=sorted(report.problems, key=lambda one: one.line),
        notices=[f"{one.field}: {one.reason}" for one in report.notices],
        ended=report.ended,
        message=report.message,
    )


ROUTES: tuple[Any, ...] = (edit_products,)
